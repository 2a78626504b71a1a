"""The catalogues: one JSON file a language, code to text, and what other packages add to them.

A text has blanks, ``{name}``, with a format where it needs one: ``{name!r}`` in quotes,
``{seconds:.1f}`` with so many decimals, ``{limit:g}`` with as many as it has. In place of one text
there may be plural forms, ``{"one": …, "other": …}``, chosen by the parameter ``count``.

Keys that begin with ``@`` describe the language: ``@name`` in itself, ``@decimal`` and
``@group`` signs of its figures, ``@one`` the counts that take the form ``one``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

#: A text, or its plural forms by CLDR's names.
Text = str | Mapping[str, str]

DEFAULT_LANGUAGE = "en"

#: The group of entry points; each stands for a mapping of languages to code to text.
GROUP = "hybrid_transcribe.messages"

FOLDER = Path(__file__).parent

_registered: dict[str, dict[str, Text]] = {}

_BLANK = re.compile(r"\{(\w+)(!r)?(?::(\.\d+f|(?:\.\d+)?g))?\}")


@lru_cache(maxsize=1)
def _own_languages() -> tuple[str, ...]:
    """Ours, English first."""
    stems = (path.stem for path in FOLDER.glob("*.json"))
    return tuple(sorted(stems, key=lambda stem: (stem != DEFAULT_LANGUAGE, stem)))


@lru_cache
def _own(language: str) -> dict[str, Any]:
    if language not in _own_languages():
        return {}
    texts: dict[str, Any] = json.loads((FOLDER / f"{language}.json").read_text(encoding="utf-8"))
    return texts


@lru_cache(maxsize=1)
def _outside() -> dict[str, dict[str, Text]]:
    """What installed packages bring."""
    texts: dict[str, dict[str, Text]] = {}
    for point in sorted(metadata.entry_points(group=GROUP), key=lambda point: point.name):
        for language, of_package in point.load().items():
            texts.setdefault(language, {}).update(of_package)
    return texts


def register(texts: Mapping[str, Mapping[str, Text]]) -> None:
    """Add texts of a plug-in: language to code to text. Ours win over those of the same code.

    >>> register({"en": {"mine.cold": "The model {name!r} is cold."}})
    >>> catalogue("en")["mine.cold"]
    'The model {name!r} is cold.'
    """
    for language, of_language in texts.items():
        _registered.setdefault(language, {}).update(of_language)


def catalogues() -> dict[str, dict[str, Text]]:
    """Every language's texts by code, ours and those of plug-ins; English first."""
    codes = dict.fromkeys((*_own_languages(), *_outside(), *_registered))
    return {language: catalogue(language) for language in codes}


def catalogue(language: str) -> dict[str, Text]:
    """One language's texts by code; none for a language that nobody wrote."""
    others = {**_outside().get(language, {}), **_registered.get(language, {})}
    return {**others, **_own(language)}


def text_of(code: str, language: str) -> Text | None:
    """The text of a code in a language, None where nobody wrote it."""
    for texts in (_own(language), _registered.get(language, {})):
        if (text := texts.get(code)) is not None:
            return text
    return _outside().get(language, {}).get(code)


def languages() -> dict[str, str]:
    """The languages that are complete enough to have a name: code to name in itself."""
    return {code: str(t["@name"]) for code, t in catalogues().items() if "@name" in t}


def preferred_language(ranked: Iterable[str]) -> str:
    """The first of some language tags that there is a catalogue for, else English.

    >>> preferred_language(["fr", "pt"]), preferred_language(["en-GB"]), preferred_language([])
    ('pt-BR', 'en', 'en')
    """
    available = tuple(languages())
    for tag in ranked:
        for same in (tag.lower(), tag.lower().partition("-")[0]):
            for language in available:
                if same in (language.lower(), language.lower().partition("-")[0]):
                    return language
    return DEFAULT_LANGUAGE


def fill(text: Text, params: Mapping[str, Any], language: str) -> str:
    """A text with its blanks filled as the language writes figures.

    >>> fill("{name!r}: {n:.1f} s of {most:g}", {"name": "a", "n": 3, "most": 2.5}, "en")
    "'a': 3.0 s of 2.5"
    """
    if not isinstance(text, str):
        form = "one" if params.get("count") in _meta(language, "@one", [1]) else "other"
        text = text.get(form, text["other"])
    return _BLANK.sub(lambda blank: _value(params[blank[1]], blank[2], blank[3], language), text)


def blanks(text: Text) -> set[str]:
    """The blanks of a text and of all its forms, with their formats.

    >>> sorted(blanks({"one": "{count} file", "other": "{count} files in {name!r}"}))
    ['{count}', '{name!r}']
    """
    forms = [text] if isinstance(text, str) else text.values()
    return {blank[0] for form in forms for blank in _BLANK.finditer(form)}


def _meta(language: str, key: str, otherwise: Any) -> Any:
    value = text_of(key, language)
    return otherwise if value is None else value


def _value(value: Any, quoted: str | None, spec: str | None, language: str) -> str:
    if isinstance(value, (list, tuple)):
        return ", ".join(_value(item, quoted, spec, language) for item in value)
    if quoted:
        return repr(str(value))
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return str(value)
    if language == DEFAULT_LANGUAGE:
        return format(value, spec or "")
    grouped = format(value, f",{spec or ''}")
    signs = {",": _meta(language, "@group", ","), ".": _meta(language, "@decimal", ".")}
    return re.sub("[,.]", lambda sign: signs[sign[0]], grouped)
