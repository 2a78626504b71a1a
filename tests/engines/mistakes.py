"""How wrong a transcript is, by Whisper's own text normaliser."""

from __future__ import annotations

from dataclasses import dataclass

import jiwer
from whisper_normalizer.basic import BasicTextNormalizer

from hybrid_transcribe.comparison.words import normaliser

#: Languages written without spaces are judged by characters.
BY_CHARACTER = {"ja", "zh", "ko"}


@dataclass(frozen=True, slots=True)
class Edits:
    """Edits from a reference to a text, and the reference's length, in words or characters."""

    substitutions: int = 0
    deletions: int = 0
    insertions: int = 0
    words: int = 0

    @property
    def wrong(self) -> int:
        """All edits."""
        return self.substitutions + self.deletions + self.insertions

    def __add__(self, other: Edits) -> Edits:
        return Edits(
            self.substitutions + other.substitutions,
            self.deletions + other.deletions,
            self.insertions + other.insertions,
            self.words + other.words,
        )


def n_words(text: str) -> int:
    """Words of a text, in any language; signs such as a music note are none."""
    return len(BasicTextNormalizer()(text).split())


def edits(reference: str, text: str, language: str = "en") -> Edits:
    """The edits by kind."""
    normalise = (
        BasicTextNormalizer(split_letters=True)
        if language in BY_CHARACTER
        else normaliser(language)
    )
    compared = jiwer.process_words(normalise(reference), normalise(text) or " ")
    return Edits(
        compared.substitutions,
        compared.deletions,
        compared.insertions,
        compared.substitutions + compared.deletions + compared.hits,
    )


def count(reference: str, text: str, language: str = "en") -> tuple[int, int]:
    """All edits from the reference, and its length, in words or characters."""
    counted = edits(reference, text, language)
    return counted.wrong, counted.words


def wrong_words(reference: str, text: str) -> float:
    """The word error rate of English text."""
    wrong, length = count(reference, text)
    return wrong / length
