"""What the doctor finds on machines that lack something."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from hybrid_transcribe.config import Settings
from hybrid_transcribe.core import telemetry
from hybrid_transcribe.devices import Card, Gpu, GpuProber
from hybrid_transcribe.doctor import Check, cloud, engine, gpu, machine, ready
from hybrid_transcribe.models import Installed
from hybrid_transcribe.testing import SCRIPTED, Script, ScriptedEngine
from tests.devices.fake_gpus import prober
from tests.models import fakes


def test_only_what_is_needed_decides() -> None:
    """A missing GPU or extra does not keep anybody from transcribing."""
    needed = Check("engine", True, "", needed=True)

    assert ready([needed, Check("gpu", None, ""), Check("state folder", False, "")])
    assert not ready([needed, Check("model", False, "", needed=True)])


def test_an_engine_that_cannot_be_imported_says_why() -> None:
    """A broken plug-in is a result, with advice; the default engine is looked at first."""
    settings = Settings(engines={"broken": "no_such_package:Engine"})

    first, *others = engine.engines(settings)

    assert (first.name, first.needed) == ("engine faster-whisper", True)
    (broken,) = (check for check in others if check.name == "engine broken")
    assert broken.ok is None
    assert "the module is not on the import path" in broken.detail


@pytest.mark.parametrize(
    ("lacking", "settings", "hint"),
    [
        ((), Settings(), ""),
        (("assemblyai",), Settings(), "pip install 'hybrid-transcribe[assemblyai]'"),
        (("assemblyai",), Settings(never_cloud=True), ""),
        ((), Settings(never_cloud=True), ""),
    ],
)
def test_an_extra_is_offered_where_it_is_not_installed(
    lacking: tuple[str, ...], settings: Settings, hint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not where only a key is missing, and not for what is forbidden."""
    monkeypatch.setattr(engine, "extra_names", lambda: ["assemblyai"])
    monkeypatch.setattr(machine, "_installed", lambda name: name not in lacking)
    ours = settings.but(engines={"assemblyai": f"{__name__}:Keyless"})
    (check,) = (c for c in engine.engines(ours) if c.name == "engine assemblyai")

    assert (check.ok, check.hint) == (None, hint)


def test_an_unknown_default_engine_is_told() -> None:
    """The message names it and what there is."""
    (check, *_) = engine.engines(Settings(engine="nope"))

    assert (check.ok, check.needed) == (False, True)
    assert "'nope'" in check.detail


def test_a_model_that_is_only_a_name_needs_no_files() -> None:
    """Engines without model files are ready as they are."""
    (check,) = engine.model(Settings(engine="scripted", engines=SCRIPTED))

    assert check.ok


def test_a_missing_model_has_a_remedy(tmp_path: Path) -> None:
    """Nothing is fetched: the command that would is named."""
    (check,) = engine.model(Settings(model="org/none", cache_dir=str(tmp_path)))

    assert check.ok is False
    assert "models get org/none" in check.hint
    assert check.detail == "not on this machine; doctor does not ask the hub"


def test_a_setting_that_forbids_the_hub_is_told(tmp_path: Path) -> None:
    """Where it was a person who said so, it is the reason."""
    (check,) = engine.model(Settings(model="org/none", cache_dir=str(tmp_path), offline=True))

    assert "settings forbid asking the hub" in check.detail


def test_an_unknown_model_is_a_setting_to_change(tmp_path: Path) -> None:
    """Getting what does not exist would help nobody."""
    (check,) = engine.model(Settings(model="bsae", cache_dir=str(tmp_path)))

    assert "'bsae'" in check.detail
    assert "models get" not in check.hint
    assert "HYBRID_TRANSCRIBE_MODEL" in check.hint


def test_looking_joins_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the starter packages carry in parts stays so until it is used."""
    fakes.small_starters(monkeypatch, tmp_path / "site")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    (check,) = engine.model(Settings(model="base", cache_dir=str(tmp_path / "cache")))

    assert (check.ok, check.detail) == (True, "in the starter packages, joined at first use")
    assert not (tmp_path / "cache").exists()


GIGABYTE = 10**9
FINE = Gpu(
    True,
    cards=(Card("NVIDIA H100", 85 * GIGABYTE, 84 * GIGABYTE), Card("NVIDIA T4", 16 * GIGABYTE)),
    compute_types=("float16", "float32", "int8"),
    driver="560.35.03",
)
BROKEN = Gpu(False, True, "The GPU cannot be used: no libcublas", "pip install cublas")
NONE = Gpu(False, False, "No GPU was found on this machine", "buy one")


class Seen(GpuProber):
    """Finds that GPU, whatever is asked."""

    def __init__(self, gpu: Gpu) -> None:
        super().__init__()
        self.found, self.asked = gpu, []

    def probe(self, backend: str, settings: Settings, *, fresh: bool = False) -> Gpu:
        """Keep what was asked."""
        self.asked.append((backend, fresh))
        return self.found


def gpu_checks(found: Gpu, **settings: str) -> dict[str, Check]:
    """What is told about such a GPU, by the name of the check."""
    return {check.name: check for check in gpu.gpu(Settings(**settings), Seen(found))}


def test_a_gpu_is_told_with_all_that_matters() -> None:
    """Names, memory where it is known, driver, formats and which would be chosen."""
    check = gpu_checks(FINE)["gpu for ctranslate2"]

    assert (check.ok, check.hint, check.needed) == (True, "", False)
    assert check.detail == (
        "NVIDIA H100 (85.0 GB, 84.0 GB free), NVIDIA T4 (16.0 GB); driver 560.35.03; "
        "computes in float16 (can also: float32, int8)"
    )


@pytest.mark.parametrize("device", ["auto", "gpu"])
def test_a_gpu_that_does_not_work_has_a_remedy(device: str) -> None:
    """It is needed where it was asked for."""
    check = gpu_checks(BROKEN, device=device)["gpu for ctranslate2"]

    assert (check.ok, check.detail, check.hint) == (False, BROKEN.why_not, BROKEN.hint)
    assert check.needed == (device == "gpu")


def test_no_gpu_is_no_fault() -> None:
    """The format on the CPU is told instead."""
    check = gpu_checks(NONE)["gpu for ctranslate2"]

    assert (check.ok, check.hint, check.needed) == (None, "", False)
    assert check.detail == f"{NONE.why_not}: models run on the CPU, in int8"


def test_no_gpu_where_one_was_asked_for_is_a_fault() -> None:
    """With the device set to gpu, none is not well; for the default engine's library alone."""
    checks = gpu_checks(NONE, device="gpu")

    assert (checks["gpu for ctranslate2"].ok, checks["gpu for ctranslate2"].needed) == (False, True)
    assert not any(c.needed for name, c in checks.items() if name != "gpu for ctranslate2")


def test_every_installed_library_is_tried_afresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was remembered may be over, and what is not installed is not tried."""
    monkeypatch.setattr(gpu, "_installed", lambda backend: True)
    seen = Seen(FINE)
    list(gpu.gpu(Settings(), seen))
    assert seen.asked == [("ctranslate2", True), ("torch", True)]

    monkeypatch.setattr(gpu, "_installed", lambda backend: backend != "torch")
    assert [check.name for check in gpu.gpu(Settings(), seen)] == ["gpu for ctranslate2"]


def test_a_gpu_that_kills_is_survived_by_the_doctor(tmp_path: Path) -> None:
    """It is tried in a child, whose end is a result."""
    dangerous = prober(tmp_path / "lib", "abort")
    check = next(iter(gpu.gpu(Settings(cache_dir=str(tmp_path)), dangerous)))

    assert check.ok is False
    assert "libcudnn" in check.detail


class CloudEngine(ScriptedEngine):
    """Sends the audio away."""

    capabilities = replace(ScriptedEngine.capabilities, sends_audio_to="Somebody Inc.")


class Keyless(CloudEngine):
    """Has no key, and says no more."""

    def available(self, settings: Settings) -> str | None:
        """Never."""
        return "there is no key"


def cloud_check(**settings: Any) -> Check:
    """What is told about the cloud that we know a key of."""
    ours = Settings(engines={"assemblyai": f"{__name__}:CloudEngine"}, **settings)
    return next(c for c in cloud.clouds(ours) if c.name == "cloud assemblyai")


def test_a_cloud_is_told_with_its_host_and_never_with_its_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor with a password in its address."""
    secret = "k3y-that-nobody-sees"
    check = cloud_check(
        assemblyai_api_key=secret, assemblyai_base_url=f"https://me:{secret}@api.eu.example.com/v2"
    )

    assert check.ok
    assert "at api.eu.example.com; its key is set" in check.detail
    assert secret not in repr(check)


def test_a_cloud_without_a_key_says_where_to_put_it() -> None:
    """That does not keep anybody from transcribing here."""
    check = cloud_check()

    assert (check.ok, check.needed) == (None, False)
    assert "no key is set" in check.detail
    assert check.hint == "Set ASSEMBLYAI_API_KEY to use it"


def test_a_cloud_that_is_forbidden_is_told_so() -> None:
    """There is nothing to be done about it then."""
    check = cloud_check(never_cloud=True)

    assert (check.ok, check.hint) == (None, "")
    assert "never_cloud" in check.detail


def test_clouds_of_others_are_told_by_who_gets_the_audio() -> None:
    """Their keys are their own business."""
    ours = Settings(engines={"mine": f"{__name__}:CloudEngine", "broken": "no_such_package:Engine"})
    fields = {check.name: check.detail for check in cloud.clouds(ours)}

    assert fields["cloud mine"] == "gets the audio: Somebody Inc."
    assert "cloud broken" not in fields


def test_models_at_hand_are_listed_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By layout, with their sizes; none is no fault, and has a hint."""
    here = [
        Installed("base", "ctranslate2", tmp_path, 145 * 10**6, "cache"),
        Installed("base", "ctranslate2", tmp_path, 145 * 10**6, "starter"),
        Installed("tiny", "openai", tmp_path, 75 * 10**6, "whisper"),
    ]
    monkeypatch.setattr(engine, "listing", lambda _: here)
    assert [(c.name, c.detail) for c in engine.models(Settings())] == [
        ("models ctranslate2", "base (145 MB)"),
        ("models openai", "tiny (75 MB)"),
    ]

    monkeypatch.setattr(engine, "listing", lambda _: [])
    (none,) = engine.models(Settings())
    assert (none.ok, none.hint) == (None, "hybrid-transcribe models get base")


def test_a_worker_answers_with_the_sample() -> None:
    """A real worker process decodes the packaged recording."""
    worker, audio = engine.worker(Settings())

    assert worker.ok
    assert audio.ok
    assert "11.0 s" in audio.detail


def test_a_worker_that_dies_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last words are in the detail, and audio was not tried."""
    monkeypatch.setattr(engine, "TRIAL_MODEL", Script(fault="kill").model)

    worker, audio = engine.worker(Settings())

    assert worker.ok is False
    assert "died" in worker.detail
    assert audio.ok is False


def test_a_state_folder_in_use_is_told(tmp_path: Path) -> None:
    """A named folder that another process holds has a hint."""
    with FileLock(tmp_path / "lock"):
        (check,) = machine.state_folder(Settings(state_dir=str(tmp_path)))

    assert check.ok is False
    assert "in use" in check.detail


def test_a_state_folder_is_not_made_by_looking(tmp_path: Path) -> None:
    """The doctor leaves things as they are."""
    (check,) = machine.state_folder(Settings(state_dir=str(tmp_path / "new" / "state")))

    assert check.ok
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    """Both folders say how to name another."""
    (tmp_path / "file").write_text("no folder")
    nowhere = str(tmp_path / "file" / "below")

    (state,) = machine.state_folder(Settings(state_dir=nowhere))
    (cache,) = machine.cache_folder(Settings(cache_dir=nowhere))

    assert (state.ok, cache.ok) == (False, False)
    assert "HYBRID_TRANSCRIBE_STATE_DIR" in state.hint
    assert "HYBRID_TRANSCRIBE_CACHE_DIR" in cache.hint


def test_extras_are_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is installed, and for each that is not what to type; none for developers."""
    monkeypatch.setattr(machine, "_installed", lambda name: name != "nest-asyncio")
    here, *absent = machine.extras(Settings())

    assert "starter" in here.detail
    assert "dev" not in here.detail
    assert [(c.name, c.ok, c.hint) for c in absent] == [
        ("extra nested", None, "pip install 'hybrid-transcribe[nested]'")
    ]


def test_telemetry_is_off_and_the_doctor_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """A variable that the user has set to keep it on is left alone and named."""
    (check,) = machine.library_telemetry(Settings())
    assert (check.ok, check.hint) == (True, "")

    monkeypatch.setenv("ORT_DISABLE_TELEMETRY", "0")
    telemetry.disable()
    (check,) = machine.library_telemetry(Settings())
    assert (check.ok, "ORT_DISABLE_TELEMETRY" in check.detail) == (None, True)
