"""What was really said, as people have it: a text, a file, a folder of files, a mapping."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from hybrid_transcribe.core.names import user_path
from hybrid_transcribe.errors import InvalidRequest
from hybrid_transcribe.messages import UserMessage, known_phrase

#: A text or a file of it; a folder with ``<name>.txt`` for each recording; or names to texts.
Reference = str | os.PathLike[str] | Mapping[str, str]

#: Suffixes that make a text the name of a file, and those of files that are no plain text.
_PLAIN = (".txt", ".text", ".md")
_NOT_PLAIN = (".srt", ".vtt", ".tsv", ".csv", ".json", ".docx", ".pdf")

#: Longest text that may be the name of a file, in characters.
_LONGEST_NAME = 1000


class References:
    """Texts by recording, from what was given. Files are read at once. Raises InvalidRequest."""

    def __init__(self, reference: Reference | None) -> None:
        self._single: str | None = None
        self._texts: dict[str, str] = {}
        self._strict = isinstance(reference, Mapping)
        if isinstance(reference, Mapping):
            self._texts = {str(name): str(text) for name, text in reference.items()}
        elif reference is not None:
            self._take(reference)

    def _take(self, value: str | os.PathLike[str]) -> None:
        path = _as_path(value)
        if path is None:
            self._single = str(value)
        elif path.is_dir():
            self._texts = {p.stem: _read(p) for p in sorted(path.glob("*.txt"))}
            if not self._texts:
                raise InvalidRequest(UserMessage("references_none", path=path))
        else:
            self._single = _read(path)

    def check(self, names: tuple[str, ...]) -> None:
        """Raise InvalidRequest where they cannot be those of these recordings."""
        if self._single is not None and len(names) > 1:
            raise InvalidRequest(UserMessage("reference_one", count=len(names)))
        is_known = {*names, *(Path(name).stem for name in names)}
        strange = [name for name in self._texts if name not in is_known]
        # A folder may hold more than is compared today, but not only that.
        if strange and (self._strict or len(strange) == len(self._texts)):
            raise InvalidRequest(UserMessage("reference_strange", name=strange[0], names=names))

    def of(self, name: str) -> str | None:
        """The text of a recording, by its name or its name without the suffix."""
        if self._single is not None:
            return self._single
        return self._texts.get(name, self._texts.get(Path(name).stem))


def _as_path(value: str | os.PathLike[str]) -> Path | None:
    """The file or folder that is meant, or None for a text."""
    if not isinstance(value, str):
        path = user_path(value)
        if not path.exists():
            raise InvalidRequest(UserMessage("no_reference", path=path))
        return path
    if "\n" in value or len(value) > _LONGEST_NAME or "\0" in value:
        return None
    path = user_path(value)
    try:
        if value.strip() and path.exists():
            return path
    except OSError:
        # Too long for a name on this system.
        return None
    # A mistyped name must not be taken for what was said.
    if path.suffix.lower() in _PLAIN + _NOT_PLAIN:
        raise InvalidRequest(UserMessage("no_reference", path=repr(value)))
    return None


def _read(path: Path) -> str:
    if path.suffix.lower() in _NOT_PLAIN:
        raise InvalidRequest(UserMessage("reference_not_plain", path=path))
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidRequest(UserMessage("reference_not_utf8", path=path)) from None
    except OSError as error:
        raise InvalidRequest(
            UserMessage("reference_unreadable", path=path, why=known_phrase(error.strerror))
        ) from None
