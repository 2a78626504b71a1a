"""The files that ``--output-dir`` asks for."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryFile

from hybrid_transcribe.core.names import UniqueNames, display_name, user_path
from hybrid_transcribe.errors import HybridTranscribeError, InvalidRequest
from hybrid_transcribe.jobs.handle import Job
from hybrid_transcribe.jobs.service import Service
from hybrid_transcribe.messages import UserMessage, known_phrase
from hybrid_transcribe.outputs import save
from hybrid_transcribe.registry import WRITERS
from hybrid_transcribe.types import ErrorInfo, Recording, Rejection, State


class Targets:
    """Writes each recording as soon as it ends, so that nothing is lost with this process.

    Attributes:
        written: the paths so far, in the order of the recordings.
        errors: what could not be written, and why.
    """

    def __init__(self, folder: str, formats: list[str]) -> None:
        """Raises InvalidRequest where the folder cannot be made or written."""
        self._folder = user_path(folder)
        self._suffixes = [f".{WRITERS.get(name).extension}" for name in formats]
        self._planned: dict[str, str] = {}
        self._written: dict[str, list[Path]] = {}
        self.errors: list[Rejection] = []
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            # Only writing tells: root may, read-only disks may not, whatever the mode says.
            with TemporaryFile(dir=self._folder):
                pass
        except OSError as error:
            raise InvalidRequest(
                UserMessage(
                    "folder_unwritable", folder=self._folder, why=known_phrase(error.strerror)
                )
            ) from error

    def plan(self, service: Service, job: Job) -> None:
        """Give every recording of the job a name, the same ones in every run."""
        self._service, names = service, UniqueNames()
        for recording in job.recordings:
            self._planned[recording.recording_id] = names.take_for(recording.name)

    def write(self, recording: Recording) -> None:
        """Write one that has ended; of one that ended early, the part that there is."""
        key = recording.recording_id
        whole = recording.state is State.COMPLETED
        if key in self._written or not (whole or recording.n_segments):
            return
        part = "" if whole else ".partial"
        targets = [self._folder / f"{self._planned[key]}{part}{s}" for s in self._suffixes]
        try:
            transcript = self._service.transcript(recording.job_id, key, partial=True)
            self._written[key] = [save(transcript, target) for target in targets]
        except (OSError, HybridTranscribeError) as error:
            message = f"cannot be written: {error}"
            self.errors.append(
                Rejection(display_name(recording.name), ErrorInfo("output_error", message))
            )

    @property
    def written(self) -> list[Path]:
        """The paths, in the order of the recordings."""
        return [path for key in self._planned for path in self._written.get(key, ())]
