"""What a caller asks for, and what is answered in words when it cannot be."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import InvalidOption
from hybrid_transcribe.jobs.languages import make_language
from hybrid_transcribe.jobs.request import changed_spec, make_options, make_spec
from hybrid_transcribe.testing import SCRIPTED
from hybrid_transcribe.types import KnownVoice, Options
from tests.services import STAGES


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


@pytest.mark.parametrize(
    "given",
    [{"speakers": 2}, {"min_speakers": 2}, {"max_speakers": 4, "min_speakers": 2}],
)
def test_who_speaks_implies_that_they_are_told_apart(given: dict[str, int]) -> None:
    """A number alone says what is wanted."""
    chosen = make_options(Options(), given)

    assert chosen == Options(diarize=True, **given)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"speakers": 0}, "Option speakers=0: it must be 1 or more"),
        ({"speakers": True}, "Option speakers=True: it must be a whole number"),
        ({"min_speakers": 3, "max_speakers": 2}, "min_speakers=3 is more than max_speakers=2"),
        ({"speakers": 2, "max_speakers": 3}, "speakers=2 and max_speakers=3: give the exact"),
        ({"speakers": 2, "min_speakers": 1}, "speakers=2 and min_speakers=1: give the exact"),
        ({"speakers": {"Ana": "no.wav"}}, "The recording of the voice of 'Ana' is not there: no"),
        ({"speakers": {" ": "no.wav"}}, "A known voice cannot be called ' '"),
        ({"speakers": {"Ana": 3}}, "Option voices={'Ana': 3}: it must be names, each with"),
        ({"voices": "ana.wav"}, "Option voices='ana.wav': it must be names, each with"),
        ({"voices": {str(n): "x" for n in range(33)}}, "is not there|33 known voices"),
    ],
)
def test_speakers_that_cannot_be_are_refused(given: dict[str, object], message: str) -> None:
    """With the value, and the choice there is."""
    with pytest.raises(InvalidOption, match=message):
        make_options(Options(), given)


def test_known_voices_are_names_with_recordings(tmp_path: Path) -> None:
    """In either option; the path is absolute, the name on one line. They can be hashed."""
    recording = tmp_path / "ana.wav"
    recording.touch()
    for option in ("speakers", "voices"):
        chosen = make_options(Options(), {option: {" Ana\n Luísa ": recording}})

        assert chosen.diarize
        assert chosen.speakers is None
        assert chosen.voices == (KnownVoice("Ana Luísa", str(recording)),)
        assert hash(chosen) == hash(make_options(chosen, {}))


def test_two_voices_of_one_name_are_refused(tmp_path: Path) -> None:
    """Nobody could say who is who."""
    recording = tmp_path / "ana.wav"
    recording.touch()
    voices = (KnownVoice("Ana", str(recording)), KnownVoice("Ana", str(recording)))

    with pytest.raises(InvalidOption, match="Two known voices are called 'Ana'"):
        make_options(Options(), {"voices": voices})


def test_a_new_number_takes_the_place_of_the_old_one() -> None:
    """As for a retry: nobody has to take the other back, and False takes back all."""
    exact, bounds = make_options(Options(), {"speakers": 2}), {"min_speakers": 1}

    assert make_options(exact, bounds) == Options(diarize=True, min_speakers=1)
    assert make_options(make_options(exact, bounds), {"speakers": 3}).min_speakers is None
    assert make_options(exact, {"diarize": False}) == Options()


def test_voices_stay_where_speakers_are_told_apart_again(tmp_path: Path) -> None:
    """A page that sends all options of another try cannot name them; one without speakers can."""
    settings = Settings(engines=SCRIPTED, engine="scripted", postprocessors=STAGES)
    voices = (KnownVoice("Ana", "sent.wav", owned=True),)
    old = make_spec(settings, options=Options(diarize=True, voices=voices))

    again = changed_spec(old, {"options": Options(diarize=True, speakers=2)}, settings)
    without = changed_spec(old, {"options": Options()}, settings)
    none = changed_spec(old, {"voices": {}}, settings)

    assert again.options == Options(diarize=True, speakers=2, voices=voices)
    assert (without.options.voices, none.options.voices or ()) == (None, ())


@pytest.mark.parametrize(
    ("text", "value"), [("speakers", "speakers"), (" Mix ", "mix"), ("", None), (None, None)]
)
def test_channels(text: str | None, value: str | None) -> None:
    """Whatever its case; what nobody filled in stands for nothing."""
    assert make_options(Options(), {"channels": text}).channels == value


@pytest.mark.parametrize("value", ["left", 2, True, ["speakers"]])
def test_channels_that_there_are_not(value: Any) -> None:
    """The error names the value."""
    with pytest.raises(InvalidOption, match=re.escape(repr(value))):
        make_options(Options(), {"channels": value})
