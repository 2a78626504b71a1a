"""Objects by the text ``"package.module:name"``, imported only when they are needed.

A lower layer that offers what a higher one does (`Transcript.save`, `Service.serve`) calls it
under a name. The package's root says which function stands for it, and no layer imports upward.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

_providers: dict[str, str] = {}


def load_object(target: str) -> Any:
    """The object that ``"package.module:name"`` stands for. Raises ImportError, AttributeError."""
    module, _, name = target.partition(":")
    return getattr(import_module(module), name)


def provide(name: str, target: str) -> None:
    """Let ``"package.module:name"`` do what lower layers call ``name``."""
    _providers[name] = target


def provider(name: str) -> Any:
    """What does ``name``, imported now. Raises KeyError where nothing was provided."""
    return load_object(_providers[name])
