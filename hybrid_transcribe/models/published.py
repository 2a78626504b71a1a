"""Word error rates that others published, by model and language. None of them was measured by us.

Only figures of one table are compared with each other: test sets differ more than models do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from hybrid_transcribe.models import catalogue


@dataclass(frozen=True, slots=True)
class PublishedRate:
    """A word error rate in per cent, the test set it was counted on, and who published it."""

    percent: float
    dataset: str
    source: str


#: Above this share of wrong words (per cent) a model is weak in a language.
WEAK_PERCENT = 15.0

_MLS = "Multilingual LibriSpeech"
_WHISPER_PAPER = "Radford et al. 2022, arXiv:2212.04356, appendix D.2.2"

_MLS_LANGUAGES = "nl en fr de it pl pt es".split()

#: One row a model, in the order of the languages above.
_MLS_PERCENT: Mapping[str, tuple[float, ...]] = {
    "tiny": (39.4, 15.7, 36.8, 24.9, 41.7, 34.2, 31.3, 19.2),
    "base": (28.4, 11.7, 26.6, 17.7, 31.1, 22.8, 21.9, 12.8),
    "small": (17.2, 8.3, 16.2, 10.5, 21.4, 11.2, 13.0, 7.8),
    "medium": (11.7, 6.8, 8.9, 7.4, 16.0, 6.5, 9.0, 5.3),
    "large-v1": (10.2, 6.3, 8.9, 6.6, 14.3, 6.6, 9.2, 5.4),
    "large-v2": (9.3, 6.2, 7.3, 5.5, 13.8, 5.0, 6.8, 4.2),
}

_FLEURS = "FLEURS"
_LEADERBOARD = "mean of eight English test sets"

#: By model and language, where the Whisper paper has none.
_OTHERS: Mapping[tuple[str, str], PublishedRate] = {
    ("parakeet-tdt-0.6b-v3", "pt"): PublishedRate(
        4.5, _FLEURS, "Open ASR Leaderboard, multilingual"
    ),
    ("large-v3-turbo", "pt"): PublishedRate(3.8, _FLEURS, "Open ASR Leaderboard, multilingual"),
    ("parakeet-tdt-0.6b-v3", "en"): PublishedRate(6.3, _LEADERBOARD, "Open ASR Leaderboard"),
    ("large-v3", "en"): PublishedRate(7.4, _LEADERBOARD, "Open ASR Leaderboard"),
}


def published_rate(model: str, language: str) -> PublishedRate | None:
    """What was published for a model of the catalogue, or None.

    >>> published_rate("base", "pt").percent, published_rate("base", "eo")
    (21.9, None)
    """
    entry = catalogue.entry_for(model)
    name = entry.name if entry else model
    if name in _MLS_PERCENT and language in _MLS_LANGUAGES:
        percent = _MLS_PERCENT[name][_MLS_LANGUAGES.index(language)]
        return PublishedRate(percent, _MLS, _WHISPER_PAPER)
    return _OTHERS.get((name, language))


def better_model(model: str, language: str) -> str | None:
    """The smallest model of the same table that is not weak in a language, else its best one.

    None where the model is not known to be weak, or nothing better is known.

    >>> better_model("base", "pt"), better_model("tiny", "nl"), better_model("base", "en")
    ('small', 'medium', None)
    """
    rate = published_rate(model, language)
    if rate is None or rate.percent <= WEAK_PERCENT or rate.dataset != _MLS:
        return None
    column = _MLS_LANGUAGES.index(language)
    rates = {name: row[column] for name, row in _MLS_PERCENT.items()}
    sound = [name for name, percent in rates.items() if percent <= WEAK_PERCENT]
    best = sound[0] if sound else min(rates, key=lambda name: rates[name])
    return best if rates[best] < rate.percent else None
