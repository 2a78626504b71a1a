"""Where a line is shown: a terminal, a notebook's cell, a log, or nowhere."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Protocol, TextIO

from hybrid_transcribe.progress.render import ProgressLine

#: Shortest time between two lines of a log, in seconds. What ends sooner gets its last one only.
LINE_S = 3.0

#: Usual and least width of the bar, and width where a terminal does not tell, in columns.
BAR, LEAST_BAR, UNTOLD = 24, 6, 80

#: What is drawn instead where an encoding has no such character.
_PLAIN = str.maketrans({"·": "-", "×": "x", "…": "~"})


class ProgressOutput(Protocol):
    """Shows one line at a time."""

    def show(self, look: ProgressLine) -> None:
        """The line as it is now."""

    def last(self, look: ProgressLine) -> None:
        """The line that stays. Nothing follows it."""

    def close(self) -> None:
        """Leave what is shown as it is."""


@contextmanager
def display(file: TextIO | None) -> Iterator[ProgressOutput]:
    """What suits the file: None shows nothing."""
    progress_output: ProgressOutput
    if file is None:
        progress_output = _Nowhere()
    elif file in (sys.stderr, sys.stdout) and _in_notebook():
        progress_output = _Cell()
    elif _is_terminal(file):
        progress_output = _Terminal(file)
    else:
        progress_output = _Log(file)
    try:
        yield progress_output
    finally:
        progress_output.close()


def print_lines(lines: Iterable[str], file: TextIO | None) -> None:
    """Print lines, in letters that the file can take. One that is closed takes none."""
    if file is None:
        return
    with suppress(OSError, ValueError):
        for line in lines:
            print(_writable(line, file), file=file, flush=True)


class _Nowhere:
    def show(self, look: ProgressLine) -> None: ...

    def last(self, look: ProgressLine) -> None: ...

    def close(self) -> None: ...


class _Log:
    """Whole lines, few of them, for files and pipes."""

    def __init__(self, file: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._file, self._clock = file, clock
        self._due_at = clock() + LINE_S
        self._key: object = None

    def show(self, look: ProgressLine) -> None:
        if look.key != self._key and self._clock() >= self._due_at:
            self._key = look.key
            self._due_at = self._clock() + LINE_S
            self.last(look)

    def last(self, look: ProgressLine) -> None:
        print_lines([f"{look.before}: {look.after.strip()}"], self._file)

    def close(self) -> None: ...


class _Bar:
    """A bar of tqdm's: it draws the same on every terminal and in every notebook."""

    def __init__(self, file: TextIO | None) -> None:
        from tqdm.auto import tqdm

        # A terminal that tells no height would get nothing drawn.
        self._bar: Any = tqdm(total=100, file=file, leave=True, nrows=20, bar_format=" ")

    def show(self, look: ProgressLine) -> None:
        self._bar.n = look.percentage or 0.0
        self._bar.bar_format = self._format(look)
        self._bar.refresh()

    def last(self, look: ProgressLine) -> None:
        self.show(look)

    def close(self) -> None:
        self._bar.close()

    def _format(self, look: ProgressLine) -> str:
        return f"{_braced(look.before)} {{bar}} {_braced(look.after)}"


class _Cell(_Bar):
    """tqdm's widget."""

    def __init__(self) -> None:
        super().__init__(None)


class _Terminal(_Bar):
    """One line, as wide as it needs to be and never wider than the terminal."""

    def __init__(self, file: TextIO) -> None:
        super().__init__(file)
        self._file = file

    def _format(self, look: ProgressLine) -> str:
        from tqdm.utils import disp_len, disp_trim

        columns = self._bar.ncols = _columns(self._file)
        remaining, right = _writable(look.before, self._file), _writable(look.after, self._file)
        room = columns - disp_len(right) - 4
        if disp_len(remaining) > room - LEAST_BAR:
            remaining = _writable(
                disp_trim(remaining, max(1, room - LEAST_BAR - 1)) + "…", self._file
            )
        bar = max(1, min(BAR, room - disp_len(remaining)))
        return f"{_braced(remaining)}  {{bar:{bar}}} {_braced(right)}"


def _columns(file: TextIO) -> int:
    # One less than there are: a full line wraps on some terminals.
    with suppress(OSError, ValueError):
        return (os.get_terminal_size(file.fileno()).columns or UNTOLD) - 1
    return UNTOLD - 1


def _is_terminal(file: TextIO) -> bool:
    with suppress(OSError, ValueError, AttributeError):
        return file.isatty() and os.environ.get("TERM") != "dumb"
    return False


def _in_notebook() -> bool:
    """True where tqdm will show a widget. Asks IPython only if somebody imported it."""
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None or not hasattr(shell, "kernel"):
        return False
    from tqdm.auto import tqdm
    from tqdm.notebook import tqdm as widget

    return issubclass(tqdm, widget)


def _writable(text: str, file: TextIO) -> str:
    encoding = getattr(file, "encoding", None) or "utf-8"
    try:
        text.encode(encoding)
    except UnicodeError:
        return text.translate(_PLAIN).encode(encoding, "replace").decode(encoding)
    return text


def _braced(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")
