"""From what a model wrote for a piece to words with times, and to segments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import exp

from hybrid_transcribe.engines.common.grouping import grouped
from hybrid_transcribe.engines.common.repetition import compression_ratio
from hybrid_transcribe.engines.sherpa_onnx.recognizer import Recognition

#: A token without a duration of its own lasts until the next one, and at most so long (s).
_MAX_TOKEN_S = 0.4

#: A segment ends where a sentence does, if so long a pause (s) follows: "Mr." ends none.
_SENTENCE_PAUSE_S = 0.24

#: And wherever a pause is this long, in seconds.
_PAUSE_S = 1.0

_SENTENCE_ENDS = tuple(".?!…。？！")

#: First characters of scripts that are written without spaces: CJK, kana and Thai.
_UNSPACED = (("\u3040", "\u30ff"), ("\u3400", "\u9fff"), ("\u0e00", "\u0e7f"))


@dataclass(frozen=True, slots=True)
class RecognizedWord:
    """A word shaped like faster-whisper's; times in s, ``word`` with the space before it."""

    start: float
    end: float
    word: str
    probability: float | None = None


@dataclass(frozen=True, slots=True)
class RecognizedSegment:
    """A segment shaped like faster-whisper's (see `SegmentNormalizer`).

    Times in s from the clip's start.
    """

    start: float
    end: float
    text: str
    words: Sequence[RecognizedWord] = field(default=())
    avg_logprob: float | None = None
    no_speech_prob: float | None = None
    compression_ratio: float | None = None
    temperature: float | None = None


def segments_of(
    recognition: Recognition, start_s: float, end_s: float, *, with_words: bool
) -> Iterator[RecognizedSegment]:
    """The segments of a piece that lies between ``start_s`` and ``end_s`` of its clip.

    Without times of tokens the piece is one segment. With them it is cut where sentences end,
    unless the text is no plain sequence of the tokens (figures written out, bytes).
    """
    if not recognition.text:
        return
    words = words_of(recognition)
    logprobs = recognition.logprobs
    whole = RecognizedSegment(
        start_s,
        end_s,
        recognition.text,
        avg_logprob=sum(logprobs) / len(logprobs) if logprobs else None,
        compression_ratio=compression_ratio(recognition.text),
    )
    if not words:
        yield whole
        return
    moved = [_moved(word, start_s) for word in words]
    spelled = "".join(word.word for word in words).strip() == recognition.text
    for sentence in grouped(moved, _goes_on) if spelled else [moved]:
        text = "".join(word.word for word in sentence).strip() if spelled else recognition.text
        yield replace(
            whole,
            start=sentence[0].start,
            end=sentence[-1].end,
            text=text,
            words=sentence if with_words else (),
            compression_ratio=compression_ratio(text),
        )


def words_of(recognition: Recognition) -> list[RecognizedWord]:
    """Words with times from the piece's start; empty where the model gives no times."""
    tokens, starts_s = recognition.tokens, recognition.starts_s
    if len(starts_s) != len(tokens) or not tokens:
        return []
    words: list[RecognizedWord] = []
    logprobs: list[float] = []
    for index, token in enumerate(tokens):
        end_s = _end_s(recognition, index)
        if not words or _begins_word(token):
            words.append(RecognizedWord(starts_s[index], end_s, token))
            logprobs = []
        elif any(character.isalnum() for character in token):
            words[-1] = replace(words[-1], word=words[-1].word + token, end=end_s)
        else:
            # A comma takes no time of its own.
            words[-1] = replace(words[-1], word=words[-1].word + token)
        if recognition.logprobs:
            logprobs.append(recognition.logprobs[index])
            words[-1] = replace(words[-1], probability=exp(sum(logprobs) / len(logprobs)))
    return [word for word in words if word.word.strip()]


def _end_s(recognition: Recognition, index: int) -> float:
    start_s = recognition.starts_s[index]
    following = recognition.starts_s[index + 1 : index + 2]
    if len(recognition.durations_s) == len(recognition.tokens):
        end_s = start_s + recognition.durations_s[index]
    else:
        end_s = start_s + _MAX_TOKEN_S
    return round(min(end_s, following[0]) if following else end_s, 3)


def _begins_word(token: str) -> bool:
    return token[:1].isspace() or any(low <= token[:1] <= high for low, high in _UNSPACED)


def _goes_on(sentence: Sequence[RecognizedWord], word: RecognizedWord) -> bool:
    """Whether a word belongs to the sentence before it."""
    pause_s = word.start - sentence[-1].end
    is_end = sentence[-1].word.endswith(_SENTENCE_ENDS)
    return pause_s < (_SENTENCE_PAUSE_S if is_end else _PAUSE_S)


def _moved(word: RecognizedWord, by_s: float) -> RecognizedWord:
    return replace(word, start=round(word.start + by_s, 3), end=round(word.end + by_s, 3))
