"""What a caller asks for, and what is answered in words when it cannot be."""

from __future__ import annotations

import pytest

from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import InvalidOption
from hybrid_transcribe.jobs.languages import make_language
from hybrid_transcribe.jobs.request import make_options, make_spec
from hybrid_transcribe.testing import SCRIPTED
from hybrid_transcribe.types import Options


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"beam_size": "five"}, "Option beam_size='five': it must be a whole number"),
        ({"beam_size": 1.5}, "Option beam_size=1.5: it must be a whole number"),
        ({"patience": "much"}, "Option patience='much': it must be a number"),
        ({"word_timestamps": "yes"}, "Option word_timestamps='yes': it must be True or False"),
        ({"initial_prompt": 3}, "Option initial_prompt=3: it must be text"),
        ({"language": 3}, "Option language=3: it must be text"),
        (
            {"temperature": "warm"},
            "Option temperature='warm': it must be a number, or a list of numbers",
        ),
        (
            {"temperature": [0, "warm"]},
            "Option temperature=[0, 'warm']: it must be a number, or a list of numbers",
        ),
        (
            {"suppress_tokens": "all"},
            "Option suppress_tokens='all': it must be a whole number, or a list of whole numbers",
        ),
    ],
)
def test_a_value_of_the_wrong_kind_is_told_in_words(given: dict[str, object], told: str) -> None:
    """The option, the value and what it takes; nothing of how types are written."""
    with pytest.raises(InvalidOption) as caught:
        make_options(Options(), given)

    assert str(caught.value) == told


@pytest.mark.parametrize("languages", ["pt-BR, English", ("Português", "en"), ["pt", "en", "por"]])
def test_languages_are_codes_each_once(languages: object) -> None:
    """However they are written: one after the other, or in one text."""
    assert make_options(Options(), {"languages": languages}).languages == ("pt", "en")


@pytest.mark.parametrize("languages", ["pt,auto", ("pt", "auto"), "klingonish"])
def test_what_is_no_language_is_refused(languages: object) -> None:
    """Detection included: it is what they are for."""
    with pytest.raises(InvalidOption):
        make_options(Options(), {"languages": languages})


def test_languages_that_an_engine_does_not_know_are_refused() -> None:
    """With its choices."""
    with pytest.raises(InvalidOption, match="knows no language 'qu'"):
        make_spec(Settings(), languages=("pt", "qu"))


def test_one_number_is_a_list_of_one() -> None:
    """As the words promise."""
    chosen = make_options(Options(), {"temperature": 0, "suppress_tokens": -1})

    assert (chosen.temperature, chosen.suppress_tokens) == ((0.0,), (-1,))


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("Portuguese", "pt"),
        ("portuguese", "pt"),
        ("PORTUGUÊS", "pt"),
        ("portugues", "pt"),
        ("Brazilian Portuguese", "pt"),
        ("Portuguese (Brazil)", "pt"),
        ("pt_BR", "pt"),
        ("English", "en"),
        ("inglês", "en"),
        ("ingles", "en"),
        ("Deutsch", "de"),
        ("alemão", "de"),
        ("francês", "fr"),
        ("espanhol", "es"),
        ("español", "es"),
        ("italiano", "it"),
        ("Haitian Creole", "ht"),
        ("Lao", "lo"),
        ("日本語", "ja"),
        ("zh-Hant", "zh"),
        ("xx", "xx"),
        (" ", None),
        ("Auto", None),
        (None, None),
    ],
)
def test_languages_go_by_name_or_code(name: str | None, code: str | None) -> None:
    """In English, in themselves, with accents or without; what an engine knows is its affair."""
    assert make_language(name) == code


def test_a_typing_error_has_a_hint() -> None:
    """The nearest name's code, and how to have it detected."""
    with pytest.raises(InvalidOption, match=r"'portugese'.* did you mean 'pt'.*leave it out"):
        make_language("portugese")
    with pytest.raises(InvalidOption) as caught:
        make_language("klingon!")

    assert "did you mean" not in str(caught.value)


def test_a_task_that_an_engine_does_not_know_is_refused() -> None:
    """Before any audio goes anywhere: a warning afterwards would come too late."""
    with pytest.raises(InvalidOption, match="scripted cannot translate"):
        make_spec(Settings(engines=SCRIPTED), engine="scripted", task="translate")
