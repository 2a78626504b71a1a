"""How wrong a transcript is, by Whisper's own text normaliser."""

from __future__ import annotations

import jiwer
from whisper_normalizer.basic import BasicTextNormalizer
from whisper_normalizer.english import EnglishTextNormalizer

#: Languages written without spaces are judged by characters.
BY_CHARACTER = {"ja", "zh", "ko"}


def count(reference: str, text: str, language: str = "en") -> tuple[int, int]:
    """Edits from the reference, and its length, in words or characters."""
    normalise = (
        EnglishTextNormalizer()
        if language == "en"
        else BasicTextNormalizer(split_letters=language in BY_CHARACTER)
    )
    compared = jiwer.process_words(normalise(reference), normalise(text) or " ")
    wrong = compared.substitutions + compared.deletions + compared.insertions
    return int(wrong), int(wrong - compared.insertions + compared.hits)


def wrong_words(reference: str, text: str) -> float:
    """The word error rate of English text."""
    wrong, length = count(reference, text)
    return wrong / length
