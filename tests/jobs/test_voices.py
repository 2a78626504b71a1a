"""Recordings of known voices: people's own stay, those that were sent go with their job."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from hybrid_transcribe import Service
from hybrid_transcribe.audio.intake import Uploaded
from hybrid_transcribe.core.names import new_id
from hybrid_transcribe.errors import HybridTranscribeError, InvalidOption, KeyReused
from hybrid_transcribe.jobs.journal_sqlite import SqliteJournal
from hybrid_transcribe.jobs.orphans import recover_orphans
from hybrid_transcribe.jobs.voice_files import located
from hybrid_transcribe.testing import tone, write_wav
from hybrid_transcribe.types import KnownVoice
from tests.services import service, wavs
from tests.speaking import ENGINES


def speaking(state_dir: Path | None = None) -> Service:
    """A service whose engine tells speakers apart itself."""
    return service(state_dir, engines=ENGINES, engine="speaking")


def sent(of: Service, seconds: float = 1.0) -> Uploaded:
    """The recording of a voice that somebody sent."""
    path = of.uploads_dir / f"{new_id()}.wav"
    return Uploaded(write_wav(path, tone(seconds)), "ana.wav")


def uploads(of: Service) -> set[str]:
    """The names of all files that were sent."""
    return {path.name for path in of.uploads_dir.iterdir()}


def test_a_voice_that_was_sent_goes_with_its_job(tmp_path: Path) -> None:
    """Not before, through a restart, and under no path that moves with the folder."""
    with speaking(tmp_path / "state") as first:
        voice = sent(first)
        job = first.submit(wavs(tmp_path, "a"), speakers={"Ana": voice})
        job.wait()
        assert job.snapshot().spec.options.voices == (
            KnownVoice("Ana", voice.path.name, owned=True),
        )

    (tmp_path / "state").rename(tmp_path / "moved")
    with speaking(tmp_path / "moved") as second:
        assert uploads(second) == {voice.path.name}
        options = second.snapshot(job.job_id).spec.options
        assert [v.path for v in located(options, second.uploads_dir).voices or ()] == [
            str(second.uploads_dir / voice.path.name)
        ]
        second.delete(job.job_id)
        assert uploads(second) == set()


def test_a_file_of_ones_own_stays(tmp_path: Path) -> None:
    """Whatever becomes of the job."""
    (voice,) = wavs(tmp_path, "ana")
    with speaking() as running:
        job = running.submit(wavs(tmp_path, "a"), speakers={"Ana": voice})
        assert job.snapshot().spec.options.voices == (KnownVoice("Ana", str(voice)),)
        job.wait()
        running.delete(job.job_id)

    assert voice.exists()


def test_the_same_submission_again_keeps_one(tmp_path: Path) -> None:
    """Another voice under the same key is another submission; its file goes, too."""
    paths = wavs(tmp_path, "a")
    with speaking() as running:
        voice = sent(running)
        once = running.submit(paths, speakers={"Ana": voice}, idempotency_key="k")
        again = running.submit(paths, speakers={"Ana": sent(running)}, idempotency_key="k")
        with pytest.raises(KeyReused):
            running.submit(paths, speakers={"Ana": sent(running, 2.0)}, idempotency_key="k")

        assert again.job_id == once.job_id
        assert uploads(running) == {voice.path.name}


def test_a_refused_submission_leaves_nothing(tmp_path: Path) -> None:
    """No job, no file."""
    with speaking() as running:
        with pytest.raises(HybridTranscribeError):
            running.submit(tmp_path / "nowhere.wav", speakers={"Ana": sent(running)})

        assert uploads(running) == set()


def test_options_of_another_job_bring_a_copy(tmp_path: Path) -> None:
    """So that the end of one job takes nothing from the other."""
    paths = wavs(tmp_path, "a")
    with speaking() as running:
        first = running.submit(paths, speakers={"Ana": sent(running)})
        second = running.submit(paths, options=first.snapshot().spec.options)
        first.wait()
        running.delete(first.job_id)
        options = located(second.snapshot().spec.options, running.uploads_dir)

        assert [Path(v.path).exists() for v in options.voices or ()] == [True]


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"", "The voice of 'Ana'.*empty"), (b"PK\x03\x04" + bytes(99), "a zip where one recording")],
)
def test_what_is_no_recording_is_no_voice(tmp_path: Path, content: bytes, message: str) -> None:
    """Said at once, not after an hour of transcribing."""
    (tmp_path / "ana.wav").write_bytes(content)
    with speaking() as running, pytest.raises(InvalidOption, match=message):
        running.submit(wavs(tmp_path, "a"), speakers={"Ana": tmp_path / "ana.wav"})


def test_a_voice_comes_along_from_the_folder_of_a_dead_process(tmp_path: Path) -> None:
    """With the job that it belongs to."""
    other, folder = tmp_path / "other", tmp_path / "folder"
    with speaking(other) as dead:
        voice = sent(dead)
        dead.submit(wavs(tmp_path, "a"), speakers={"Ana": voice}).wait()
    with service(folder):
        pass

    with contextlib.closing(SqliteJournal(folder / "journal.db")) as journal:
        assert recover_orphans(journal, folder, [other]) == 1

    assert (folder / "uploads" / voice.path.name).exists()
    assert not voice.path.exists()
