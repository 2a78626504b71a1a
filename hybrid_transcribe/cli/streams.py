"""The command's standard streams: closed ones, narrow ones, and what they could not take."""

from __future__ import annotations

import codecs
import io
import os
import sys
from collections.abc import Callable
from typing import Any

from hybrid_transcribe.cli.exits import FAILED, READER_GONE, say

#: The name of our handler of encoding errors.
_HANDLER = "hybrid_transcribe.count"

#: How many characters a warning names.
_N_NAMED = 5

#: What does not fit into stdout's encoding, in the order met.
_lost: dict[str, None] = {}


class _Closed(io.TextIOBase):
    """Stands for a stdout that was closed before the command began."""

    encoding = "utf-8"

    def __init__(self) -> None:
        self.n_written = 0

    def write(self, text: str) -> int:
        self.n_written += len(text)
        return len(text)


def prepare() -> None:
    """Make the streams safe to write to, whatever they are.

    A character that stderr cannot show becomes a question mark. For stdout that is counted, see
    `finish`; bytes of a file's name that are no characters are written as they are.
    """
    _lost.clear()
    _occupy_descriptors()
    if sys.stdout is None:
        sys.stdout = _Closed()
    if sys.stderr is None:
        sys.stderr = _Closed()
    codecs.register_error(_HANDLER, _replace)
    for stream, errors in ((sys.stdout, _HANDLER), (sys.stderr, "replace")):
        reconfigure: Any = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors=errors)


def stdout_is_closed() -> bool:
    """True where nothing that is printed goes anywhere."""
    return isinstance(sys.stdout, _Closed)


def stdout_is_utf8() -> bool:
    """True where every character can be printed."""
    try:
        return codecs.lookup(sys.stdout.encoding or "ascii").name == "utf-8"
    except LookupError:
        return False


def finish(code: int) -> int:
    """The exit code of a command that ended with ``code``, once stdout has taken everything.

    Says on stderr what stdout did not take: `READER_GONE` where its reader went away, `FAILED`
    where it was closed or full, or where a file or pipe lacks characters of the text.
    """
    code = write_out(lambda: sys.stdout.flush()) or code
    if isinstance(sys.stdout, _Closed) and sys.stdout.n_written:
        say("hybrid-transcribe: stdout is closed, so that nothing could be printed")
        return code or FAILED
    if _lost:
        say(f"warning: {_lost_characters()}")
        # What a terminal cannot draw is only not seen; what a file lacks is gone.
        return code if _is_terminal() else code or FAILED
    return code


def write_out(write: Callable[[], object]) -> int:
    """Call ``write``, which writes to stdout; the exit code where it cannot, else 0."""
    try:
        write()
    except BrokenPipeError:
        _discard_stdout()
        return READER_GONE
    except (OSError, ValueError) as error:
        _discard_stdout()
        say(f"hybrid-transcribe: stdout cannot be written: {error}")
        return FAILED
    return 0


def _occupy_descriptors() -> None:
    """Open the null device in place of standard descriptors that are closed.

    Otherwise the next file opened gets their number, and whatever a library prints goes into it.
    """
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            # The lowest number that is free, which is this one.
            os.open(os.devnull, os.O_RDONLY if descriptor == 0 else os.O_WRONLY)


def _replace(error: UnicodeError) -> tuple[str | bytes, int]:
    """The first character that an encoding lacks: a question mark, or the byte it stands for."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    character = error.object[error.start]
    # As Python reads file names that are not valid text (PEP 383).
    if "\udc80" <= character <= "\udcff":
        return bytes([ord(character) - 0xDC00]), error.start + 1
    _lost[character] = None
    return "?", error.start + 1


def _lost_characters() -> str:
    named = ", ".join(f"{c} (U+{ord(c):04X})" for c in list(_lost)[:_N_NAMED])
    more = f" and {len(_lost) - _N_NAMED} more" if len(_lost) > _N_NAMED else ""
    encoding = sys.stdout.encoding or "unknown"
    return (
        f"the encoding of stdout ({encoding}) lacks characters of the text, which became '?': "
        f"{named}{more}. PYTHONIOENCODING=utf-8 prints all of them, --output-dir writes UTF-8 files"
    )


def _is_terminal() -> bool:
    try:
        return sys.stdout.isatty()
    except (OSError, ValueError):
        return False


def _discard_stdout() -> None:
    """Have what is left in the buffer go nowhere, and not be tried again at exit."""
    try:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, sys.stdout.fileno())
        os.close(nowhere)
    except (OSError, ValueError):
        # A stream without a descriptor keeps nothing back.
        pass
