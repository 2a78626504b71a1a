"""Checkpoints of openai-whisper: known from the package, found in its cache, fetched by digest."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.machinery import ModuleSpec
from pathlib import Path

import pytest

from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.models import get, listing, openai_checkpoints, paths, remove, resolve
from tests.models import fakes
from tests.models.hub_server import REPO, Hub, serving

WEIGHTS = fakes.CT2_FILES["model.bin"]
DIGEST = fakes.sha256(WEIGHTS)


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A server of the checkpoint."""
    served = Hub()
    with serving(served):
        yield served


@pytest.fixture
def whisper(hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """openai-whisper's own cache, empty; ``small`` and ``turbo`` are on the server."""
    address = f"{hub.url}/{REPO}/resolve/{DIGEST}/model.bin"
    table = dict.fromkeys(("small", "large-v3-turbo", "turbo"), address)
    monkeypatch.setattr(openai_checkpoints, "table", lambda: table)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    fakes.no_starters(monkeypatch)
    folder = tmp_path / "xdg" / "whisper"
    folder.mkdir(parents=True)
    return folder


@pytest.mark.slow
def test_the_table_is_the_packages_own() -> None:
    """Every official model, by name, with its digest. Slow: imports torch."""
    library = pytest.importorskip("whisper")

    assert openai_checkpoints.table() == library._MODELS
    remote = openai_checkpoints.remote("turbo")
    assert remote is not None
    assert remote.url == library._MODELS["large-v3-turbo"]
    assert remote.sha256 in remote.url
    assert len(remote.sha256) == 64


@pytest.mark.parametrize("source", [None, "raise RuntimeError", "_MODELS = 1 +", "_MODELS = f()"])
def test_without_the_package_the_remedy_is_told(
    source: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where something else is called "whisper"; nothing of it is run."""
    spec = None
    if source is not None:
        (tmp_path / "whisper.py").write_text(source)
        spec = ModuleSpec("whisper", None, origin=str(tmp_path / "whisper.py"))
    monkeypatch.setattr("importlib.util.find_spec", lambda name: spec)
    openai_checkpoints._table_in.cache_clear()
    with pytest.raises(ModelUnavailable, match=r"hybrid-transcribe\[openai-whisper\]"):
        openai_checkpoints.table()
    openai_checkpoints._table_in.cache_clear()


def test_a_checkpoint_in_the_packages_own_cache_is_used(whisper: Path, settings: Settings) -> None:
    """It is not fetched a second time, not even online."""
    (whisper / "small.pt").write_bytes(WEIGHTS)
    files = resolve("small", "openai", settings)

    assert (files.folder, files.file) == (whisper, whisper / "small.pt")


def test_a_wrong_one_there_is_passed_over(whisper: Path, settings: Settings) -> None:
    """It was cut, or is another's."""
    (whisper / "small.pt").write_bytes(WEIGHTS[:-1])
    with pytest.raises(ModelUnavailable, match="offline"):
        resolve("small", "openai", settings)


def test_a_checkpoint_is_fetched_with_its_percentage(
    hub: Hub, whisper: Path, settings: Settings
) -> None:
    """Into our cache, by the model's one name."""
    seen: list[float | None] = []
    files = resolve("turbo", "openai", settings.but(offline=False), seen.append)

    folder = paths.own_folder("turbo", "openai", settings)
    assert (files.folder, files.file) == (folder, folder / "large-v3-turbo.pt")
    assert (folder / "large-v3-turbo.pt").read_bytes() == WEIGHTS
    items = [p for p in seen if p is not None]
    assert seen[0] is None
    assert items == sorted(items)
    assert items[-1] == 100
    assert resolve("large-v3-turbo", "openai", settings).file == files.file
    assert hub.sent_bytes == len(WEIGHTS)


def test_one_carried_by_hand_is_checked(whisper: Path, settings: Settings) -> None:
    """A file cut on its way by USB stick is refused, with both digests."""
    folder = paths.own_folder("small", "openai", settings)
    folder.mkdir(parents=True)
    (folder / "small.pt").write_bytes(WEIGHTS[:-1])
    with pytest.raises(ModelUnavailable, match=rf"small\.pt .*expected SHA-256 {DIGEST}"):
        resolve("small", "openai", settings)

    (folder / "small.pt").write_bytes(WEIGHTS)
    assert resolve("small", "openai", settings).file == folder / "small.pt"


def test_what_is_in_the_packages_cache_is_listed_and_removed(
    whisper: Path, settings: Settings, hub_dir: Path
) -> None:
    """One file among others: its own size, and the others stay."""
    for name in ("small.pt", "mine.pt"):
        (whisper / name).write_bytes(WEIGHTS)

    (listed,) = listing(settings)
    assert listed == get("small", "openai", settings)
    assert (listed.name, listed.layout, listed.source) == ("small", "openai", "whisper")
    assert (listed.where, listed.size_bytes) == (whisper / "small.pt", len(WEIGHTS))
    assert remove("small", settings).folders == (whisper / "small.pt",)
    assert [p.name for p in whisper.iterdir()] == ["mine.pt"]


def test_removing_takes_the_beginning_of_a_download_too(
    hub: Hub, whisper: Path, settings: Settings, hub_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Gigabytes of something that never became a model."""
    monkeypatch.setattr("hybrid_transcribe.models.fetch.PAUSE_S", 0.0)
    hub.cuts = [100_000, *[0] * 9]
    with pytest.raises(ModelUnavailable):
        resolve("small", "openai", settings.but(offline=False))

    assert remove("small", settings).size_bytes == 100_000
    assert not list(settings.cache_path.rglob("*.incomplete"))
