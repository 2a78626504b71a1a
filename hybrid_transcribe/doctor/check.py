"""What a look at something found."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import metadata

#: This package as installers know it.
PACKAGE = "hybrid-transcribe"

#: Extras that are other extras together, or for those who develop.
_NOT_FOR_PEOPLE = {"all", "test", "dev"}


@dataclass(frozen=True, slots=True)
class Check:
    """One thing looked at.

    Attributes:
        ok: None where it does not matter, as an extra that is not installed.
        hint: what to do about it, empty where nothing is to be done.
        needed: nothing can be transcribed without it.
    """

    name: str
    ok: bool | None
    detail: str
    hint: str = ""
    needed: bool = False


def extra_names() -> list[str]:
    """The extras that this package offers to people."""
    try:
        names = metadata.metadata(PACKAGE).get_all("Provides-Extra") or []
    except metadata.PackageNotFoundError:
        return []
    return [name for name in names if name not in _NOT_FOR_PEOPLE]
