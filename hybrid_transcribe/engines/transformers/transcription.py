"""The loop over a clip's windows: what transformers' own ``generate`` does inside one call.

It is ours, so that segments reach people as each window is final, progress is told and a
cancel is heeded in between; the steps are those of Whisper's paper (arXiv:2212.04356,
section 3.8 and 4.5).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from hybrid_transcribe.engines.common.prompt import hotwords_room_of, room_of
from hybrid_transcribe.engines.transformers.chunking import Samples, Span, voiced
from hybrid_transcribe.engines.transformers.decode import Attempt, decode, silent
from hybrid_transcribe.engines.transformers.model import Encoding, SpeechModel, WindowStatistics
from hybrid_transcribe.engines.transformers.request import TransformersRequest
from hybrid_transcribe.engines.transformers.windows import TextPiece, cut
from hybrid_transcribe.engines.transformers.words import Alignment, TimedWord, words_of
from hybrid_transcribe.interfaces import Language, Progress
from hybrid_transcribe.types import RATE_HZ, Clip

#: What is left behind the last segment is not worth a window when it is shorter (s).
_LEAST_S = 0.1

#: Above this temperature text is too wild to go before the next window (openai-whisper's rule).
_WILD = 0.5


@dataclass(frozen=True, slots=True)
class RawSegment:
    """A segment shaped like faster-whisper's (see `SegmentNormalizer`).

    Times in s from the clip's start.
    """

    start: float
    end: float
    text: str
    words: Sequence[TimedWord]
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float
    temperature: float


@dataclass(frozen=True, slots=True)
class _Window:
    """Samples from ``start`` to ``end`` with all that was found out about them."""

    start: int
    end: int
    encoding: Encoding
    language: str | None
    attempt: Attempt

    @property
    def length_s(self) -> float:
        return (self.end - self.start) / RATE_HZ

    def at_s(self, since_s: float) -> float:
        """A time of the window as one of the clip, to the millisecond."""
        return round(self.start / RATE_HZ + since_s, 3)


@dataclass(slots=True)
class WindowedTranscription:
    """One clip on its way through a model. ``cutter`` finds stretches of speech, for tests."""

    model: SpeechModel
    clip: Clip
    plan: TransformersRequest
    cutter: Callable[[Samples, float], Iterable[tuple[list[Span], int]]] = voiced
    _language: str | None = None
    _before: list[int] = field(default_factory=list)

    def run(self) -> Iterator[Language | Progress | RawSegment]:
        """Everything heard, in order. Raises Interrupted once the model notices a cancel."""
        self._language = self.plan.language
        if self.plan.language is None and not self.model.vocabulary.languages:
            yield Language("en")
        self._before = self._tokens(self.plan.prompt)
        for stretch in self.plan.stretches:
            start, end = (round(t * RATE_HZ) for t in stretch)
            yield from (
                self._by_voice(start, end) if self.plan.by_voice else self._by_seeking(start, end)
            )

    # ----------------------------------------------------------------- which windows

    def _by_seeking(self, at: int, end: int) -> Iterator[Language | Progress | RawSegment]:
        """Each window begins where the text of the one before it was cut off."""
        while end - at >= _LEAST_S * RATE_HZ:
            span = (at, min(end, at + round(self.plan.window_s * RATE_HZ)))
            for event in self._windows([span]):
                if isinstance(event, Language):
                    yield event
                    continue
                pieces, advance_s = self._pieces(event, whole=False)
                yield from self._segments(event, pieces)
                self._remember(event.attempt, pieces)
                at += max(1, round(advance_s * RATE_HZ))
            yield Progress(min(at, end) / RATE_HZ)

    def _by_voice(self, start: int, end: int) -> Iterator[Language | Progress | RawSegment]:
        """Windows that begin and end in pauses, several at once."""
        waiting: list[Span] = []
        for spans, reached in self.cutter(self.clip.samples[start:end], self.plan.window_s):
            waiting += [(start + a, start + b) for a, b in spans]
            while len(waiting) >= self.plan.batch_size:
                yield from self._batch(waiting[: self.plan.batch_size])
                del waiting[: self.plan.batch_size]
            yield Progress((waiting[0][0] if waiting else start + reached) / RATE_HZ)
        if waiting:
            yield from self._batch(waiting)

    def _batch(self, spans: Sequence[Span]) -> Iterator[Language | Progress | RawSegment]:
        for event in self._windows(spans):
            if isinstance(event, Language):
                yield event
                continue
            yield from self._segments(event, self._pieces(event, whole=True)[0])
            yield Progress(event.end / RATE_HZ)

    # ------------------------------------------------------------------- one batch

    def _windows(self, spans: Sequence[Span]) -> Iterator[Language | _Window]:
        encodings = self.model.encode([self.clip.samples[a:b] for a, b in spans])
        looks = self.model.look(encodings)
        if self._language is None and self.model.vocabulary.languages:
            self._language = _likeliest(looks[0])
            yield Language(self._language, looks[0].languages[self._language])
        languages = [_likeliest(k) if self.plan.detects_again else self._language for k in looks]
        prompts = [self._prompt(language) for language in languages]
        attempts = decode(self.model, encodings, prompts, looks, self.plan.generation)
        for span, *result in zip(spans, encodings, languages, attempts, strict=True):
            yield _Window(*span, *result)

    def _prompt(self, language: str | None) -> list[int]:
        vocabulary = self.model.vocabulary
        prompt = [*self._text_before(), *self._head(language)]
        return prompt if self.plan.generation.times else [*prompt, vocabulary.no_times]

    def _head(self, language: str | None) -> list[int]:
        vocabulary = self.model.vocabulary
        if language is None:
            return [vocabulary.start]
        task = vocabulary.translate if self.plan.translate else vocabulary.transcribe
        return [vocabulary.start, vocabulary.languages[language], task]

    def _text_before(self) -> list[int]:
        """Half of what the model can hold at once, as in openai-whisper; names come first."""
        names = self._tokens(self.plan.hotwords)[: hotwords_room_of(self.model.context)]
        rest = room_of(self.model.context) - len(names)
        before = [*names, *(self._before[-rest:] if rest else ())]
        return [self.model.vocabulary.previous, *before] if before else []

    def _tokens(self, text: str) -> list[int]:
        return self.model.vocabulary.write(" " + text.strip()) if text.strip() else []

    def _remember(self, attempt: Attempt, pieces: Sequence[TextPiece]) -> None:
        """Text for the next window; the one people gave stands before the first one only."""
        if not self.plan.conditions or attempt.temperature > _WILD:
            self._before = []
        else:
            self._before += [token for piece in pieces for token in piece.tokens]

    # ------------------------------------------------------------- window to segments

    def _pieces(self, window: _Window, *, whole: bool) -> tuple[list[TextPiece], float]:
        """What was said, and how far (s) the next window lies behind this one."""
        if silent(window.attempt, self.plan.generation):
            return [], window.length_s
        tokens, first_time = window.attempt.tokens, self.model.vocabulary.first_time
        pieces, advance_s = cut(tokens, first_time, window.length_s, whole=whole)
        # Text without length is a stutter: Whisper itself drops it.
        return [p for p in pieces if p.end_s > p.start_s and self._text(p).strip()], advance_s

    def _segments(self, window: _Window, pieces: Sequence[TextPiece]) -> Iterator[RawSegment]:
        at, alignment = 0, self._alignment(window, pieces)
        for piece in pieces:
            tokens = self.model.vocabulary.text_only(piece.tokens)
            words: list[TimedWord] = []
            if alignment is not None:
                read = self.model.vocabulary.read
                written = "en" if self.plan.translate else window.language
                words = words_of(tokens, alignment, at, read, written)
            at += len(tokens)
            yield self._segment(window, piece, [_moved(w, window.at_s) for w in words])

    def _segment(self, window: _Window, piece: TextPiece, words: Sequence[TimedWord]) -> RawSegment:
        text, attempt = self._text(piece), window.attempt
        return RawSegment(
            start=window.at_s(piece.start_s),
            end=window.at_s(piece.end_s),
            text=text,
            words=words,
            avg_logprob=attempt.avg_logprob,
            no_speech_prob=attempt.no_speech_prob,
            compression_ratio=attempt.compression_ratio,
            temperature=attempt.temperature,
        )

    def _alignment(self, window: _Window, pieces: Sequence[TextPiece]) -> Alignment | None:
        text = [t for p in pieces for t in self.model.vocabulary.text_only(p.tokens)]
        if not (self.plan.words and text):
            return None
        head = self._head(window.language)
        return self.model.align(window.encoding, head, text, window.length_s)

    def _text(self, piece: TextPiece) -> str:
        vocabulary = self.model.vocabulary
        return vocabulary.read(vocabulary.text_only(piece.tokens))


def _likeliest(look: WindowStatistics) -> str:
    return max(look.languages, key=lambda code: look.languages[code])


def _moved(word: TimedWord, at_s: Callable[[float], float]) -> TimedWord:
    return TimedWord(at_s(word.start), at_s(word.end), word.word, word.probability)
