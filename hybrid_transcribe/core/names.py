"""Names people gave to files, made safe to show and to write.

Uploaded files are stored under random names; these functions only serve what people read
and the names inside the zips they download.
"""

from __future__ import annotations

import os
import re
import secrets
import unicodedata
from collections.abc import Container
from pathlib import Path

#: Longest name kept, in characters.
MAX_NAME = 120

#: Longest name kept, in bytes of UTF-8: file systems take 255, the rest is for ``" (2).json"``.
MAX_NAME_BYTES = 240

_FORBIDDEN = set('<>:"/\\|?*')

# Letters and symbols by their category, yet drawn as nothing: Hangul fillers, Braille blank…
_INVISIBLE = set("\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\u034f")

# Windows opens devices by these names, whatever the extension, and takes ¹ ² ³ for digits.
_DEVICES = {"con", "prn", "aux", "nul", "conin$", "conout$"} | {
    f"{device}{digit}" for device in ("com", "lpt") for digit in "0123456789¹²³"
}

_EXTENSION = re.compile(r"(?<=[^.])\.[A-Za-z0-9]{1,10}\Z")


def user_path(path: str | os.PathLike[str]) -> Path:
    """A path as people write it, ``~`` being their home; a name that begins with it is a name.

    >>> user_path("~no such user.wav").name
    '~no such user.wav'
    """
    literal = Path(path)
    if os.path.lexists(literal):
        return literal
    try:
        return literal.expanduser()
    except RuntimeError:
        # No user is called that.
        return literal


def new_id() -> str:
    """A random identifier of 128 bits, as 32 hexadecimal digits."""
    return secrets.token_hex(16)


def display_name(name: str, fallback: str = "recording") -> str:
    """The last part of a path, without characters that hide, reorder or break text.

    At most `MAX_NAME` characters and `MAX_NAME_BYTES` bytes, in Unicode's composed form.

    >>> display_name("../../etc/pass\\x00wd")
    'passwd'
    >>> display_name("C:\\\\Users\\\\ana\\\\reunião.wav")
    'reunião.wav'
    """
    last = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    kept = unicodedata.normalize("NFC", "".join(map(_visible, last))).strip()
    if not any(unicodedata.category(c)[0] in "LNPS" and c != "." for c in kept):
        return fallback
    return _shorten(kept)


def file_stem(name: str, fallback: str = "recording") -> str:
    """A display name without its extension, safe as a file name on every system.

    Only what looks like an extension goes.

    >>> file_stem("Dr. Silva: entrevista.m4a")
    'Dr. Silva_ entrevista'
    """
    stem = _EXTENSION.sub("", display_name(name, fallback))
    safe = "".join("_" if c in _FORBIDDEN else c for c in stem).strip(". ") or fallback
    return f"_{safe}" if safe.split(".")[0].strip().lower() in _DEVICES else safe


def with_note(name: str, note: str) -> str:
    """A display name with a note before its extension.

    >>> with_note("film.mkv", "track 2")
    'film (track 2).mkv'
    """
    extension = _EXTENSION.search(name)
    suffix = extension[0] if extension else ""
    stem, end = name.removesuffix(suffix), f" ({note}){suffix}"
    while stem and not _fits(stem + end):
        stem = stem[:-1]
    return stem.rstrip() + end


def folded(name: str) -> str:
    """What two names have in common that some file system takes for one.

    Case does not count, nor how accents are composed.

    >>> folded("TALK.txt") == folded("talk.TXT")
    True
    """
    # Upper case first: some systems compare that, and there "ſ" is an "s".
    return unicodedata.normalize("NFC", name.upper().casefold())


def unique(stem: str, taken: Container[str], suffix: str = "") -> str:
    """``stem + suffix``, or ``stem (2) + suffix``… whose `folded` form is not in ``taken``."""
    candidate, n = f"{stem}{suffix}", 1
    while folded(candidate) in taken:
        n += 1
        candidate = f"{stem} ({n}){suffix}"
    return candidate


class UniqueNames:
    """Hands out names, each once; ten thousand equal ones cost no more than as many different.

    >>> names = UniqueNames()
    >>> [names.take("talk", ".txt"), names.take("Talk", ".txt")]
    ['talk.txt', 'Talk (2).txt']
    """

    def __init__(self) -> None:
        self._taken: set[str] = set()
        self._next: dict[str, int] = {}
        # Folded stem to the extension of the first that had it.
        self._extensions: dict[str, str] = {}

    def take_for(self, name: str, suffix: str = "") -> str:
        """A file's name for what came from the file ``name``, not handed out before.

        Of one stem, another extension than the first one's is kept, to tell them apart.

        >>> names = UniqueNames()
        >>> [names.take_for(n, ".txt") for n in ("talk.wav", "talk.mp3", "other/talk.wav")]
        ['talk.txt', 'talk.mp3.txt', 'talk (2).txt']
        """
        stem = file_stem(name)
        match = _EXTENSION.search(display_name(name))
        extension = match[0] if match else ""
        first = self._extensions.setdefault(folded(stem), extension)
        return self.take(stem if extension.lower() == first.lower() else stem + extension, suffix)

    def take(self, stem: str, suffix: str = "") -> str:
        """``stem + suffix``, or ``stem (2) + suffix``…, not handed out before."""
        key = folded(stem + suffix)
        n = self._next.get(key, 1)
        candidate = f"{stem}{suffix}" if n == 1 else f"{stem} ({n}){suffix}"
        while folded(candidate) in self._taken:
            n += 1
            candidate = f"{stem} ({n}){suffix}"
        self._next[key] = n + 1
        self._taken.add(folded(candidate))
        return candidate


def _visible(character: str) -> str:
    category = unicodedata.category(character)
    if category == "Zs":
        return " "
    # Categories C*: control, format (with the right-to-left overrides), surrogates, unassigned.
    # Zl and Zp end a line in what would otherwise be one.
    hidden = category[0] == "C" or category in ("Zl", "Zp") or character in _INVISIBLE
    return "" if hidden else character


def _fits(name: str) -> bool:
    return len(name) <= MAX_NAME and len(name.encode()) <= MAX_NAME_BYTES


def _shorten(name: str) -> str:
    if _fits(name):
        return name
    extension = _EXTENSION.search(name)
    end = "…" + (extension[0] if extension else "")
    stem = name[: MAX_NAME - len(end)]
    while not _fits(stem + end):
        stem = stem[:-1]
    return stem.rstrip() + end
