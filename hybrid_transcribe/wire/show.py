"""The former name of `hybrid_transcribe.wire.serialize`."""

from hybrid_transcribe.wire.serialize import anonymous, event, job, moment, queue, recording, when

__all__ = ["anonymous", "event", "job", "moment", "queue", "recording", "when"]
