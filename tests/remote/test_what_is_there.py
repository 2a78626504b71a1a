"""What a service elsewhere has: its engines, its limits, and the recordings it was given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_transcribe import RemoteService, Service, list_engines
from hybrid_transcribe.errors import NotFound, UnknownJob, UnknownRecording
from tests.services import service as local_service
from tests.services import wavs


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[Service, RemoteService]]:
    """A service that differs from the defaults, and the way to it."""
    with local_service(max_files=7, max_file_bytes=5_000_000, retention_s=60.0) as local:
        with local.serve() as server, RemoteService(server.url, token=server.token) as remote:
            yield local, remote


def test_its_engines_are_listed(both: tuple[Service, RemoteService]) -> None:
    """Not those of this machine: what can run there, and what gets the audio."""
    local, remote = both
    assert remote.engines() == tuple(list_engines(local.settings))
    by_name = {"language": "pt", "duration_s": 60.0}
    assert remote.models("faster-whisper", **by_name) == local.models("faster-whisper", **by_name)


def test_its_limits_are_known(both: tuple[Service, RemoteService]) -> None:
    """So that what is too large is refused before it is sent."""
    settings = both[1].settings
    assert (settings.max_files, settings.max_file_bytes, settings.retention_s) == (
        *(7, 5_000_000),
        60.0,
    )


def test_a_recording_is_read_as_it_was_given(
    both: tuple[Service, RemoteService], tmp_path: Path
) -> None:
    """The same bytes, name and type, in whatever portions they are wanted."""
    _, remote = both
    (path,) = wavs(tmp_path, "fala", seconds=20)
    job = remote.submit(path)
    recording_id = job.recordings[0].recording_id
    with remote.open_audio(job.job_id, recording_id) as result:
        assert (result.name, result.media_type) == ("fala.wav", "audio/wav")
        assert result.n_bytes == path.stat().st_size
        first = result.file.read(10)
        assert first + result.file.read() == path.read_bytes()


def test_a_recording_of_others_is_not_there(
    both: tuple[Service, RemoteService], tmp_path: Path
) -> None:
    """In the words for what never was."""
    _, remote = both
    job = remote.submit(wavs(tmp_path, "a"))
    recording_id = job.recordings[0].recording_id
    with pytest.raises(UnknownJob):
        remote.open_audio(job.job_id, recording_id, session_ids=["somebody"])
    with pytest.raises(UnknownRecording):
        remote.open_audio(job.job_id, "0" * 32)


def test_a_file_that_has_gone(both: tuple[Service, RemoteService], tmp_path: Path) -> None:
    """NotFound, as from a local service."""
    local, remote = both
    job = remote.submit(wavs(tmp_path, "a"))
    recording = local.snapshot(job.job_id).recordings[0]
    Path(recording.path).unlink()
    for service in (local, remote):
        with pytest.raises(NotFound):
            service.open_audio(job.job_id, recording.recording_id)
