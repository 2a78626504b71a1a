"""What people call languages, for codes: ``"Portuguese"``, ``"português"`` and ``"pt"`` are one."""

from __future__ import annotations

import difflib
import re
import unicodedata

from hybrid_transcribe.errors import InvalidOption

# Code, then what the language is called: in English, in itself, in Portuguese and in Spanish.
_NAMES = """
    af Afrikaans | am Amharic | ar Arabic, árabe, العربية | as Assamese | az Azerbaijani
    ba Bashkir | be Belarusian | bg Bulgarian, búlgaro, български | bn Bengali | bo Tibetan
    br Breton | bs Bosnian | ca Catalan, català, catalão, catalán, Valencian
    cs Czech, čeština, tcheco, checo | cy Welsh, Cymraeg | da Danish, dansk, dinamarquês, danés
    de German, Deutsch, alemão, alemán | el Greek, ελληνικά, grego, griego
    en English, inglês, inglés | es Spanish, español, espanhol, Castilian, castellano, castelhano
    et Estonian, eesti | eu Basque, euskara, basco, vasco | fa Persian, Farsi, فارسی, persa
    fi Finnish, suomi, finlandês, finés | fo Faroese | fr French, français, francês, francés
    gl Galician, galego, gallego | gu Gujarati | ha Hausa | haw Hawaiian
    he Hebrew, עברית, hebraico
    hi Hindi, हिन्दी | hr Croatian, hrvatski, croata | ht Haitian Creole, Haitian
    hu Hungarian, magyar, húngaro | hy Armenian | id Indonesian, bahasa Indonesia, indonésio
    is Icelandic, íslenska | it Italian, italiano | ja Japanese, 日本語, japonês, japonés
    jw Javanese | ka Georgian | kk Kazakh | km Khmer | kn Kannada | ko Korean, 한국어, coreano
    la Latin, latim | lb Luxembourgish, Letzeburgesch | ln Lingala | lo Lao | lt Lithuanian
    lv Latvian | mg Malagasy | mi Maori | mk Macedonian | ml Malayalam | mn Mongolian | mr Marathi
    ms Malay | mt Maltese | my Myanmar, Burmese | ne Nepali
    nl Dutch, Nederlands, Flemish, holandês, holandés, neerlandês, neerlandés
    nn Nynorsk | no Norwegian, norsk, norueguês, noruego | oc Occitan
    pa Punjabi, Panjabi | pl Polish, polski, polonês, polaco | ps Pashto, Pushto
    pt Portuguese, português, portugués, Brazilian | ro Romanian, română, romeno, rumano, Moldavian
    ru Russian, русский, russo, ruso | sa Sanskrit | sd Sindhi | si Sinhala, Sinhalese
    sk Slovak, slovenčina, eslovaco | sl Slovenian, slovenščina, esloveno | sn Shona | so Somali
    sq Albanian, shqip, albanês, albanés | sr Serbian, српски, sérvio, serbio | su Sundanese
    sv Swedish, svenska, sueco | sw Swahili, Kiswahili | ta Tamil | te Telugu | tg Tajik | th Thai
    tk Turkmen | tl Tagalog, Filipino | tr Turkish, Türkçe, turco | tt Tatar
    uk Ukrainian, українська, ucraniano | ur Urdu | uz Uzbek | vi Vietnamese, tiếng Việt, vietnamita
    yi Yiddish | yo Yoruba | yue Cantonese | zh Chinese, Mandarin, 中文, chinês, chino, mandarim
"""


def _folded(name: str) -> str:
    """A name without case and accents, its words one space apart."""
    letters = unicodedata.normalize("NFKD", name.casefold())
    plain = "".join(c for c in letters if not unicodedata.combining(c))
    return " ".join(plain.replace("_", "-").split())


def _read(table: str) -> dict[str, str]:
    codes: dict[str, str] = {}
    for entry in re.split(r"[|\n]", table):
        code, _, called = entry.strip().partition(" ")
        codes.update((_folded(name), code) for name in called.split(",") if name.strip())
    return codes


#: Folded name to code.
CODES = _read(_NAMES)


def make_language(language: str | None) -> str | None:
    """The code for a code or a name; ``auto`` and the empty text mean None, "pt-BR" is "pt".

    Raises InvalidOption for other words, with the nearest. What an engine knows is its affair.

    >>> make_language("pt-BR"), make_language("Português"), make_language("auto")
    ('pt', 'pt', None)
    """
    asked = _folded(language or "")
    if asked in ("", "auto"):
        return None
    # "Portuguese (Brazil)" and "pt-BR" are told by their beginnings.
    first = re.split(r"[-( ]", asked)[0]
    for name in (asked, first):
        if name in CODES:
            return CODES[name]
    if re.fullmatch(r"[a-z]{2,3}(-.*)?", asked):
        return first
    raise InvalidOption(_not_known(str(language), asked))


def _not_known(given: str, asked: str) -> str:
    near = difflib.get_close_matches(asked, CODES, n=1, cutoff=0.7)
    hint = f"did you mean '{CODES[near[0]]}' ({near[0].title()})? " if near else ""
    return (
        f"Language {given!r} is neither a name we know nor a code: {hint}"
        "Write one such as 'en' or 'pt', or leave it out to detect it"
    )
