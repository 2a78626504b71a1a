"""What a class says of itself and of its fields."""

from __future__ import annotations

import inspect
import re

# "engine, model: text", indented by four under "Attributes:".
_FIELD = re.compile(r"^    (\w+(?:, \w+)*): (.*)$")


def head(cls: type) -> str:
    """Its docstring up to the fields, each paragraph on a line."""
    text, _, _ = inspect.cleandoc(cls.__doc__ or "").partition("\nAttributes:")
    return "\n\n".join(_plain(part) for part in text.split("\n\n") if part.strip())


def attributes(cls: type) -> dict[str, str]:
    """What it and its bases say of each field, as a sentence; the others are not there.

    >>> from hybrid_transcribe.types import Options
    >>> attributes(Options)["beam_size"]
    'Hypotheses kept while decoding; 1 is greedy and fastest.'
    """
    mapping: dict[str, str] = {}
    for base in reversed(cls.__mro__):
        mapping |= _own_attributes(base.__doc__ or "")
    return mapping


def _own_attributes(doc: str) -> dict[str, str]:
    _, _, text = inspect.cleandoc(doc).partition("\nAttributes:\n")
    mapping: dict[str, str] = {}
    names: list[str] = []
    for line in text.splitlines():
        match = _FIELD.match(line)
        if match:
            names = match[1].split(", ")
        for name in names:
            mapping[name] = f"{mapping.get(name, '')} {match[2] if match else line.strip()}"
    return {name: _sentence(_plain(said)) for name, said in mapping.items()}


def _plain(text: str) -> str:
    """One line in Markdown, which knows single backticks for code."""
    return " ".join(text.replace("``", "`").split())


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith(".") else ".")
