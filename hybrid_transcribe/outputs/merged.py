"""The text of a whole job in one piece."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from hybrid_transcribe.core.names import display_name
from hybrid_transcribe.outputs._text import one_line, reading_text
from hybrid_transcribe.types import Rejection, Transcript


def merged_text(transcripts: Iterable[Transcript], errors: Sequence[Rejection] = ()) -> str:
    """A single recording's text alone; of several, each under a line with its name, in order.

    ``errors`` are the recordings that failed or were rejected: they count as recordings, and
    each comes after the transcripts with one line that says why it has no text.
    """
    parts = [(_heading(t), reading_text(t)) for t in transcripts]
    if len(parts) == 1 and not errors:
        return _ended(parts[0][1])
    parts += [(f"# {display_name(e.name)}", f"[{error_line(e)}]") for e in errors]
    return _ended("\n\n".join(f"{heading}\n\n{text}".rstrip() for heading, text in parts))


def error_line(rejection: Rejection) -> str:
    """``code: message`` on one line.

    >>> from hybrid_transcribe.types import ErrorInfo
    >>> error_line(Rejection("a.wav", ErrorInfo("no_audio", "a.wav has no audio stream")))
    'no_audio: a.wav has no audio stream'
    """
    return one_line(f"{rejection.error.code}: {rejection.error.message}")


def _heading(transcript: Transcript) -> str:
    partial = "" if transcript.complete else " (partial)"
    return f"# {display_name(transcript.name)}{partial}"


def _ended(text: str) -> str:
    return f"{text}\n" if text else ""
