"""What people hand in, sorted: one bad input sinks no other."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from hybrid_transcribe.audio.intake import Intake, Uploaded, intake, listed, refuse_protocol
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import InvalidRequest, UnsafeInput
from tests.audio.makers import tone, wav, wav_bytes
from tests.audio.zips import packed

SETTINGS = Settings()
SOUND = wav_bytes(tone(0.1).tobytes())


@pytest.fixture
def uploads(tmp_path: Path) -> Path:
    """Where zips are unpacked."""
    folder = tmp_path / "state" / "uploads"
    folder.mkdir(parents=True)
    return folder


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder, empty."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def reasons(taken: Intake) -> dict[str, str]:
    """Name to code of what was turned away."""
    return {rejection.name: rejection.error.code for rejection in taken.rejected}


def test_a_file_is_read_where_it_lies(here: Path, uploads: Path) -> None:
    """One file, by a relative name: its place is absolute, and it is not ours."""
    wav(here / "talk.wav", tone(1))
    (result,) = intake("talk.wav", uploads, SETTINGS).files

    assert (result.name, result.path, result.owned) == ("talk.wav", here / "talk.wav", False)
    assert result.size_bytes == 32_044
    assert list(uploads.iterdir()) == []


def test_several_inputs_keep_their_order(here: Path, uploads: Path) -> None:
    """Strings and paths, a generator of them, the same twice."""
    for name in ("b.wav", "a.wav"):
        wav(here / name, tone(0.1))
    taken = intake((x for x in ("b.wav", here / "a.wav", "b.wav")), uploads, SETTINGS)

    assert [result.name for result in taken.files] == ["b.wav", "a.wav", "b.wav"]


def test_a_bad_input_sinks_no_other(here: Path, uploads: Path) -> None:
    """Each trouble is told by name and code; the good recording is there."""
    wav(here / "good.wav", tone(0.1))
    (here / "notes.wav").write_text("just words")
    (here / "empty.wav").write_bytes(b"")
    (here / "bad.zip").write_bytes(b"PK\x03\x04 and no more")
    items = ["gone.wav", "notes.wav", "empty.wav", "bad.zip", 7, b"x.wav", "", "good.wav"]
    taken = intake(items, uploads, SETTINGS)  # type: ignore[arg-type]

    assert [result.name for result in taken.files] == ["good.wav"]
    assert [rejection.error.code for rejection in taken.rejected] == [
        "input_missing",
        "unsupported_media",
        "empty_input",
        "broken_archive",
        "invalid_request",
        "invalid_request",
        "input_missing",
    ]
    assert "gone.wav" in taken.rejected[0].error.message


def test_a_folder_gives_its_recordings_by_name(here: Path, uploads: Path) -> None:
    """Those of its folders too, not hidden ones; what is no recording is passed over."""
    for name in ("b", "aa/deeper", ".git"):
        (here / name).mkdir(parents=True)
    for name in ("z.wav", "a.wav", ".hidden.wav", "aa/deeper/2.wav", "b/1.wav", ".git/x.wav"):
        wav(here / name, tone(0.1))
    (here / "notes.txt").write_text("just words")
    packed(here / "a.zip", ("in.wav", SOUND))
    taken = intake(here, uploads, SETTINGS)

    places = [str(result.path.relative_to(here)) for result in taken.files]
    assert places == ["a.wav", "aa/deeper/2.wav", "b/1.wav", "z.wav"]
    assert taken.rejected == ()


def test_links_to_folders_are_not_followed(here: Path, uploads: Path) -> None:
    """They may lead in circles."""
    (here / "down").mkdir()
    wav(here / "down" / "a.wav", tone(0.1))
    (here / "down" / "round").symlink_to(here)

    assert [f.name for f in intake(here, uploads, SETTINGS).files] == ["a.wav"]


def test_a_folder_stops_at_the_most_recordings(here: Path, uploads: Path) -> None:
    """One refusal speaks for all that are left out."""
    for n in range(9):
        wav(here / f"{n}.wav", tone(0.1))
    taken = intake(here, uploads, SETTINGS.but(max_files=2))

    assert [result.name for result in taken.files] == ["0.wav", "1.wav"]
    assert reasons(taken) == {"2.wav": "too_many"}


def test_a_file_that_calls_itself_a_recording_is_missed(here: Path, uploads: Path) -> None:
    """In a folder too, a broken ``.wav`` is told rather than lost."""
    (here / "broken.wav").write_text("just words")

    assert reasons(intake(here, uploads, SETTINGS)) == {"broken.wav": "unsupported_media"}


def test_a_folder_without_recordings_says_so(here: Path, uploads: Path) -> None:
    """An empty answer would be a riddle."""
    (here / "notes.txt").write_text("just words")
    (taken,) = intake(here, uploads, SETTINGS).rejected

    assert taken.error.message == "here: no audio or video in this folder, only notes.txt"


def test_a_zip_becomes_its_recordings(here: Path, uploads: Path) -> None:
    """Ours to delete, with people's names; a note among them is not worth a word."""
    packed(here / "a.zip", ("one.wav", SOUND), ("notes.txt", b"words"), ("two.wav", SOUND))
    taken = intake("a.zip", uploads, SETTINGS)

    assert [(result.name, result.owned) for result in taken.files] == [
        ("one.wav", True),
        ("two.wav", True),
    ]
    assert all(result.path.parent == uploads for result in taken.files)
    assert reasons(taken) == {}
    assert len(list(uploads.iterdir())) == 2
    assert (here / "a.zip").exists()


def test_a_zip_without_recordings_says_so(here: Path, uploads: Path) -> None:
    """Litter alone, or nothing at all."""
    packed(here / "a.zip", ("__MACOSX/._a", b"x"))

    assert "no audio or video in this zip" in (
        intake("a.zip", uploads, SETTINGS).rejected[0].error.message
    )


def test_an_empty_zip_is_one_refusal(here: Path, uploads: Path) -> None:
    """Its good neighbour is taken."""
    packed(here / "e.zip")
    packed(here / "n.zip", ("notes.txt", b"words"), ("cover.jpg", b"picture"))
    wav(here / "a.wav", tone(0.1))
    taken = intake(["e.zip", "n.zip", "a.wav"], uploads, SETTINGS)

    assert [result.name for result in taken.files] == ["a.wav"]
    assert [rejection.error.message for rejection in taken.rejected] == [
        "e.zip: no audio or video in this zip",
        "n.zip: no audio or video in this zip, only notes.txt, cover.jpg",
    ]


def test_an_error_of_ours_sinks_no_neighbour(
    here: Path, uploads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What nobody expected is that input's trouble, with its kind and words."""
    packed(here / "a.zip", ("one.wav", SOUND))
    wav(here / "a.wav", tone(0.1))

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by chance")

    monkeypatch.setattr(sys.modules[intake.__module__], "unpack", broken)
    taken = intake(["a.zip", "a.wav"], uploads, SETTINGS)

    assert [result.name for result in taken.files] == ["a.wav"]
    assert reasons(taken) == {"a.zip": "input_error"}
    assert "ZeroDivisionError: by chance" in taken.rejected[0].error.message


def test_a_full_disk_is_no_fault_of_an_input(
    here: Path, uploads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The system's own error comes through."""
    packed(here / "a.zip", ("one.wav", SOUND))

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(sys.modules[intake.__module__], "unpack", full)
    with pytest.raises(OSError, match="No space left"):
        intake("a.zip", uploads, SETTINGS)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (b"x.wav", "not by bytes"),
        (io.BytesIO(b"x"), "not by an open file: give its path"),
        (123, r"not by 123 \(int\)"),
        (None, "not by nothing"),
        (tone(0.1), "not by an array of samples"),
    ],
)
def test_what_is_no_path_is_told_in_words(given: object, told: str) -> None:
    """Each with what to do instead."""
    with pytest.raises(InvalidRequest, match=told):
        listed(given)


def test_one_path_or_several_become_a_list() -> None:
    """Text and paths are one; everything else that can be gone through is several."""
    assert listed("a.wav") == ["a.wav"]
    assert listed(Path("a.wav")) == [Path("a.wav")]
    assert listed(x for x in ("a.wav", "b.wav")) == ["a.wav", "b.wav"]


def test_patterns_have_a_hint(here: Path, uploads: Path) -> None:
    """A shell would have put the names in its place; a file of that name is a file."""
    (refused,) = intake("*.wav", uploads, SETTINGS).rejected
    wav(here / "*.wav", tone(0.1))

    assert "glob.glob('*.wav')" in refused.error.message
    assert len(intake("*.wav", uploads, SETTINGS).files) == 1


def test_home_is_expanded_and_shown_as_given(
    here: Path, uploads: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``~`` is a folder like any other."""
    monkeypatch.setenv("HOME", str(here))
    monkeypatch.setenv("USERPROFILE", str(here))
    wav(here / "a.wav", tone(0.1))
    taken = intake(["~/a.wav", "~/gone.wav"], uploads, SETTINGS)

    assert [result.path for result in taken.files] == [here / "a.wav"]
    assert "'~/gone.wav'" in taken.rejected[0].error.message


def test_a_job_takes_so_many_recordings_and_no_more(here: Path, uploads: Path) -> None:
    """Files, folders and zips count together."""
    packed(here / "a.zip", *((f"{n}.wav", SOUND) for n in range(3)))
    wav(here / "b.wav", tone(0.1))
    taken = intake(["b.wav", "a.zip", "b.wav"], uploads, SETTINGS.but(max_files=2))

    assert [result.name for result in taken.files] == ["b.wav", "0.wav"]
    assert set(reasons(taken).values()) == {"too_many"}
    assert len(taken.rejected) == 3


def test_large_files_are_turned_away(here: Path, uploads: Path) -> None:
    """By their size, unread."""
    wav(here / "a.wav", tone(1))

    assert reasons(intake("a.wav", uploads, SETTINGS.but(max_file_bytes=9))) == {
        "a.wav": "too_large"
    }


@pytest.mark.parametrize("name", ["a:b.wav", "reunião 10:30.wav", "C:\\talks\\x.wav", "x,y:z.wav"])
def test_names_with_colons_are_names(here: Path, uploads: Path, name: str) -> None:
    """A drive letter, a time of day or a list is no protocol."""
    wav(here / name, tone(0.1))

    assert len(intake(name, uploads, SETTINGS).files) == 1


def test_a_file_named_like_a_protocol_can_be_given(here: Path, uploads: Path) -> None:
    """What is there is a file; only where nothing is, the name is taken for an address."""
    for name in ("file:1.wav", "Data: 12 de marco.wav", "data:1.wav", "~1.wav", "concat:a|b"):
        wav(here / name, tone(0.1))
        assert [f.path for f in intake(name, uploads, SETTINGS).files] == [here / name]
        assert intake(here / name, uploads, SETTINGS).files[0].path == here / name
        assert intake(f"./{name}", uploads, SETTINGS).files[0].path == here / name
    assert reasons(intake("file:2.wav", uploads, SETTINGS)) == {"file:2.wav": "unsafe_input"}
    assert reasons(intake("~nobody.wav", uploads, SETTINGS)) == {"~nobody.wav": "input_missing"}


@pytest.mark.parametrize(
    "name", ["Data: 12 de marco.wav", "Pipe: organ.wav", "Cache:1.wav", "data:12.wav", "~ana.wav"]
)
def test_names_of_uploads_are_names(uploads: Path, name: str) -> None:
    """Nobody opens them, so that a title before a colon is no protocol."""
    sent = wav(uploads / "sent.wav", tone(0.1))

    assert len(intake([Uploaded(sent, name)], uploads, SETTINGS).files) == 1
    with pytest.raises(UnsafeInput):
        refuse_protocol("file:12.wav")
