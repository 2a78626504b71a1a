"""The languages Whisper knows, by the codes its tokenizer uses."""

from __future__ import annotations

from hybrid_transcribe.errors import InvalidOption

_CODES = """
    af am ar as az ba be bg bn bo br bs ca cs cy da de el en es et eu fa fi fo fr gl gu
    ha haw he hi hr ht hu hy id is it ja jw ka kk km kn ko la lb ln lo lt lv mg mi mk ml
    mn mr ms mt my ne nl nn no oc pa pl ps pt ro ru sa sd si sk sl sn so sq sr su sv sw
    ta te tg th tk tl tr tt uk ur uz vi yi yo zh yue
"""

#: ISO 639-1 where there is one; ``yue`` (Cantonese) only from large-v3 on.
LANGUAGES: tuple[str, ...] = tuple(_CODES.split())


def language_code(asked: str) -> str:
    """Whisper's code for what people write, without region or script.

    Raises InvalidOption naming the value and the choices.

    >>> language_code("pt"), language_code("pt-BR"), language_code("ZH_tw")
    ('pt', 'pt', 'zh')
    """
    code = asked.strip().lower().replace("_", "-").split("-", 1)[0]
    if code not in LANGUAGES:
        raise InvalidOption(f"No language {asked!r}; choose from: {', '.join(LANGUAGES)}")
    return code
