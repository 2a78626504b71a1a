"""Word error rates as the field counts them: Whisper's text normaliser, then jiwer.

Whisper's own writes numbers and abbreviations in one way for English only; for Portuguese
``portuguese`` does it before the general one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec

from hybrid_transcribe.comparison.portuguese import written_out
from hybrid_transcribe.errors import EngineUnavailable
from hybrid_transcribe.messages import UserMessage

#: Languages that put no spaces between words are judged by characters, as in Radford et al.,
#: "Robust Speech Recognition via Large-Scale Weak Supervision" (2022), appendix C.
BY_CHARACTER = frozenset({"zh", "yue", "ja", "th", "lo", "my"})

#: What pip calls the libraries, by the names they are imported under.
_NEEDED = {
    "jiwer": "jiwer",
    "whisper_normalizer": "whisper-normalizer",
    "num2words": "num2words",
}

REMEDY = "pip install 'hybrid-transcribe[compare]'"


@dataclass(frozen=True, slots=True)
class Errors:
    """Edits that turn a reference into a text, and the reference's length, in words."""

    edits: int = 0
    words: int = 0

    @property
    def rate(self) -> float | None:
        """The word error rate, above 1 where much was invented; None without a reference."""
        return self.edits / self.words if self.words else None

    def __add__(self, other: Errors) -> Errors:
        return Errors(self.edits + other.edits, self.words + other.words)


@dataclass(frozen=True, slots=True)
class Stretch:
    """Words of two texts that stand against each other, as ranges of their places."""

    equal: bool
    first: range
    second: range


def check_libraries() -> None:
    """Raise EngineUnavailable, with the remedy, where a library is missing."""
    missing = [name for module, name in _NEEDED.items() if find_spec(module) is None]
    if missing:
        raise EngineUnavailable(UserMessage("comparing_needs", names=missing, remedy=REMEDY))


def count(reference: str, text: str, language: str | None) -> Errors:
    """The errors of a text after normalising both, in characters for some languages."""
    normalise = normaliser(language)
    required, event = normalise(reference).split(), normalise(text).split()
    edits = sum(max(len(s.first), len(s.second)) for s in align(required, event) if not s.equal)
    return Errors(edits, len(required))


def align(first: list[str], second: list[str]) -> list[Stretch]:
    """Words aligned with as few edits as can be, in order, neighbours not joined."""
    if not first or not second:
        # Older versions of jiwer refuse an empty reference.
        whole = Stretch(False, range(len(first)), range(len(second)))
        return [whole] if first or second else []
    import jiwer

    return [
        Stretch(
            chunk.type == "equal",
            range(chunk.ref_start_idx, chunk.ref_end_idx),
            range(chunk.hyp_start_idx, chunk.hyp_end_idx),
        )
        for chunk in jiwer.process_words(" ".join(first), " ".join(second)).alignments[0]
    ]


def most_common(languages: Iterable[str | None]) -> str | None:
    """The language most of them name, the first of several; None where none names one."""
    named = [language for language in languages if language]
    return max(named, key=named.count, default=None)


@lru_cache(maxsize=4)
def normaliser(language: str | None) -> Callable[[str], str]:
    """What brings a text of that language (ISO 639-1; None is general) to comparable words."""
    if language == "en":
        from whisper_normalizer.english import EnglishTextNormalizer

        english: Callable[[str], str] = EnglishTextNormalizer()
        return english
    from whisper_normalizer.basic import BasicTextNormalizer

    general: Callable[[str], str] = BasicTextNormalizer(split_letters=language in BY_CHARACTER)
    if language == "pt":
        return lambda text: general(written_out(text))
    return general
