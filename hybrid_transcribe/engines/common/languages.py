"""The languages Whisper knows, by the codes its tokenizer uses."""

from __future__ import annotations

from hybrid_transcribe.core.languages import WHISPER_CODES, parse_language
from hybrid_transcribe.errors import InvalidOption
from hybrid_transcribe.messages import UserMessage

#: ISO 639-1 where there is one; ``yue`` (Cantonese) only from large-v3 on.
LANGUAGES = WHISPER_CODES


def language_code(requested: str) -> str:
    """Whisper's code for what people write, without region or script.

    Raises InvalidOption naming the value and the choices.

    >>> language_code("pt"), language_code("pt-BR"), language_code("ZH_tw")
    ('pt', 'pt', 'zh')
    """
    code = parse_language(requested)
    if code not in LANGUAGES:
        raise InvalidOption(UserMessage("no_language", name=requested, choices=LANGUAGES))
    return code
