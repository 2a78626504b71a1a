"""What comes down is what lies there, byte by byte, and no more at once than the panel takes."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hybrid_transcribe import Service
from hybrid_transcribe.errors import TooMany
from hybrid_transcribe.hud import downloads
from hybrid_transcribe.hud import messages as m
from hybrid_transcribe.hud.downloads import CHUNK_BYTES, MOST, WINDOW, Downloads
from hybrid_transcribe.outputs.download import Download
from hybrid_transcribe.outputs.merged import merged_text
from hybrid_transcribe.registry import WRITERS
from tests.hud.lines import Line, desk_for
from tests.services import wavs


@pytest.fixture
def line(service: Service) -> Iterator[Line]:
    with desk_for(service) as instance:
        yield instance


def test_a_recording_comes_down_as_it_went_up(service: Service, line: Line, tmp_path: Path) -> None:
    """With its media type and name; more than one chunk of it."""
    (path,) = wavs(tmp_path, "talk", seconds=50)
    job = service.submit(path)
    begin, data = line.fetch(
        part="audio", job_id=job.job_id, recording_id=job.recordings[0].recording_id
    )
    assert (begin.name, begin.media_type, begin.size_bytes) == ("talk.wav", "audio/wav", len(data))
    assert data == path.read_bytes()
    assert len(data) > CHUNK_BYTES


@pytest.mark.parametrize("format", WRITERS.names())
def test_a_result_is_what_the_writer_writes(
    service: Service, line: Line, tmp_path: Path, format: str
) -> None:
    """In every format there is."""
    job = service.submit(wavs(tmp_path, "talk"))
    (transcript,) = job.result(30)
    begin, data = line.fetch(
        part="result", job_id=job.job_id, recording_id=transcript.recording_id, format=format
    )
    assert begin.name == f"talk.{format}"
    assert data.decode() == WRITERS.make(format).write(transcript)
    _, same = line.fetch(part="results", job_id=job.job_id, format=format)
    assert same == data


def test_several_come_merged_or_zipped(service: Service, line: Line, tmp_path: Path) -> None:
    """With what failed named in both; no other format holds several."""
    bad = tmp_path / "bad.wav"
    bad.write_bytes(b"RIFF\x10\0\0\0WAVEnothing of use")
    job = service.submit([*wavs(tmp_path, "a", "b"), bad])
    result = job.result(30)
    assert result.errors
    begin, text = line.fetch(part="results", job_id=job.job_id, format="txt")
    assert text.decode() == merged_text(result, result.errors)
    assert begin.name == f"transcripts-{job.job_id[:8]}.txt"
    _, packed = line.fetch(part="results", job_id=job.job_id, format="zip", inside="srt")
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        assert archive.namelist() == ["a.srt", "b.srt", "_errors.txt"]
    refused = line.ask(m.Fetch, part="results", job_id=job.job_id, format="srt")
    assert refused.error.code == "invalid_request"


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({"part": "results", "job_id": "nobody"}, "unknown_job"),
        ({"part": "results", "job_id": "nobody", "format": "doc"}, "unknown_format"),
        ({"part": "soul", "job_id": "nobody"}, "invalid_option"),
        ({"part": "audio", "job_id": "nobody"}, "invalid_request"),
        ({"part": "audio", "job_id": "nobody", "recording_id": "x"}, "unknown_job"),
    ],
)
def test_what_cannot_be_had_is_a_problem(line: Line, asked: dict[str, Any], code: str) -> None:
    """With the number of the question."""
    assert line.ask(m.Fetch, **asked).error.code == code


def test_audio_that_is_gone_is_not_found(service: Service, line: Line, tmp_path: Path) -> None:
    """A recording that its owner moved away can no longer be heard."""
    (path,) = wavs(tmp_path, "talk")
    job = service.submit(path)
    job.result(30)
    path.unlink()
    by_name = {"job_id": job.job_id, "recording_id": job.recordings[0].recording_id}
    assert line.ask(m.Fetch, part="audio", **by_name).error.code == "not_found"


# ---------------------------------------------------------------------------- the window


class _Panel:
    def __init__(self) -> None:
        self.sent: list[tuple[Any, bytes | None]] = []
        self.now = 0.0
        self.downloads = Downloads(
            lambda message, data: self.sent.append((message, data)), lambda: self.now
        )

    def chunks(self) -> list[bytes | None]:
        return [data for message, data in self.sent if isinstance(message, m.BlobChunk)]


def blob(n_bytes: int) -> Download:
    return Download("x", "text/plain", n_bytes, io.BytesIO(b"x" * n_bytes))


def test_no_more_is_sent_than_the_window_holds() -> None:
    """Memory stays flat however long it is: more comes as the panel takes it."""
    panel = _Panel()
    panel.downloads.begin(1, blob((WINDOW + 2) * CHUNK_BYTES))
    assert len(panel.chunks()) == WINDOW
    panel.downloads.arrived(1, CHUNK_BYTES)
    assert len(panel.chunks()) == WINDOW + 1
    panel.downloads.arrived(1, 99 * CHUNK_BYTES)
    assert len(panel.chunks()) == WINDOW + 2
    assert panel.sent[-1][0].last


def test_an_empty_one_is_one_empty_chunk() -> None:
    """So that the panel knows its end."""
    panel = _Panel()
    panel.downloads.begin(1, blob(0))
    assert (panel.chunks(), panel.sent[-1][0].last) == ([b""], True)


def test_what_nobody_takes_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many at a time; those that a page left behind go first. Their files are closed."""
    panel = _Panel()
    large = (downloads.WINDOW + 1) * CHUNK_BYTES
    items = [blob(large) for _ in range(MOST)]
    for ref, item in enumerate(items):
        panel.downloads.begin(ref, item)
    refused = blob(large)
    with pytest.raises(TooMany):
        panel.downloads.begin(99, refused)
    panel.now = 60.0
    kept = blob(large)
    panel.downloads.begin(99, kept)
    assert all(entry.file.closed for entry in (*items, refused))
    panel.downloads.cancel(99)
    assert kept.file.closed
