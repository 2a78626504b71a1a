"""Rows 20 and 40: models that cannot be had, and models that would do harm."""

from __future__ import annotations

import errno
import json
import pickle
import shutil
from collections import namedtuple
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any

import numpy as np
import pytest

from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import EngineError, ModelUnavailable, UnknownModel
from hybrid_transcribe.interfaces import LoadRequest
from hybrid_transcribe.models import check, fetch, is_name, openai_checkpoints, resolve
from hybrid_transcribe.registry import ENGINES
from tests.models import fakes
from tests.models.children import blobs, fetched, start
from tests.models.hub_server import REPO, Hub, serving

WEIGHTS = fakes.CT2_FILES["model.bin"]
DIGEST = fakes.sha256(WEIGHTS)


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A hub with one repository, which also has a checkpoint of openai-whisper's."""
    served = Hub()
    with serving(served):
        yield served


@pytest.fixture
def checkpoint(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """openai-whisper's ``small`` is on that hub; its cache and ours are empty."""
    address = f"{hub.url}/{REPO}/resolve/{DIGEST}/model.bin"
    monkeypatch.setattr(openai_checkpoints, "table", lambda: {"small": address})
    monkeypatch.setattr(fetch, "PAUSE_S", 0.0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    fakes.no_starters(monkeypatch)
    return Settings(cache_dir=str(tmp_path / "cache"))


# ------------------------------------------------------------------------------- row 20


@pytest.mark.slow
def test_f20_a_cut_download_is_resumed(hub: Hub, tmp_path: Path) -> None:
    """The bytes that came are kept, and only the rest is asked for."""
    hub.cuts = [100_000, 50_000]
    answer = fetched(tmp_path, hub.url)

    assert (Path(answer["folder"]) / "model.bin").read_bytes() == WEIGHTS
    assert hub.ranges == ["bytes=100000-", "bytes=150000-"]
    assert hub.sent_bytes == len(WEIGHTS)


@pytest.mark.slow
def test_f20_a_download_whose_process_was_killed_goes_on_in_the_next(
    hub: Hub, tmp_path: Path
) -> None:
    """What was told to be here is not sent a second time."""
    gate = Event()
    hub.at_half = lambda: gate.wait(30)
    with start(tmp_path, hub.url) as child:
        assert child.stdout is not None
        for line in child.stdout:
            percentage = json.loads(line)[1]
            if percentage:
                break
        child.kill()
    gate.set()
    kept = blobs(tmp_path)[f"{DIGEST}.incomplete"].stat().st_size
    assert kept >= percentage / 100 * len(WEIGHTS) > 0

    again = Hub()
    with serving(again) as url:
        answer = fetched(tmp_path, url)
    assert (Path(answer["folder"]) / "model.bin").read_bytes() == WEIGHTS
    assert again.sent_bytes == len(WEIGHTS) - kept
    assert f"{DIGEST}.incomplete" not in blobs(tmp_path)


@pytest.mark.slow
def test_f20_wrong_bytes_are_refused_and_deleted(hub: Hub, tmp_path: Path) -> None:
    """The right number of wrong bytes is fetched once more, then refused; a retry starts anew."""
    hub.sent = b"x" * len(WEIGHTS)
    answer = fetched(tmp_path, hub.url)

    assert answer["code"] == "model_unavailable"
    assert DIGEST in answer["message"]
    assert fakes.sha256(hub.sent) in answer["message"]
    assert hub.sent_bytes == 2 * len(WEIGHTS)
    assert not [name for name in blobs(tmp_path) if name.startswith(DIGEST)]
    hub.sent = None
    assert "folder" in fetched(tmp_path, hub.url)


@pytest.mark.slow
def test_f20_an_unreachable_hub_is_told_soon_and_with_the_remedy(tmp_path: Path) -> None:
    """No minute of retries: one message with what to put where."""
    answer = fetched(tmp_path, "http://127.0.0.1:9")

    assert answer["code"] == "model_unavailable"
    assert answer["took_s"] < 10
    assert f"http://127.0.0.1:9/{REPO}" in answer["message"]
    assert "model.bin, config.json, tokenizer.json, vocabulary.*" in answer["message"]
    assert str(tmp_path / "cache" / "models" / "someone--whisper-mine") in answer["message"]


def test_f20_a_checkpoint_that_was_cut_is_resumed_in_the_next_call(
    hub: Hub, checkpoint: Settings
) -> None:
    """The error says what happened, what to put where; the next call asks for the rest only."""
    hub.cuts = [100_000, *[0] * fetch.TRIES]
    with pytest.raises(ModelUnavailable) as caught:
        resolve("small", "openai", checkpoint)
    message = str(caught.value)
    assert "'small'" in message
    assert "cut after 100000 bytes" in message
    assert str(checkpoint.cache_path / "models" / "small.openai") in message

    files = resolve("small", "openai", checkpoint)
    assert files.file is not None
    assert files.file.read_bytes() == WEIGHTS
    assert hub.sent_bytes == len(WEIGHTS)


def test_f20_a_wrong_checkpoint_is_never_kept(hub: Hub, checkpoint: Settings) -> None:
    """Neither under its name nor as a beginning to go on from."""
    hub.sent = b"x" * len(WEIGHTS)
    with pytest.raises(ModelUnavailable, match=DIGEST):
        resolve("small", "openai", checkpoint)
    files = [p for p in checkpoint.cache_path.rglob("*") if p.is_file() and p.stat().st_size]
    assert files == []


@pytest.mark.parametrize("layout", ["ctranslate2", "huggingface", "openai"])
def test_f20_without_a_network_the_message_is_one_line_with_the_remedy(
    layout: str, checkpoint: Settings
) -> None:
    """Model, files and folder are named in every layout."""
    with pytest.raises(ModelUnavailable) as caught:
        resolve("small", layout, checkpoint.but(offline=True))
    files = {"ctranslate2": "model.bin", "huggingface": "*.safetensors", "openai": "small.pt"}
    folder = "small" if layout == "ctranslate2" else f"small.{layout}"
    message = str(caught.value)
    assert "'small'" in message
    assert f"put {files[layout]}" in message
    assert f"into {checkpoint.cache_path / 'models' / folder}." in message
    assert "\n" not in message


def test_f20_a_disk_without_room_is_told_before_it_is_full(
    checkpoint: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The bytes still needed are compared with the free ones; folder and both are named."""
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10**9, 10**9 - 1000, 1000))
    with pytest.raises(ModelUnavailable, match=r"No room .*models: it needs 1 MB"):
        resolve("small", "openai", checkpoint)
    assert not list(checkpoint.cache_path.rglob("*.incomplete"))


def test_f20_a_disk_that_fills_up_on_the_way_is_told(
    hub: Hub, checkpoint: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else may have written meanwhile."""

    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(fetch, "_pour", full)
    with pytest.raises(ModelUnavailable, match="No space left on device"):
        resolve("small", "openai", checkpoint)


# ------------------------------------------------------------------------------- row 40


class _Canary:
    """What a hostile checkpoint does when it is unpickled: it writes a file."""

    def __init__(self, canary: Path) -> None:
        self._canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.write_text, (self._canary, "it ran")


def hostile(where: Path, canary: Path) -> Path:
    """A checkpoint that would write the canary."""
    where.parent.mkdir(parents=True, exist_ok=True)
    where.write_bytes(pickle.dumps({"dims": {}, "model_state_dict": _Canary(canary)}))
    return where


def test_the_canary_sings(tmp_path: Path) -> None:
    """Unpickled carelessly, it runs: otherwise the tests below would show nothing."""
    file = hostile(tmp_path / "model.pt", tmp_path / "canary")
    pickle.loads(file.read_bytes())
    assert (tmp_path / "canary").exists()


@pytest.mark.slow
def test_f40_a_hostile_checkpoint_named_by_its_owner_runs_nothing(tmp_path: Path) -> None:
    """It is refused while loading, as a model that cannot be used. Slow: imports torch."""
    canary = tmp_path / "canary"
    file = hostile(tmp_path / "model.pt", canary)
    settings = Settings(cache_dir=str(tmp_path / "cache"), offline=True)
    engine = ENGINES.make("openai-whisper", {})
    missing = engine.available(settings)
    if missing:
        pytest.skip(missing)
    files = resolve(str(file), "openai", settings)
    assert files.file == file

    with pytest.raises(EngineError, match=r"model\.pt"):
        engine.load(LoadRequest(files, device="cpu", settings=settings))
    assert not canary.exists()


@pytest.mark.parametrize(
    "name", ["/srv/model.pt", "./model.pt", "~/model.pt", "model.pt", "..\\model.pt", "C:\\m.pt"]
)
def test_f40_a_client_cannot_name_a_file(name: str) -> None:
    """Only names of the catalogue and ids on the hub may come from strangers."""
    assert not is_name(name)


@pytest.mark.parametrize("name", ["uploads/model.pt", "uploads/models"])
def test_f40_what_looks_like_an_id_never_opens_a_checkpoint_here(
    name: str, tmp_path: Path, checkpoint: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client's upload below the working folder is not a model."""
    hostile(tmp_path / "uploads" / "model.pt", tmp_path / "canary")
    hostile(tmp_path / "uploads" / "models" / "model.pt", tmp_path / "canary")
    monkeypatch.chdir(tmp_path)
    assert is_name(name)
    with pytest.raises(ModelUnavailable):
        resolve(name, "openai", checkpoint.but(offline=True))


def test_f40_no_pickle_is_fetched_for_an_id(checkpoint: Settings, hub: Hub) -> None:
    """The makers' checkpoints are known by digest; anybody's are not fetched at all."""
    with pytest.raises(ModelUnavailable, match="nobody publishes it for openai-whisper"):
        resolve(REPO, "openai", checkpoint)
    assert hub.sent_bytes == 0


def test_f40_an_unknown_name_is_refused_when_it_is_asked_for(checkpoint: Settings) -> None:
    """Before anything is queued."""
    with pytest.raises(UnknownModel, match="'model'"):
        check("model", "openai", checkpoint)


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["huggingface", "openai"])
def test_f40_every_checkpoint_we_write_is_plain_numbers(layout: str, tmp_path: Path) -> None:
    """It loads with weights_only, or is no pickle at all. Slow: imports torch."""
    torch = pytest.importorskip("torch")
    numpy = pytest.importorskip("safetensors.numpy")
    from hybrid_transcribe.models.convert import convert
    from tests.models import small_ct2

    source = small_ct2.folder(tmp_path / "source")
    folder = convert(source, layout, tmp_path / "made", name="mine")
    if layout == "openai":
        loaded = torch.load(folder / "mine.pt", weights_only=True)
        assert set(loaded) == {"dims", "model_state_dict"}
    else:
        loaded = numpy.load_file(folder / "model.safetensors")
        assert all(isinstance(array, np.ndarray) for array in loaded.values())
        assert not list(folder.glob("*.bin")) + list(folder.glob("*.pt"))
