"""Rows of the fault matrix that end in a file: names, errors, formulas, markup."""

from __future__ import annotations

import io
from pathlib import PurePosixPath, PureWindowsPath
from zipfile import ZipFile

import pytest

from hybrid_transcribe.core.names import folded
from hybrid_transcribe.outputs import bundle, merged_text
from hybrid_transcribe.outputs.srt import Srt
from hybrid_transcribe.outputs.tsv import Tsv
from hybrid_transcribe.outputs.vtt import Vtt
from hybrid_transcribe.types import ErrorInfo, Rejection, Transcript
from tests.outputs.examples import transcript

MARKUP = ["<img src=x onerror=alert(1)>", "<script>alert(1)</script>", "</v><b>x", "&lt;b&gt;"]


def _files(transcripts: list[Transcript], *errors: Rejection) -> dict[str, str]:
    file = io.BytesIO()
    bundle(transcripts, errors, "txt", file)
    with ZipFile(file) as archive:
        names = archive.namelist()
        assert len(names) == len(set(names))
        return {name: archive.read(name).decode() for name in names}


def test_f26_nineteen_transcripts_and_one_clear_error_are_in_the_zip() -> None:
    """One bad file among twenty: the others are there, and one line says what became of it."""
    good = [transcript(f"Text {n}.", name=f"{n}.wav") for n in range(19)]
    bad = Rejection("bad.wav", ErrorInfo("broken_media", "bad.wav cannot be\ndecoded"))

    files = _files(good, bad)

    assert files.pop("_errors.txt") == "bad.wav: broken_media: bad.wav cannot be decoded\n"
    assert files == {f"{n}.txt": f"Text {n}.\n" for n in range(19)}


def test_f26_the_merged_text_keeps_the_nineteen() -> None:
    """One bad file among twenty: the text of the others is whole, the error is named once."""
    good = [transcript(f"Text {n}.", name=f"{n}.wav") for n in range(19)]
    bad = Rejection("bad.wav", ErrorInfo("broken_media", "cannot be decoded"))

    merged = merged_text(good, [bad])

    assert all(f"# {n}.wav\n\nText {n}.\n" in merged for n in range(19))
    assert merged.count("broken_media: cannot be decoded") == 1


HOSTILE = [
    "../../etc/passwd",
    "..\\..\\boot.ini",
    "C:\\",
    "C:\\Windows\\system.ini",
    "/etc/shadow",
    "a\x00b.wav",
    "\u202egnp.wav",
    "a\nb.wav",
    "",
    ".",
    "..",
    "CON.wav",
    "lpt1",
    "COM¹.wav",
    "n" * 4000 + ".wav",
    "語" * 4000 + ".wav",
    "same.wav",
    "same.wav",
    "SAME.mp3",
    "same (2).wav",
    "caf\u00e9.wav",
    "cafe\u0301.wav",
    "_errors.wav",
    "trailing. . .wav",
    "-rf.wav",
    "a:b|c?d*.wav",
]


def test_f36_names_in_the_zip_are_safe_everywhere() -> None:
    """No name leaves the folder, hides, names a device or is too long for a file system."""
    files = _files([transcript("x", name=name) for name in HOSTILE])

    assert len(files) == len(HOSTILE)
    for name in files:
        assert PurePosixPath(name).name == PureWindowsPath(name).name == name
        assert not PureWindowsPath(name).is_reserved()
        assert name.isprintable()
        assert not set(name) & set('<>:"/\\|?*')
        assert name.rstrip(". ") == name
        assert len(name.encode()) <= 255


def test_f36_names_in_the_zip_differ_on_systems_that_ignore_case() -> None:
    """Unpacking on any system loses no transcript to a namesake."""
    files = _files([transcript("x", name=name) for name in HOSTILE])

    assert len({folded(name) for name in files}) == len(HOSTILE)


def test_f36_ten_thousand_namesakes_take_no_time() -> None:
    """Equal names cost no more than different ones."""
    assert len(_files([transcript("x", name="same.wav")] * 10_000)) == 10_000


@pytest.mark.parametrize("text", MARKUP)
def test_f38_markup_is_inert_in_vtt(text: str) -> None:
    """A browser shows the text of a subtitle, it never acts on it."""
    cue = Vtt().write(transcript(text)).split("\n", 3)[3]

    assert "<" not in cue
    assert "&amp;" in cue or "&" not in text


@pytest.mark.parametrize("text", MARKUP[:3])
def test_f38_markup_is_inert_in_srt(text: str) -> None:
    """A player that knows tags finds none."""
    cue = Srt().write(transcript(text)).split("\n", 2)[2]

    assert "<" not in cue


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://example.org","x")',
        "+1+1",
        "-1+1",
        "@SUM(1)",
        "\t=1+1",
        "\r=1+1",
        "\x00=1+1",
        "\u2028=1+1",
        "  =1+1",
        '"=1+1"',
        "＝1+1",
    ],
)
def test_f39_formulas_are_text_in_tsv(text: str) -> None:
    """A spreadsheet shows what was said and runs nothing."""
    cells = Tsv().write(transcript(text)).splitlines()[1].split("\t")

    assert len(cells) == 3
    assert cells[2][0] == "'"
