"""What a person does to the text of a job's recordings."""

from __future__ import annotations

from hybrid_transcribe.errors import InvalidRequest
from hybrid_transcribe.jobs.transcript_edit import TranscriptEdit
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.revision_types import RevisionInfo
from hybrid_transcribe.service_protocol import ServiceLike
from hybrid_transcribe.types import Transcript


class JobText:
    """The part of `Job` that reads and revises texts.

    ``recording_id`` may be left out where the job has one recording.
    """

    job_id: str
    _service: ServiceLike

    def transcript(
        self, recording_id: str | None = None, *, revision: int | None = None
    ) -> Transcript:
        """The text of a recording, or an earlier revision of it."""
        return self._service.transcript(self.job_id, self._chosen(recording_id), revision=revision)

    def edit(
        self, recording_id: str | None = None, *, author: str = "", label: str = ""
    ) -> TranscriptEdit:
        """Correct the current text of a recording, as one new revision.

        ::

            with job.edit(author="Ana") as edit:
                for segment in edit.transcript.segments:
                    edit.replace_text(segment, segment.text.strip())
                edit.replace_all("Hybridtranscribe", "hybrid_transcribe")

        It goes to the service at the end of the block, and not at all where that raises.
        """
        transcript = self.transcript(recording_id)
        return TranscriptEdit(self._service, self.job_id, transcript, author=author, label=label)

    def revisions(self, recording_id: str | None = None) -> tuple[RevisionInfo, ...]:
        """Who revised the text of a recording and when, the engine's first."""
        return self._service.revisions(self.job_id, self._chosen(recording_id))

    def restore(
        self,
        revision: int,
        recording_id: str | None = None,
        *,
        author: str = "",
        label: str = "",
    ) -> RevisionInfo:
        """Bring an earlier revision back, as a new one."""
        return self._service.restore(
            self.job_id, self._chosen(recording_id), revision, author=author, label=label
        )

    def _chosen(self, recording_id: str | None) -> str:
        """The recording, or the only one. Raises InvalidRequest."""
        if recording_id is not None:
            return recording_id
        recordings = self._service.snapshot(self.job_id).recordings
        if len(recordings) != 1:
            raise InvalidRequest(UserMessage("which_recording", n=len(recordings)))
        return recordings[0].recording_id
