"""Languages as people and systems write them, and the codes that engines take.

Whisper's codes are what a job keeps: ISO 639-1 but for ``haw``, ``yue`` and the old ``jw``, with
``no`` and ``tl`` where others say ``nb`` and ``fil``. Other codes (ISO 639-2 and 639-3, those that
were withdrawn, BCP 47 tags with script and region) are read by langcodes, names by CLDR's tables
in Babel. Both libraries are imported only for what is not one of Whisper's own codes or names.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache

from hybrid_transcribe.errors import InvalidOption
from hybrid_transcribe.messages import UserMessage

# Code, Whisper's own name for it (which clients expect in answers), then names that CLDR's tables
# for English, Portuguese and Spanish lack: what people call their own language, and synonyms.
_WHISPER = """
    af afrikaans | am amharic | ar arabic, العربية | as assamese | az azerbaijani | ba bashkir |
    be belarusian | bg bulgarian, български | bn bengali | bo tibetan | br breton | bs bosnian |
    ca catalan, català, valencian | cs czech, čeština, tcheco | cy welsh, cymraeg |
    da danish, dansk | de german, deutsch | el greek, ελληνικά | en english |
    es spanish, castilian, castellano, castelhano | et estonian, eesti | eu basque, euskara, vasco |
    fa persian, farsi, فارسی | fi finnish, suomi | fo faroese | fr french, français |
    gl galician, galego | gu gujarati | ha hausa | haw hawaiian | he hebrew, עברית |
    hi hindi, हिन्दी | hr croatian, hrvatski | ht haitian creole, haitian |
    hu hungarian, magyar | hy armenian | id indonesian, bahasa indonesia |
    is icelandic, íslenska | it italian, italiano | ja japanese, 日本語 | jw javanese |
    ka georgian | kk kazakh | km khmer | kn kannada | ko korean, 한국어 | la latin |
    lb luxembourgish, letzeburgesch | ln lingala | lo lao | lt lithuanian | lv latvian |
    mg malagasy | mi maori | mk macedonian | ml malayalam | mn mongolian | mr marathi |
    ms malay | mt maltese | my myanmar, burmese | ne nepali |
    nl dutch, nederlands, flemish, neerlandês | nn nynorsk | no norwegian, norsk, bokmål |
    oc occitan | pa punjabi, panjabi | pl polish, polski, polaco | ps pashto, pushto |
    pt portuguese, brazilian, brasileiro, brasileño | ro romanian, română, moldavian, moldovan |
    ru russian, русский |
    sa sanskrit | sd sindhi | si sinhala, sinhalese | sk slovak, slovenčina |
    sl slovenian, slovenščina | sn shona | so somali | sq albanian, shqip | sr serbian, српски |
    su sundanese | sv swedish, svenska | sw swahili, kiswahili | ta tamil | te telugu |
    tg tajik | th thai | tk turkmen | tl tagalog, filipino | tr turkish, türkçe | tt tatar |
    uk ukrainian, українська | ur urdu | uz uzbek | vi vietnamese, tiếng việt | yi yiddish |
    yo yoruba |
    zh chinese, mandarin, mandarim, mandarín, 中文 |
    yue cantonese
"""

#: Locales whose names of languages are known; those of Portuguese differ (tcheco, checo).
_LOCALES = ("en", "pt", "pt_PT", "es")

#: What means that the language is to be detected; the last two are ISO 639's codes for an
#: undetermined language and for several, which media files carry.
_DETECT = frozenset(("", "auto", "detect", "auto-detect", "automatic", "automatico", "und", "mul"))

#: Longest distance between languages (CLDR's scale, 0 to 1,000) at which one stands for the other:
#: 1 is Bokmål from Norwegian, 8 Swiss German from German, 14 Moroccan Arabic from Arabic. The
#: next, from 20 on, are no dialects any more, as Frisian from Dutch.
_MAX_DISTANCE = 14

#: A BCP 47 tag, of the current kind or of the grandfathered one (i-klingon).
_TAG = re.compile(r"([a-z]{2,3}|[ix]-[a-z0-9]+)(-[a-z0-9]{1,8})*")

#: So many near names are looked at for one that an engine may know.
_N_HINTS = 3

#: Longest code of a language, in characters: up to here a text is a code before it is a name.
_CODE_LENGTH = 3


def _folded(name: str) -> str:
    """A name without case and accents, its words one space apart.

    >>> _folded("  Português_BR ")
    'portugues-br'
    """
    letters = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(c for c in letters if not unicodedata.combining(c))
    return " ".join(plain.replace("_", "-").split())


def _entries() -> Iterator[tuple[str, list[str]]]:
    """Each of Whisper's codes with its names."""
    for entry in " ".join(_WHISPER.split()).split(" | "):
        code, _, names = entry.partition(" ")
        yield code, names.split(", ")


#: Whisper's code to the name that Whisper gives it.
WHISPER_NAMES = {code: names[0] for code, names in _entries()}

#: Whisper's codes. Its models before large-v3 do not know ``yue`` (Cantonese).
WHISPER_CODES: tuple[str, ...] = tuple(WHISPER_NAMES)

#: Folded name to Whisper's code.
_OWN_NAMES = {_folded(name): code for code, names in _entries() for name in names}


def parse_language(text: str | None, choices: Sequence[str] = WHISPER_CODES) -> str | None:
    """The code for a code or a name: of the ``choices`` where one stands for it, else ISO's.

    None for what means that the language is to be detected. Raises InvalidOption for other words,
    with the nearest name.

    >>> parse_language("pt-BR"), parse_language("Português"), parse_language("auto")
    ('pt', 'pt', None)
    >>> [parse_language(code) for code in ("iw", "nb-NO", "jv", "deu", "por", "fil")]
    ['he', 'no', 'jw', 'de', 'pt', 'tl']
    """
    # The locale of a system is a tag with its encoding: pt_BR.UTF-8, ca_ES@valencia.
    folded = re.split(r"[.@]", _folded(text or ""), maxsplit=1)[0]
    if folded in _DETECT:
        return None
    if folded in choices:
        return folded
    code = _code(folded)
    if code is None:
        raise InvalidOption(_not_a_language(str(text), folded))
    return closest_code(code, choices) or code


def parse_languages(texts: Sequence[str] | None) -> tuple[str, ...] | None:
    """The codes for several codes or names, each once; None where there are none.

    Raises InvalidOption for what is no language, detection included.

    >>> parse_languages(["pt-BR", "English", "Português"]), parse_languages([])
    (('pt', 'en'), None)
    """
    codes: dict[str, None] = {}
    for text in texts or ():
        code = parse_language(text)
        if code is None:
            raise InvalidOption(UserMessage("languages_option", value=text))
        codes[code] = None
    return tuple(codes) or None


def closest_code(code: str, choices: Sequence[str]) -> str | None:
    """The one of the ``choices`` that stands for a language's code; None where none does.

    >>> closest_code("jv", ["jw"]), closest_code("jw", ["jv"]), closest_code("qu", ["en"])
    ('jw', 'jv', None)
    """
    if code in choices:
        return code
    standard = {_standard(choice): choice for choice in choices}
    if _standard(code) in standard:
        return standard[_standard(code)]
    if code in WHISPER_NAMES and code != "no":
        # Whisper tells these apart, so that no other stands for them: Cantonese is not Chinese.
        return None
    from langcodes import closest_match

    match, distance = closest_match(code, list(standard), max_distance=_MAX_DISTANCE)
    return standard[match] if distance <= _MAX_DISTANCE else None


def english_name(code: str | None) -> str:
    """Whisper's name of a language, in lower case; the code itself where it has none.

    >>> english_name("pt"), english_name("xx"), english_name(None)
    ('portuguese', 'xx', '')
    """
    return WHISPER_NAMES.get(code or "", code or "")


def _code(folded: str) -> str | None:
    """The code of a folded name or tag; None for what is neither."""
    if len(folded) > _CODE_LENGTH and (named := _named(folded)):
        return named
    if _TAG.fullmatch(folded) and (tagged := _tagged(folded)):
        return tagged
    return _named_in_part(folded)


def _tagged(tag: str) -> str | None:
    """The language of a BCP 47 tag, as Whisper or else ISO writes it today."""
    from langcodes import Language
    from langcodes.tag_parser import LanguageTagError

    try:
        language = Language.get(tag, normalize=True).language
    except LanguageTagError:
        return None
    return language if language is None else _preferred(language)


@cache
def _preferred(code: str) -> str:
    """Whisper's code for what ISO or CLDR call otherwise; the same code where it has none."""
    return closest_code(code, WHISPER_CODES) or code


@cache
def _standard(code: str) -> str:
    """What ISO 639 and CLDR say today: he for iw and heb, jv for jw, fil for tl."""
    from langcodes import standardize_tag
    from langcodes.tag_parser import LanguageTagError

    try:
        return standardize_tag(code, macro=True).partition("-")[0]
    except LanguageTagError:
        return code


def _named(folded: str) -> str | None:
    """The code of a language's whole name; None also where Whisper does not know the language."""
    if folded in _OWN_NAMES:
        return _OWN_NAMES[folded]
    code = _cldr_names().get(folded)
    whispers = code and _preferred(code)
    return whispers if whispers in WHISPER_NAMES else None


def _named_in_part(folded: str) -> str | None:
    """The code of a name with more words: "portuguese (brazil)", "us english", "pt (brazil)".

    None where the words name two languages.
    """
    first = re.split(r"\s*[(,/;]", folded)[0]
    if first != folded and _TAG.fullmatch(first):
        return _tagged(first)
    words = [word for word in re.split(r"[-(),/; ]+", folded) if len(word) > _CODE_LENGTH]
    codes = {code for name in (first, *words[:1], *words[-1:]) if (code := _named(name))}
    return codes.pop() if len(codes) == 1 else None


@cache
def _cldr_names() -> dict[str, str]:
    """Folded name to CLDR's code."""
    from babel import Locale

    codes: dict[str, str] = {}
    for locale in _LOCALES:
        for tag, name in Locale.parse(locale).languages.items():
            code = tag.partition("_")[0]
            if tag not in _DETECT:
                codes.setdefault(_folded(name), code)
    return codes


def _not_a_language(text: str, folded: str) -> str:
    names = {**_cldr_names(), **_OWN_NAMES}
    near = difflib.get_close_matches(folded, names, n=_N_HINTS, cutoff=0.7)
    hints = {_preferred(names[name]): name for name in reversed(near)}
    code = next((code for code in reversed(hints) if code in WHISPER_NAMES), None)
    if code is None:
        return UserMessage("language_unknown", text=text)
    return UserMessage("language_hint", text=text, code=code, name=hints[code].title())
