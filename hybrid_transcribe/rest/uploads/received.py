"""What one request brought."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hybrid_transcribe.core import names


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file that was sent.

    Attributes:
        name: what its sender calls it, as it came: to be judged, never part of a path.
        path: where it lies, under a random name.
        field: the form's field that brought it; empty for a body that is one file.
    """

    name: str
    path: Path
    size_bytes: int
    field: str = ""

    @property
    def display_name(self) -> str:
        """The name made fit to be display_name."""
        return names.display_name(self.name)


@dataclass(frozen=True, slots=True)
class Received:
    """Everything of a request's body; its files belong to whoever holds this.

    Attributes:
        fields: each name with its values, in the order sent.
        uploads: in the order sent.
        json: what a JSON body said, None without one.
    """

    fields: Mapping[str, tuple[str, ...]]
    uploads: tuple[ReceivedFile, ...]
    json: Any | None = None

    def discard(self) -> None:
        """Delete the files. Those that somebody took or deleted before do not matter."""
        for upload in self.uploads:
            upload.path.unlink(missing_ok=True)
