"""What was really said, as people have it."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybrid_transcribe.comparison.reference import Reference, References
from hybrid_transcribe.errors import InvalidRequest

ONE, TWO = ("talk.wav",), ("a.wav", "b.m4a")


@pytest.fixture
def texts(tmp_path: Path) -> Path:
    """A folder with a text for each of two recordings, and one more."""
    for name in ("a", "b", "older"):
        (tmp_path / f"{name}.txt").write_text(f"text of {name}\n", encoding="utf-8")
    return tmp_path


def test_a_text_is_what_was_said() -> None:
    """Of the only recording."""
    references = References("Ask not.")
    references.check(ONE)

    assert references.of("talk.wav") == "Ask not."


@pytest.mark.parametrize("as_text", [True, False])
def test_a_file_is_read(tmp_path: Path, as_text: bool) -> None:
    """Named by a path or a text; a byte order mark is no word."""
    path = tmp_path / "said.txt"
    path.write_text("Não é.", encoding="utf-8-sig")

    assert References(str(path) if as_text else path).of("talk.wav") == "Não é."


def test_a_folder_has_a_text_for_each(texts: Path) -> None:
    """By the recording's name; more than is compared today may lie there."""
    references = References(texts)
    references.check(TWO)

    assert references.of("b.m4a") == "text of b\n"
    assert references.of("c.wav") is None


@pytest.mark.parametrize("name", ["a.wav", "a"])
def test_a_mapping_goes_by_name(name: str) -> None:
    """With the suffix or without."""
    references = References({name: "said"})
    references.check(TWO)

    assert references.of("a.wav") == "said"
    assert references.of("b.m4a") is None


def test_none_is_none() -> None:
    """Nothing to count against."""
    references = References(None)
    references.check(TWO)

    assert references.of("a.wav") is None


@pytest.mark.parametrize("given", ["said.txt", Path("said.txt"), Path("said"), "said.srt"])
def test_a_file_that_is_not_there_is_no_text(
    given: Reference, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistyped name must not be counted as what was said."""
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InvalidRequest, match=r"No reference file .*said"):
        References(given)


def test_subtitles_are_no_plain_text(tmp_path: Path) -> None:
    """Their times would count as words."""
    (tmp_path / "said.srt").write_text("1\n")
    with pytest.raises(InvalidRequest, match="is no plain text"):
        References(tmp_path / "said.srt")


def test_another_encoding_is_told(tmp_path: Path) -> None:
    """Rather than counted as errors."""
    (tmp_path / "said.txt").write_bytes("não".encode("latin-1"))
    with pytest.raises(InvalidRequest, match="is not UTF-8"):
        References(tmp_path / "said.txt")


def test_an_empty_folder_is_told(tmp_path: Path) -> None:
    """It can only be the wrong one."""
    with pytest.raises(InvalidRequest, match="No reference texts"):
        References(tmp_path)


@pytest.mark.parametrize(
    ("given", "names", "message"),
    [
        ("Ask not.", TWO, "One reference text and 2 recordings"),
        ({"c.wav": "said", "a.wav": "said"}, TWO, "'c.wav' is of no recording; there is a.wav, b"),
    ],
)
def test_those_of_other_recordings_are_refused(
    given: Reference, names: tuple[str, ...], message: str
) -> None:
    """Before any work is waited for."""
    with pytest.raises(InvalidRequest, match=message):
        References(given).check(names)


def test_a_folder_of_strangers_is_refused(texts: Path) -> None:
    """None of its texts is of these recordings."""
    with pytest.raises(InvalidRequest, match="is of no recording"):
        References(texts).check(("x.wav", "y.wav"))


def test_a_very_long_text_is_a_text() -> None:
    """No system has such names."""
    assert References("word " * 5000).of("talk.wav") == "word " * 5000
    assert References("x" * 900).of("talk.wav") == "x" * 900
