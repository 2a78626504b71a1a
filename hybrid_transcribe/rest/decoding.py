"""Queries and bodies as typed structs, with errors that name the value and what it may be."""

from __future__ import annotations

from collections.abc import Mapping
from types import UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec

from hybrid_transcribe.core.telemetry import truth
from hybrid_transcribe.errors import InvalidRequest
from hybrid_transcribe.messages import UserMessage, known_phrase

_S = TypeVar("_S", bound=msgspec.Struct)

#: Types as people read them.
_KINDS = {bool: "true or false", int: "a whole number", float: "a number", str: "text"}
_LISTS = {dict: "a JSON object", list: "a list of ids"}


def decode_query(cls: type[_S], arguments: Mapping[str, str]) -> _S:
    """The fields of an address; what is empty counts as not there. Raises InvalidRequest."""
    hints = _hints(cls)
    texts = {name: arguments[name].strip() for name in hints if arguments.get(name, "").strip()}
    return cls(**{name: _of_text(name, text, hints[name]) for name, text in texts.items()})


def decode_fields(cls: type[_S], values: Mapping[str, Any], *more: str) -> _S:
    """The fields of a JSON object. Raises InvalidRequest, also for a field that is not there.

    ``more`` are names that are taken elsewhere.
    """
    hints = _hints(cls)
    for name in values:
        if name not in hints:
            choices = ", ".join((*more, *hints))
            raise InvalidRequest(UserMessage("no_field", name=name[:80], choices=choices))
    return cls(**{name: _checked(name, value, hints[name]) for name, value in values.items()})


def json_object(body: bytes) -> dict[str, Any]:
    """What a body says; none is as good as an empty one. Raises InvalidRequest."""
    try:
        value = msgspec.json.decode(body) if body else {}
    except (msgspec.DecodeError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise InvalidRequest(UserMessage("body_object"))
    return value


def _hints(cls: type) -> dict[str, Any]:
    return get_type_hints(cls, include_extras=True)


def _of_text(name: str, text: str, kind: Any) -> Any:
    value: Any = truth(text) if _plain(kind) is bool else text
    if value is None:
        raise _invalid(name, text, kind)
    return _checked(name, value, kind, text=True)


def _checked(name: str, value: Any, kind: Any, *, text: bool = False) -> Any:
    try:
        return msgspec.convert(value, kind, strict=not text)
    except msgspec.ValidationError:
        raise _invalid(name, value, kind) from None


def _invalid(name: str, value: Any, kind: Any) -> InvalidRequest:
    plain = _plain(kind)
    choices = _KINDS.get(plain) or _LISTS.get(get_origin(plain) or plain)
    return InvalidRequest(
        UserMessage("field_kind", name=name, value=repr(value)[:80], kind=known_phrase(choices))
    )


def _plain(kind: Any) -> Any:
    """A type without None and what else is said of it."""
    if get_origin(kind) in (Union, UnionType):
        (kind,) = (item for item in get_args(kind) if item is not type(None))
    return kind.__origin__ if hasattr(kind, "__metadata__") else kind
