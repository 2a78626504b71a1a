"""What came of a job, and printing it."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybrid_transcribe.cli.streams import stdout_is_closed, stdout_is_utf8
from hybrid_transcribe.cli.targets import Targets
from hybrid_transcribe.errors import HybridTranscribeError, JobCanceled
from hybrid_transcribe.jobs.handle import Job, errors_of
from hybrid_transcribe.jobs.service import Service
from hybrid_transcribe.outputs import merged_text
from hybrid_transcribe.outputs._text import encodable
from hybrid_transcribe.outputs.json import document
from hybrid_transcribe.registry import WRITERS
from hybrid_transcribe.types import ErrorInfo, Rejection, State, Transcript


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a job.

    Attributes:
        transcripts: in order; of a recording that ended early, the part that there is.
        signal: the exit code of the signal that ended it early, else 0.
    """

    job_id: str
    transcripts: tuple[Transcript, ...]
    errors: tuple[Rejection, ...]
    written: tuple[Path, ...] = ()
    warnings: tuple[str, ...] = ()
    signal: int = 0

    def error_lines(self) -> list[str]:
        """``name: message (code)``, one line each."""
        return [_line(rejection) for rejection in self.errors]


def collect(service: Service, job: Job, targets: Targets | None, signal: int) -> Outcome:
    """Read it from a job that has ended, or is about to."""
    snapshot = job.snapshot()
    items = tuple(
        service.transcript(job.job_id, r.recording_id, partial=True)
        for r in snapshot.recordings
        if r.state is State.COMPLETED or r.n_segments
    )
    stuck = (
        Rejection(r.name, ErrorInfo(JobCanceled.code, "Canceled"))
        for r in snapshot.recordings
        if not r.state.terminal
    )
    errors = (*errors_of(snapshot), *stuck, *(targets.errors if targets else ()))
    warnings = tuple(message for _, message in service.warnings)
    written = tuple(targets.written) if targets else ()
    return Outcome(job.job_id, items, errors, written, warnings, signal)


def print_text(outcome: Outcome, format: str) -> None:
    """One recording's text alone, or each under its name."""
    if format == "txt":
        sys.stdout.write(merged_text(outcome.transcripts))
        return
    texts = [WRITERS.make(format).write(t) for t in outcome.transcripts]
    if len(texts) > 1:
        names = (t.name for t in outcome.transcripts)
        texts = [f"# {name}\n\n{text}\n" for name, text in zip(names, texts, strict=True)]
    sys.stdout.write("".join(texts))


def print_paths(outcome: Outcome) -> None:
    """The files written, one a line. Where stdout is closed they are there all the same."""
    if stdout_is_closed():
        return
    for path in outcome.written:
        print(path)


def print_json(outcome: Outcome | None, error: Exception | None = None) -> None:
    """All of it as one JSON object; of the same shape where nothing could be done."""
    whole: dict[str, Any] = {
        "job_id": outcome.job_id if outcome else None,
        "recordings": [document(t) for t in outcome.transcripts] if outcome else [],
        "errors": [_plain(e) for e in outcome.errors] if outcome else [],
        "written": [str(path) for path in outcome.written] if outcome else [],
        "warnings": list(outcome.warnings) if outcome else [],
    }
    if error is not None:
        code = error.code if isinstance(error, HybridTranscribeError) else "error"
        whole["errors"].append({"name": None, "code": code, "message": str(error)})
    print(json_text(whole))


def listed_names(names: Sequence[str], n_named: int = 10) -> str:
    """Names for one line, the first few of many.

    >>> listed_names(["a.txt", "b.png", "c.doc"], 2)
    'a.txt, b.png and 1 more'
    """
    more = f" and {len(names) - n_named} more" if len(names) > n_named else ""
    return ", ".join(names[:n_named]) + more


def json_text(value: Any) -> str:
    """JSON that stdout can take, every character of it: escaped where it has to be."""
    text = json.dumps(value, ensure_ascii=not stdout_is_utf8(), allow_nan=False, indent=2)
    if encodable(text) != text:
        # Bytes of a path that are no characters: JSON has an escape for them, UTF-8 has not.
        text = json.dumps(value, allow_nan=False, indent=2)
    return text


def _plain(rejection: Rejection) -> dict[str, str]:
    return {
        "name": rejection.name,
        "code": rejection.error.code,
        "message": rejection.error.message,
    }


def _line(rejection: Rejection) -> str:
    # Many messages begin with the name already.
    message = " ".join(rejection.error.message.removeprefix(f"{rejection.name}: ").split())
    text = "" if message.lower() == rejection.error.code else f" ({rejection.error.code})"
    return f"{rejection.name}: {message}{text}"
