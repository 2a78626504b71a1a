"""What AssemblyAI can be asked for: models and languages. Imports nothing heavy."""

from __future__ import annotations

from hybrid_transcribe.core.languages import parse_language
from hybrid_transcribe.errors import InvalidOption
from hybrid_transcribe.messages import UserMessage

#: Knows every language below; takes over where a newer model does not know one.
WIDEST_MODEL = "universal-2"

#: Named by the examples of the SDK 1.8.2 and by the service's pages on choosing a model and on
#: retiring one (November 2026). The service itself takes any text.
MODELS = ("universal-3-5-pro", WIDEST_MODEL, "assemblyai-stt-3-7", "universal-3-pro")

DEFAULT_MODEL = MODELS[0]

# `TranscriptLanguageCode` of the service's OpenAPI document 1.3.4, without the regional en_au,
# en_uk and en_us: plain en is the English of all regions.
_CODES = """
    en es fr de it pt nl af sq am ar hy as az ba eu be bn bs br bg my ca zh hr cs da et fo fi gl
    ka el gu ht ha haw he hi hu is id ja jw kn kk km ko lo la lv ln lt lb mk mg ms ml mt mi mr mn
    ne no nn oc pa ps fa pl ro ru sa sr sn sd si sk sl so su sw sv tl tg ta tt te th bo tr tk uk
    ur uz vi cy yi yo
"""

LANGUAGES: tuple[str, ...] = tuple(_CODES.split())


def iso_code(theirs: str) -> str:
    """The language of one of their codes, which may name a region.

    >>> iso_code("en_us"), iso_code("pt")
    ('en', 'pt')
    """
    return theirs.lower().replace("-", "_").split("_", 1)[0]


def language_code(requested: str) -> str:
    """Their code for what people write, without region.

    Raises InvalidOption naming the value and the choices.

    >>> language_code("pt-BR")
    'pt'
    """
    code = parse_language(requested, LANGUAGES)
    if code not in LANGUAGES:
        raise InvalidOption(UserMessage("no_language", name=requested, choices=LANGUAGES))
    return code
