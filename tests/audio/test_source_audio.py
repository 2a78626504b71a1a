"""A recording's own bytes, with a type that no browser runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from hybrid_transcribe.audio.source_audio import BYTES, open_original
from hybrid_transcribe.errors import NotFound
from tests.services import wavs


def test_it_is_read_from_its_beginning(tmp_path: Path) -> None:
    """With its length and type, and the name people know."""
    (path,) = wavs(tmp_path, "talk", seconds=1.0)
    with open_original(path, "../Ação.wav") as result:
        assert (result.name, result.media_type) == ("Ação.wav", "audio/wav")
        assert result.file.read() == path.read_bytes()
        assert result.n_bytes == path.stat().st_size
    assert result.file.closed


@pytest.mark.parametrize("content", [b"<html><script>alert(1)</script>", b"no sound at all"])
def test_what_is_no_recording_is_bytes(tmp_path: Path, content: bytes) -> None:
    """Whatever it calls itself."""
    path = tmp_path / "talk.wav"
    path.write_bytes(content)
    with open_original(path, "talk.wav") as result:
        assert result.media_type == BYTES


def test_what_is_gone_is_not_found(tmp_path: Path) -> None:
    """Nor is a folder, or an empty file, anything to hear."""
    (tmp_path / "empty.wav").touch()
    for path in (tmp_path / "gone.wav", tmp_path, tmp_path / "empty.wav"):
        with pytest.raises(NotFound):
            open_original(path, "talk.wav")
