"""Texts for people: every code is in every catalogue, with the same blanks, and none is unused."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator

import pytest

from hybrid_transcribe import errors, messages
from hybrid_transcribe.errors import HybridTranscribeError, InputMissing, UnknownModel, from_info
from hybrid_transcribe.messages import (
    MessageInfo,
    UserMessage,
    catalogue,
    from_message_info,
    message_info,
    sentences,
    translate,
)
from hybrid_transcribe.messages.catalogue import blanks, fill
from hybrid_transcribe.messages.user_message import PHRASES
from tests import messages_in_code

ENGLISH = catalogue("en")
LANGUAGES = sorted(messages.languages())


def forms(code: str, language: str) -> Iterator[str]:
    """A text, or each of its plural forms."""
    text = catalogue(language)[code]
    yield from [text] if isinstance(text, str) else text.values()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_language_is_complete(language: str) -> None:
    """Every code of English, no other, and the same blanks in the same formats."""
    texts = catalogue(language)
    assert set(texts) == set(ENGLISH)
    for code in texts:
        if not code.startswith("@"):
            assert blanks(texts[code]) == blanks(ENGLISH[code]), code
            assert all(form.strip() for form in forms(code, language)), code


@pytest.mark.parametrize("language", LANGUAGES)
def test_plural_forms_follow_count(language: str) -> None:
    """What has plural forms has a count, and the form for all else."""
    for code, text in catalogue(language).items():
        if isinstance(text, dict):
            assert {"one", "other"} <= set(text), code


def test_every_code_in_the_code_is_in_the_catalogue() -> None:
    """With exactly the blanks that are filled there."""
    for call in messages_in_code.made():
        if call.code is None:
            continue
        assert call.code in ENGLISH, call.place
        names = {
            blank.strip("{}").split("!")[0].split(":")[0] for blank in blanks(ENGLISH[call.code])
        }
        if not isinstance(ENGLISH[call.code], str):
            names.add("count")
        lacking = names - call.names
        assert call.names <= names, call.place
        assert call.with_more or not lacking, (call.place, lacking)


def test_a_message_is_its_english_text() -> None:
    """It stands wherever a text can, and travels as plain data."""
    message = UserMessage("too_large", name="a.wav", n=4.2, most=3)
    assert message == "a.wav: 4 MiB; at most 3 MiB allowed"
    assert type(message.text) is str
    assert message_info(message) == MessageInfo(
        "too_large", {"name": "a.wav", "n": 4.2, "most": 3}, message.text
    )
    for again in (
        from_message_info(message_info(message)),
        copy.deepcopy(message),
        pickle.loads(pickle.dumps(message)),
    ):
        assert isinstance(again, UserMessage)
        assert (again, again.code, again.params) == (message, message.code, message.params)


def test_messages_are_worded_in_other_languages() -> None:
    """With what is in them, and figures as written there."""
    inner = UserMessage("cut_short", at=5.5, most=1234.5)
    assert translate(inner, "pt-BR") == "Incompleto: o arquivo termina em 5,5 s de 1.234,5 s."
    assert translate(sentences(inner, "as it is"), "pt-BR") == (
        "Incompleto: o arquivo termina em 5,5 s de 1.234,5 s. as it is"
    )
    restored = from_message_info(message_info(sentences(inner, UserMessage("no_sound"))))
    assert translate(restored, "pt-BR").endswith("Não há som nesta gravação.")
    assert translate(inner, "xx") == inner
    assert translate("no message", "pt-BR") == "no message"


def test_plural_forms() -> None:
    """By each language's own rule."""
    text = {"one": "{count} a", "other": "{count} b"}
    assert [fill(text, {"count": n}, "en") for n in (0, 1, 2)] == ["0 b", "1 a", "2 b"]
    assert [fill(text, {"count": n}, "pt-BR") for n in (0, 1, 2)] == ["0 a", "1 a", "2 b"]


def test_errors_carry_their_message() -> None:
    """Over the wire and back."""
    error = InputMissing(UserMessage("audio_gone", name="a.wav"))
    info = error.info()
    assert (info.message, info.reason, info.params) == (str(error), "audio_gone", {"name": "a.wav"})
    again = from_info(info)
    assert isinstance(again, InputMissing)
    assert again.info() == info
    assert translate(again.message, "pt-BR") == "a.wav: o áudio não está mais aqui"
    assert UnknownModel("x", ("a", "b")).info().params == {"name": "x", "choices": ["a", "b"]}
    assert HybridTranscribeError("plain").info().reason == ""
    assert {f"error.{code}" for code in errors.codes()} <= set(ENGLISH)


def test_phrases_are_known_by_their_text() -> None:
    """No two of them have the same English."""
    texts = [text for code, text in ENGLISH.items() if code.startswith(PHRASES)]
    assert len(texts) == len(set(map(str, texts)))


#: Words of the system and of libraries, which the code has not.
FOREIGN = ("why_", "what_subtitle", "what_attachment", "what_video")


def test_no_code_is_left_over() -> None:
    """What nothing says any more goes."""
    literals = messages_in_code.literals()
    unused = {
        code
        for code, text in ENGLISH.items()
        if "." not in code
        and not code.startswith(("@", *FOREIGN))
        and not ({code, text} if code.startswith(PHRASES) else {code}) & literals
    }
    assert unused == set()


#: Errors of tests and of contracts, which nobody translates.
OWN_WORDS = {"testing.py", "contract.py"}


def test_errors_and_warnings_have_codes() -> None:
    """None is made of a text in the code."""
    classes = {name for name in vars(errors) if name[0].isupper()} | {"EngineWarning", "Unusable"}
    assert [
        place
        for place, name, is_text in messages_in_code.first_arguments()
        if name in classes and is_text and place.partition(":")[0] not in OWN_WORDS
    ] == []
