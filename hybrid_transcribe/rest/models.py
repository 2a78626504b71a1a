"""Which models a client may name: those that are registered, never a file of this machine.

A checkpoint may be a pickle, which runs code when it is opened, and an id makes this machine
fetch gigabytes: so strangers choose among the names there are, and the owner of a private
kernel may also name an id of the hub.
"""

from __future__ import annotations

from pathlib import Path

from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import UnknownModel
from hybrid_transcribe.jobs.request import engine_class
from hybrid_transcribe.models import is_name, known_names
from hybrid_transcribe.models.catalogue import entry_for


def check_model(engine: object, model: object, settings: Settings, *, owner: bool = False) -> None:
    """Raise UnknownModel for a model that nobody may ask for over HTTP, UnknownEngine.

    Both are as they came; None is the server's own choice.
    """
    if model is None or model == settings.model:
        return
    model = str(model)
    can = engine_class(str(engine or settings.engine), settings).capabilities
    if can.model_layout is None or model == can.default_model or entry_for(model) is not None:
        # Without files the engine itself knows its names.
        return
    if owner and is_name(model) and not Path(model).exists():
        return
    raise UnknownModel(model, known_names())
