"""Finding, fetching, checking and removing the files of models.

`resolve` turns a model's name into a folder; `listing`, `get` and `remove` manage what is
here. Nothing in this folder loads a model or imports an engine.
"""

from hybrid_transcribe.models.catalogue import is_name, known_names
from hybrid_transcribe.models.manage import Freed, Installed, get, listing, remove
from hybrid_transcribe.models.resolve import check, resolve, unjoined

__all__ = [
    "Freed",
    "Installed",
    "check",
    "get",
    "is_name",
    "known_names",
    "listing",
    "remove",
    "resolve",
    "unjoined",
]
