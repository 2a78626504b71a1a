"""Texts for people as data: a code and its parameters, worded in each language by a catalogue.

One JSON file a language lies in this folder: what the panel and the page say (``state.queued``,
codes with a dot), errors, warnings and stages. Other packages bring theirs by an entry point in
the group ``hybrid_transcribe.messages`` or by `register`. See docs/messages-and-languages.md.
"""

from hybrid_transcribe.messages.catalogue import (
    DEFAULT_LANGUAGE,
    catalogue,
    catalogues,
    languages,
    preferred_language,
    register,
)
from hybrid_transcribe.messages.user_message import (
    MessageInfo,
    UserMessage,
    from_message_info,
    known_phrase,
    message_info,
    sentences,
    translate,
)

__all__ = [
    "DEFAULT_LANGUAGE",
    "MessageInfo",
    "UserMessage",
    "catalogue",
    "catalogues",
    "from_message_info",
    "known_phrase",
    "languages",
    "message_info",
    "preferred_language",
    "register",
    "sentences",
    "translate",
]
