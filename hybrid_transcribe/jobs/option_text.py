"""Options written as text, in a terminal or in a form."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, get_args, get_type_hints

from hybrid_transcribe.core.telemetry import truth
from hybrid_transcribe.errors import InvalidOption
from hybrid_transcribe.messages import UserMessage, known_phrase
from hybrid_transcribe.types import Options

#: Types as people read them.
_KINDS = {bool: "yes or no", int: "a whole number", float: "a number", str: "text"}


def parse(name: str, text: str) -> Any:
    """An option's value from its text. Raises InvalidOption, which names the choices.

    >>> parse("beam_size", "5"), parse("temperature", "0,0.4"), parse("vad_filter", "yes")
    (5, (0.0, 0.4), True)
    """
    hints = get_type_hints(Options)
    if name not in hints:
        choices = ", ".join(f.name for f in fields(Options))
        raise InvalidOption(UserMessage("no_option", name=name, choices=choices))
    if name == "voices":
        return _voices(text)
    hint = hints[name]
    if type(None) in get_args(hint):
        (hint,) = (kind for kind in get_args(hint) if kind is not type(None))
    many = get_args(hint)
    try:
        if many:
            return tuple(_value(part, many[0]) for part in text.split(",") if part.strip())
        return _value(text, hint)
    except ValueError:
        label = f"{_KINDS[many[0]]}, or several with commas" if many else _KINDS[hint]
        raise InvalidOption(
            UserMessage("option_kind", option=name, value=repr(text), phrase=known_phrase(label))
        ) from None


def _voices(text: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in text.split(",") if part.strip())
    return {name.strip(): path.strip() for name, _, path in pairs}


def _value(text: str, kind: type) -> Any:
    if kind is str:
        return text
    value = truth(text) if kind is bool else kind(text.strip().lower())
    if value is None:
        raise ValueError(text)
    return value
