"""Finding, fetching, checking and removing the files of models.

`resolve` turns a model's name into files; `listing`, `get` and `remove` manage what is here,
`manage.convert` rewrites it for another engine, and `stage_models` has those of a stage after the
engine. Nothing in this folder loads a model or
imports an engine.
"""

from hybrid_transcribe.models.catalogue import is_name, known_names
from hybrid_transcribe.models.manage import Freed, Installed, get, listing, remove
from hybrid_transcribe.models.resolve import check, resolve, stage_models, unmade

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
    "stage_models",
    "unmade",
]
