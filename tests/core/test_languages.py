"""Languages by the codes and names of systems and people."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace

import pytest
from babel import Locale

from hybrid_transcribe.config import Settings
from hybrid_transcribe.core.languages import (
    WHISPER_CODES,
    WHISPER_NAMES,
    closest_code,
    parse_language,
)
from hybrid_transcribe.engines.assemblyai.choices import language_code as assemblyai_code
from hybrid_transcribe.engines.common.languages import language_code
from hybrid_transcribe.errors import InvalidOption
from hybrid_transcribe.jobs.request import make_spec
from hybrid_transcribe.testing import ScriptedEngine

#: Codes as systems give them, by Whisper's.
CODES = {
    "no": "nb nb-NO nob nor no-NO NB_no",
    "nn": "nn nno nn-NO",
    "he": "iw heb he-IL iw_IL",
    "id": "in ind id-ID in-ID",
    "yi": "ji yid",
    "jw": "jv jav jw",
    "tl": "fil tgl fil-PH tl",
    "pt": "por pt-BR pt_PT pt_BR.UTF-8 pt-BR-x-private PT",
    "en": "eng en-US en_GB.UTF-8 en-GB-oxendict",
    "de": "deu ger de-CH-1996 de-DE@euro gsw",
    "zh": "chi zho cmn zh-Hans-CN zh_TW zh-cmn",
    "yue": "yue zh-yue yue-HK",
    "ar": "ara arb arz apc ar-EG",
    "fa": "per fas pes prs fa-AF",
    "sr": "srp sh hbs sr-Latn-RS",
    "ro": "rum ron mo mol ro-MD",
    "ms": "may msa zsm",
    "et": "est ekk",
    "lv": "lav lvs",
    "sw": "swa swh",
    "sq": "alb sqi als",
    "es": "spa es-419",
}

#: Names in English, Portuguese (of Brazil and Portugal) and Spanish, by Whisper's code.
NAMES = {
    "pt": "Portuguese, português, portugués, Portuguese (Brazil), português do Brasil, pt (Brazil)",
    "de": "German, alemão, alemán, Swiss German",
    "no": "Norwegian, norueguês, noruego, Norwegian Bokmål, norueguês bokmål",
    "he": "Hebrew, hebraico, hebreo",
    "tl": "Tagalog, Filipino, tagalo",
    "jw": "Javanese, javanês, javanés",
    "my": "Burmese, Myanmar, birmanês, birmano",
    "cs": "Czech, tcheco, checo",
    "zh": "Chinese, chinês, chino, Mandarin, Simplified Chinese, chinês simplificado",
    "en": "English, inglês, US English, inglés (Reino Unido), American English",
    "el": "Greek (1453-), grego, griego",
    "bn": "Bengali, Bangla, bengalí",
}


@pytest.mark.parametrize(
    ("text", "code"), [(text, code) for code, texts in CODES.items() for text in texts.split()]
)
def test_codes_of_all_parts_and_times(text: str, code: str) -> None:
    """ISO 639-1 to 639-3, withdrawn ones, BCP 47 with script and region, locales of systems."""
    assert parse_language(text) == code
    assert language_code(text) == code


@pytest.mark.parametrize(
    ("name", "code"),
    [(name, code) for code, names in NAMES.items() for name in names.split(", ")],
)
def test_names_in_three_languages(name: str, code: str) -> None:
    """As people write them, with regions or without."""
    assert parse_language(name) == code


@pytest.mark.parametrize("locale", ["en", "pt", "pt_PT", "es"])
def test_every_language_of_whisper_has_its_names(locale: str) -> None:
    """All of CLDR's, in any case and without accents."""
    names = Locale.parse(locale).languages
    for code in WHISPER_CODES:
        name = names.get({"jw": "jv"}.get(code, code))
        if name is not None:
            assert parse_language(name.upper()) == code, name


@pytest.mark.parametrize("text", ["", " ", "auto", "Automático", "und", "mul", None])
def test_what_means_that_it_is_to_be_detected(text: str | None) -> None:
    """Among it ISO's codes for "undetermined" and "several", which media files carry."""
    assert parse_language(text) is None


def test_languages_that_whisper_does_not_know_keep_their_code() -> None:
    """What an engine knows is its affair; their names are not known."""
    assert parse_language("que") == parse_language("qu-PE") == "qu"
    assert parse_language("xx") == "xx"
    with pytest.raises(InvalidOption):
        parse_language("Quechua")


@pytest.mark.parametrize("text", ["not a code", "pt1", "12", "english,portuguese", "xyzzy"])
def test_other_words_are_refused(text: str) -> None:
    """Two languages at once, too."""
    with pytest.raises(InvalidOption, match="neither a name we know nor a code"):
        parse_language(text)


def test_an_engine_gets_its_own_code() -> None:
    """Whatever it calls the language; the same job can go to another engine afterwards."""
    settings = Settings(engines={"nordic": f"{__name__}:Nordic"})

    assert make_spec(settings, engine="nordic", language="no").options.language == "nb"
    assert make_spec(settings, engine="nordic", language="jw").options.language == "jv"
    assert make_spec(settings, engine="nordic", language="Tagalog").options.language == "fil"
    with pytest.raises(InvalidOption, match="knows no language 'pt'"):
        make_spec(settings, engine="nordic", language="pt")
    assert assemblyai_code("nb-NO") == "no"
    assert assemblyai_code("jv") == "jw"


class Nordic(ScriptedEngine):
    """Knows languages by the codes of today."""

    capabilities = replace(ScriptedEngine.capabilities, languages=("nb", "jv", "fil"))


def test_no_language_stands_for_one_that_whisper_tells_apart() -> None:
    """Cantonese is not Chinese where a model knows Chinese only."""
    assert closest_code("yue", ("zh", "en")) is None
    assert closest_code("nn", ("no", "en")) is None


def test_codes_of_whisper_need_no_library() -> None:
    """Most jobs name one of these, or none."""
    code = (
        "import sys; from hybrid_transcribe.core.languages import parse_language as p;"
        "assert p('pt') == p('Portuguese') == 'pt';"
        "print({'babel', 'langcodes'} & set(sys.modules))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert ran.stdout == "set()\n"


def test_whispers_own_names() -> None:
    """Its clients compare with them."""
    whisper = pytest.importorskip("whisper.tokenizer")

    assert WHISPER_NAMES == whisper.LANGUAGES
    for name, code in whisper.TO_LANGUAGE_CODE.items():
        assert parse_language(name) == code
