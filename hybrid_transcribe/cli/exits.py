"""What a command answers with: its exit code, and one readable line when something is wrong."""

from __future__ import annotations

import os
import sys
import traceback
from contextlib import suppress
from typing import TextIO

from hybrid_transcribe.core.columns import wrapped
from hybrid_transcribe.core.telemetry import truth
from hybrid_transcribe.errors import HybridTranscribeError, InputError, InvalidRequest

#: Exit codes; after a signal it is 128 and the signal's number.
FINE, FAILED, USAGE, UNEXPECTED, READER_GONE = 0, 1, 2, 3, 141

EPILOG = """\
exit codes:
  0    all is well
  1    something failed: some or all recordings, or a model that cannot be had;
       what succeeded is written, each failure has its line on stderr
  2    wrong usage, or none of the inputs can be used: nothing was done
  3    something unexpected; HYBRID_TRANSCRIBE_DEBUG=1 shows where
  130  interrupted (Ctrl-C), 143 terminated: what was finished is written
  141  the reader of the output went away
"""


#: Width where a terminal does not tell, in columns.
UNTOLD = 80


def debugging() -> bool:
    """True when a person asked for tracebacks and logs."""
    names = ("HYBRID_TRANSCRIBE_DEBUG", "DEBUG")
    return any(truth(os.environ.get(n, "")) for n in names)


def say(text: str) -> None:
    """One line on stderr, wrapped in a terminal. One that is closed takes none."""
    # Where nobody listens, what was to be done matters more than what was to be said.
    with suppress(OSError, ValueError):
        lines = wrapped(text, terminal_width(sys.stderr) or len(text), "  ")
        print("\n".join(lines), file=sys.stderr, flush=True)


def terminal_width(stream: TextIO) -> int | None:
    """How wide a line may be; None where it is no terminal."""
    with suppress(OSError, ValueError, AttributeError):
        if stream.isatty():
            # One less than there are: a full line wraps on some terminals.
            return (os.get_terminal_size(stream.fileno()).columns or UNTOLD) - 1
    return None


def explain(error: BaseException) -> int:
    """Say what went wrong and give the exit code for it."""
    if debugging():
        traceback.print_exception(error)
    if isinstance(error, HybridTranscribeError):
        say(f"hybrid-transcribe: {error} ({error.code})")
        return USAGE if isinstance(error, InvalidRequest | InputError) else FAILED
    if isinstance(error, OSError):
        say(f"hybrid-transcribe: {error}")
        return FAILED
    say(f"hybrid-transcribe: something unexpected happened: {type(error).__name__}: {error}")
    if not debugging():
        say("HYBRID_TRANSCRIBE_DEBUG=1 shows where.")
    return UNEXPECTED
