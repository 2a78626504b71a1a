"""A sentence for people that remembers its code and parameters."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from hybrid_transcribe.messages.catalogue import (
    DEFAULT_LANGUAGE,
    catalogue,
    fill,
    text_of,
)

#: Beginnings of the codes of phrases, which are known by their English text.
PHRASES = ("why_", "what_", "state_", "word_", "kind_")


@dataclass(frozen=True, slots=True)
class MessageInfo:
    """A message as plain data: what crosses process borders, the journal and the wire.

    Attributes:
        code: its key in the catalogues; empty where only the text is known.
        params: JSON values of the blanks. A message within it is such an object itself.
        text: the English text, for readers who do not know the code.
    """

    code: str = ""
    params: dict[str, Any] = field(default_factory=dict, hash=False)
    text: str = ""


class UserMessage(str):
    """The English text of a code, as a ``str``, with what other languages are made from.

    As ``zope.i18nmessageid.Message``, it can stand wherever a text can. Parameters are texts,
    figures, messages and sequences of these; anything else is taken by its ``str``.

    Raises KeyError for a code without an English text, and for a blank without a parameter.

    >>> UserMessage("service_closed").code
    'service_closed'
    """

    __slots__ = ("code", "params")
    code: str
    params: Mapping[str, Any]

    def __new__(cls, code: str, /, **params: Any) -> UserMessage:
        text = text_of(code, DEFAULT_LANGUAGE)
        if text is None:
            raise KeyError(f"No English text of {code!r}: add it to the catalogue, or register it")
        values = {name: _param(value) for name, value in params.items()}
        return cls.restored(fill(text, values, DEFAULT_LANGUAGE), code, values)

    @classmethod
    def restored(cls, text: str, code: str, params: Mapping[str, Any]) -> UserMessage:
        """A message as it was worded elsewhere; its code may be unknown here."""
        message = str.__new__(cls, text)
        message.code = code
        message.params = {name: _restored(value) for name, value in params.items()}
        return message

    @property
    def text(self) -> str:
        """The English text alone, as a plain str."""
        return str(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self).restored, (self.text, self.code, dict(self.params))


def message_info(text: str) -> MessageInfo:
    """Any text for people as plain data."""
    if not isinstance(text, UserMessage):
        return MessageInfo("", {}, str(text))
    return MessageInfo(text.code, {k: _plain(v) for k, v in text.params.items()}, text.text)


def from_message_info(info: MessageInfo) -> str:
    """The message that an info stands for, or its text where it has no code."""
    return UserMessage.restored(info.text, info.code, info.params) if info.code else info.text


def translate(text: str, language: str) -> str:
    """A message in another language; in English where that language has no text for it.

    >>> translate(UserMessage("upload_unknown", id="x"), "pt-BR")
    "O envio 'x' não existe, ou não existe mais"
    """
    if not isinstance(text, UserMessage):
        return text
    form = text_of(text.code, language)
    if form is None:
        return text.text
    params = {name: _translated(value, language) for name, value in text.params.items()}
    return fill(form, params, language)


def sentences(*texts: str) -> str:
    """Several sentences as one message, with a space between them."""
    present = [text for text in texts if text]
    if len(present) < 2:
        return present[0] if present else ""
    return UserMessage("sentences", first=present[0], rest=sentences(*present[1:]))


def known_phrase(text: str | None) -> str:
    """A phrase within a message, such as the system's reason or a kind of file, as a message.

    It stays a text where the catalogue does not have those words.

    >>> translate(known_phrase("Permission denied"), "pt-BR")
    'permissão negada'
    """
    code = _phrases().get(text or "")
    return UserMessage(code) if code else str(text)


@lru_cache(maxsize=1)
def _phrases() -> dict[str, str]:
    texts = catalogue(DEFAULT_LANGUAGE)
    return {str(text): code for code, text in texts.items() if code.startswith(PHRASES)}


def _param(value: Any) -> Any:
    if isinstance(value, (UserMessage, str, bool, int, float)):
        return value
    if isinstance(value, Iterable) and not isinstance(value, BaseException):
        return tuple(_param(item) for item in value)
    message = value.args[0] if isinstance(value, BaseException) and value.args else None
    return message if isinstance(message, UserMessage) else known_phrase(str(value))


def _plain(value: Any) -> Any:
    if isinstance(value, UserMessage):
        info = message_info(value)
        return {"code": info.code, "params": info.params, "text": info.text}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    # Of a subclass, such as an enumeration's member, the value alone.
    return str(value) if isinstance(value, str) else value


def _restored(value: Any) -> Any:
    if isinstance(value, Mapping):
        return UserMessage.restored(value["text"], value["code"], value["params"])
    if isinstance(value, (list, tuple)):
        return tuple(_restored(item) for item in value)
    return value


def _translated(value: Any, language: str) -> Any:
    if isinstance(value, tuple):
        return tuple(_translated(item, language) for item in value)
    return translate(value, language) if isinstance(value, str) else value
