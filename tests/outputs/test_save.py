"""Transcripts into files."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from hybrid_transcribe.errors import UnknownFormat
from hybrid_transcribe.outputs import save
from hybrid_transcribe.registry import WRITERS
from hybrid_transcribe.types import Transcript
from tests.outputs.examples import transcript


@pytest.mark.parametrize("name", WRITERS.names())
def test_the_suffix_chooses_the_format(tmp_path: Path, name: str) -> None:
    """``talk.srt`` is SubRip, ``talk.JSON`` is JSON: in UTF-8 and with one kind of line end."""
    event = transcript("Olá, 世界.")

    path = save(event, tmp_path / f"talk.{name.upper()}")

    assert path.read_bytes() == WRITERS.make(name).write(event).encode()


@pytest.mark.parametrize("name", ["talk.docx", "talk", "talk."])
def test_another_suffix_is_answered_with_the_formats(tmp_path: Path, name: str) -> None:
    """The message lists the formats, and no file is begun."""
    with pytest.raises(UnknownFormat, match="txt, srt, vtt, tsv, json"):
        save(transcript("a"), tmp_path / name)

    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is replaced whole or not at all."""
    path = save(transcript("old"), tmp_path / "talk.txt")

    def full(self: Path, target: Path) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(OSError, match="disk full"):
        save(transcript("new"), path)

    assert path.read_text() == "old\n"
    assert [p.name for p in tmp_path.iterdir()] == ["talk.txt"]


def test_an_existing_file_is_replaced(tmp_path: Path) -> None:
    """Saving again is saving over."""
    save(transcript("old"), tmp_path / "talk.txt")

    assert save(transcript("new"), tmp_path / "talk.txt").read_text() == "new\n"


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_link_stays_a_link(tmp_path: Path) -> None:
    """The file that a link means is written, not the link."""
    (tmp_path / "link.txt").symlink_to(tmp_path / "real.txt")

    save(transcript("a"), tmp_path / "link.txt")

    assert (tmp_path / "link.txt").is_symlink()
    assert (tmp_path / "real.txt").read_text() == "a\n"


def test_text_that_utf8_cannot_hold_is_saved_all_the_same(tmp_path: Path) -> None:
    """A lone surrogate from a broken tokenizer costs one character, not the transcript."""
    broken = Transcript("id", "x", transcript("a\ud800b").segments, "e", "m")

    assert save(broken, tmp_path / "x.txt").read_text(encoding="utf-8") == "a\ufffdb\n"
