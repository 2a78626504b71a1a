"""Names people gave to files, made safe to show and to write.

Uploaded files are stored under random names; these functions only serve what people read
and the names inside the zips they download.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Container

#: Longest name kept, in characters: any file system takes it with a suffix added.
MAX_NAME = 120

_FORBIDDEN = set('<>:"/\\|?*')

# Windows opens devices by these names, whatever the extension.
_DEVICES = {"con", "prn", "aux", "nul"} | {f"{d}{n}" for d in ("com", "lpt") for n in range(1, 10)}


def new_id() -> str:
    """A random identifier of 128 bits, as 32 hexadecimal digits."""
    return secrets.token_hex(16)


def display_name(name: str, fallback: str = "recording") -> str:
    """The last part of a path, without characters that hide, reorder or break text.

    >>> display_name("../../etc/pass\\x00wd")
    'passwd'
    >>> display_name("C:\\\\Users\\\\ana\\\\reunião.wav")
    'reunião.wav'
    """
    last = name.replace("\\", "/").rstrip("/").rsplit("/", 1)[-1]
    # Categories C*: control, format (with the right-to-left overrides), surrogates, unassigned.
    # Zl and Zp end a line in what would otherwise be one.
    kept = "".join(
        c
        for c in last
        if unicodedata.category(c)[0] != "C" and unicodedata.category(c) not in ("Zl", "Zp")
    ).strip()
    if kept.strip(". ") == "":
        return fallback
    return _shorten(kept)


def file_stem(name: str, fallback: str = "recording") -> str:
    """A display name without its extension, safe as a file name on every system."""
    shown = display_name(name, fallback)
    stem = shown.rsplit(".", 1)[0] if "." in shown.strip(".") else shown
    safe = "".join("_" if c in _FORBIDDEN else c for c in stem).strip(". ") or fallback
    return f"_{safe}" if safe.split(".")[0].lower() in _DEVICES else safe


def unique(stem: str, taken: Container[str], suffix: str = "") -> str:
    """``stem + suffix``, or ``stem (2) + suffix``… so that its lower case is not in ``taken``.

    Case does not count, since some file systems ignore it.
    """
    candidate, n = f"{stem}{suffix}", 1
    while candidate.lower() in taken:
        n += 1
        candidate = f"{stem} ({n}){suffix}"
    return candidate


def _shorten(name: str) -> str:
    if len(name) <= MAX_NAME:
        return name
    stem, dot, extension = name.rpartition(".")
    if not dot or len(extension) > 10:
        return name[: MAX_NAME - 1] + "…"
    return stem[: MAX_NAME - len(extension) - 2] + "…." + extension
