"""One piece of audio into segments, by an encoder window that is as long as it has to be.

Whisper's encoder hears 30 s whatever the clip's length; CTranslate2's takes shorter windows.
What has to be in one is the clip **and five seconds of digital silence**, put in as audio
before the features are made: with one or two seconds tiny.en goes on talking after the end
(word error rate 28-77 %), with zeros in the features instead of silence everything breaks.
Measured with five seconds on 81 clean and 84 harder English clips: tiny.en 5.4 % against 6.3 %
for the full window and 12.2 against 11.8 %, base 6.1 / 6.6 and 8.4 / 9.7 %. Three of the five
need not be encoded with each piece: see `tail`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any

import numpy as np
import numpy.typing as npt
from faster_whisper import WhisperModel
from faster_whisper.audio import pad_or_trim
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import TranscriptionOptions, get_suppressed_tokens

from hybrid_transcribe.engines.common.postprocess import DecodingInterrupted
from hybrid_transcribe.engines.faster_whisper.sampling import seeded
from hybrid_transcribe.engines.faster_whisper.short_context.fallback_criteria import (
    AVG_LOGPROB,
    TOKENS_MORE,
    TOKENS_PER_S,
    reason,
    too_little,
    voice_goes_on,
)
from hybrid_transcribe.engines.faster_whisper.short_context.mel import log_mel
from hybrid_transcribe.engines.faster_whisper.short_context.silence_padding import (
    HEARD_S,
    SilencePadding,
    rounded_up,
)
from hybrid_transcribe.types import RATE_HZ

Samples = npt.NDArray[np.float32]

#: Digital silence after a piece, in seconds.
SILENCE_S = 5.0

#: Less than this at the end of a piece is not worth another round, in seconds.
LEAST_S = 0.5

#: What one of the encoder's states stands for, in seconds.
STATE_S = 0.02

#: Timestamps a second of text has, at most: two for each segment.
TIMESTAMPS_PER_S = 2.0

#: A language heard in a trimmed window with less than this is looked up in the full one. Over
#: 44 clips in ten languages every wrong one was below.
SURE_LANGUAGE = 0.8


@dataclass(frozen=True, slots=True)
class DecodedSegment:
    """A segment shaped like the library's; times count from the start of the clip."""

    start: float
    end: float
    text: str
    words: tuple[Any, ...]
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float
    temperature: float
    language: str | None = None


@dataclass(frozen=True, slots=True)
class EncodedWindow:
    """An encoded stretch: its encoding, how many frames of it are audio, and its whole length."""

    encoding: Any
    n_frames: int
    length_s: float


class _Doubtful(Exception):
    """Text of a trimmed window that may be wrong."""


class PieceDecoder:
    """Hears pieces for one request. Several threads may use it at the same time.

    ``tail`` has the silence behind a piece ready, where the model allows it. Windows are as long
    as a multiple of ``step_s``: pieces of equal length can be decoded together. ``looks`` counts
    windows heard, ``second_looks`` pieces heard again in the library's way.
    """

    def __init__(
        self,
        model: Any,
        arguments: dict[str, Any],
        tail: SilencePadding | None = None,
        step_s: float = 0.0,
    ) -> None:
        self._model, self._tail, self._step_s = model, tail, step_s
        self._arguments = arguments
        self.looks = self.second_looks = 0

    # ----------------------------------------------------------------------- language

    def language(
        self, samples: Samples, canceled: Callable[[], bool]
    ) -> tuple[str, float, EncodedWindow]:
        """The language of a piece with its probability (0..1), and its window.

        Raises Interrupted.
        """
        with self.interruptible(canceled):
            window = self.window(samples)
            code, probability = self._detect(window)
            if probability < SURE_LANGUAGE:
                code, probability = self._detect(self._full(samples))
        return code, probability, window

    def language_probabilities(
        self, samples: Samples, canceled: Callable[[], bool], *, thorough: bool = False
    ) -> tuple[dict[str, float], EncodedWindow]:
        """Every language's probability (0..1) in a piece, and its window.

        ``thorough`` looks in the full window where the trimmed one is not sure. Raises Interrupted.
        """
        with self.interruptible(canceled):
            window = self.window(samples)
            result = self._probabilities(window)
            if thorough and max(result.values()) < SURE_LANGUAGE:
                result = self._probabilities(self._full(samples))
        return result, window

    def _detect(self, window: EncodedWindow) -> tuple[str, float]:
        return next(iter(self._probabilities(window).items()))

    def _probabilities(self, window: EncodedWindow) -> dict[str, float]:
        """By language, the most probable first."""
        detected = self._model.model.detect_language(window.encoding)[0]
        return {token[2:-2]: float(probability) for token, probability in detected}

    # -------------------------------------------------------------------------- text

    def speaker_of(self, language: str) -> DecodingContext:
        """What is needed to decode in a language."""
        model, value = self._model, self._arguments
        tokenizer = Tokenizer(
            model.hf_tokenizer,
            model.model.is_multilingual,
            task=value.get("task", "transcribe"),
            language=language,
        )
        least_logprob = value.get("log_prob_threshold", AVG_LOGPROB)
        return DecodingContext(tokenizer, _options(tokenizer, value), least_logprob)

    def hear(
        self,
        samples: Samples,
        start_s: float,
        speaker: DecodingContext,
        canceled: Callable[[], bool],
        window: EncodedWindow | None = None,
        disputed: bool = False,
    ) -> list[DecodedSegment]:
        """The segments of a piece that begins at ``start_s`` of its clip.

        ``window`` is that of the piece where it is known. Where any of it is doubtful, all of
        the piece is heard again in the library's own way, where its being speech is ``disputed``
        at the first temperature only: music would be tried at six. Raises Interrupted.
        """
        options = speaker.first if disputed else speaker.options
        with self.interruptible(canceled):
            try:
                return self._first_look(samples, start_s, speaker, canceled, window)
            except _Doubtful:
                self.second_looks += 1
                items = list(self._second_look(samples, start_s, speaker, options, canceled))
                behind, behind_s = _behind(items, samples, start_s)
                if voice_goes_on(behind):
                    items += self._second_look(behind, behind_s, speaker, options, canceled)
                return items

    def interruptible(self, canceled: Callable[[], bool]) -> AbstractContextManager[None]:
        """Within this, calls of the model that wait for their turn raise Interrupted."""
        within = getattr(self._model.model, "interruptible", None)
        return within(canceled) if within else nullcontext()

    def _second_look(
        self,
        samples: Samples,
        start_s: float,
        speaker: DecodingContext,
        parameters: Any,
        canceled: Callable[[], bool],
    ) -> Iterator[DecodedSegment]:
        # The library writes into its options.
        options = replace(parameters)
        # To the last bit what the library would hear: unsure text hangs on less.
        features = self._model.feature_extractor(samples)
        model = seeded(self._model)
        result = model.generate_segments(features, speaker.tokenizer, options, False)
        for item in result:
            if canceled():
                raise DecodingInterrupted
            yield _shifted(item, start_s)

    def _first_look(
        self,
        samples: Samples,
        start_s: float,
        speaker: DecodingContext,
        canceled: Callable[[], bool],
        window: EncodedWindow | None,
    ) -> list[DecodedSegment]:
        items: list[DecodedSegment] = []
        at, reached_s = 0, 0.0
        while len(samples) - at >= (LEAST_S * RATE_HZ if at else 1):
            if canceled():
                raise DecodingInterrupted
            rest = samples[at:]
            window = window or self.window(rest)
            decoded = self._decode(window, speaker)
            window = None
            if decoded is None:
                break
            offset_s = start_s + at / RATE_HZ
            segments, n_frames = self._segments(decoded, offset_s, speaker, reached_s)
            decoded_samples = rest[: n_frames * (RATE_HZ // self._model.frames_per_second)]
            if too_little(len(speaker.text(decoded.tokens)), decoded_samples):
                raise _Doubtful("too little text")
            if voice_goes_on(_behind(segments, decoded_samples, offset_s)[0]):
                raise _Doubtful("a voice goes on")
            items += segments
            reached_s = items[-1].end if items else reached_s
            at += n_frames * (RATE_HZ // self._model.frames_per_second)
        return items

    def _decode(self, window: EncodedWindow, speaker: DecodingContext) -> DecodedText | None:
        """The text of a window, None where nobody speaks. Raises _Doubtful."""
        self.looks += 1
        most_tokens = _most_tokens(window, speaker)
        decoded = self._generate(window, speaker, most_tokens)
        doubt = reason(
            speaker.text(decoded.tokens),
            seconds=window.n_frames / self._model.frames_per_second,
            avg_logprob=decoded.avg_logprob,
            compression_ratio=decoded.compression_ratio,
            least_logprob=speaker.least_logprob,
            # After a prompt without timestamps the decoder often gives none either.
            ended=len(decoded.tokens) < most_tokens
            and (bool(speaker.prompt) or speaker.ended(decoded.tokens)),
        )
        if doubt:
            raise _Doubtful(doubt)
        return None if speaker.is_silence(decoded) else decoded

    def _generate(
        self, window: EncodedWindow, speaker: DecodingContext, most_tokens: int
    ) -> DecodedText:
        model = self._model
        prompt = model.get_prompt(
            speaker.tokenizer,
            speaker.prompt,
            without_timestamps=speaker.first.without_timestamps,
            hotwords=speaker.first.hotwords,
        )
        most_tokens = min(most_tokens, model.max_length - len(prompt))
        options = replace(speaker.first, max_new_tokens=most_tokens)
        result, avg_logprob, temperature, compression_ratio = model.generate_with_fallback(
            window.encoding, prompt, speaker.tokenizer, options
        )
        return DecodedText(
            window,
            result.sequences_ids[0],
            avg_logprob,
            result.no_speech_prob,
            compression_ratio,
            temperature,
        )

    def _segments(
        self, decoded: DecodedText, offset_s: float, speaker: DecodingContext, reached_s: float
    ) -> tuple[list[DecodedSegment], int]:
        """Segments, and after how many frames the next round begins."""
        model, tokenizer, n_frames = self._model, speaker.tokenizer, decoded.window.n_frames
        first = round(offset_s * model.frames_per_second)
        cut, seek, _ = model._split_segments_by_timestamps(
            tokenizer=tokenizer,
            tokens=decoded.tokens,
            time_offset=offset_s,
            segment_size=n_frames,
            segment_duration=n_frames / model.frames_per_second,
            seek=first,
        )
        if speaker.options.word_timestamps:
            model.add_word_timestamps(
                [cut],
                tokenizer,
                decoded.window.encoding,
                n_frames,
                speaker.options.prepend_punctuations,
                speaker.options.append_punctuations,
                last_speech_timestamp=reached_s,
            )
        # Every round goes on, whatever the decoder says.
        step = max(seek - first, model.frames_per_second // 2)
        return list(_segments(cut, decoded, tokenizer)), min(step, n_frames)

    # ----------------------------------------------------------------------- windows

    def window(self, samples: Samples) -> EncodedWindow:
        """A trimmed window: the piece and the silence that belongs to it."""
        features = self._features(samples, self._silence_s(len(samples)))
        most = self._model.feature_extractor.nb_max_frames
        # The convolutions halve the frames.
        features = features[..., : min(features.shape[-1] // 2 * 2, most)]
        window = self._encoded(features, samples)
        if self._tail is None:
            return window
        encoding = self._tail.behind(window.encoding, features, self._step_s)
        return replace(window, encoding=encoding, length_s=encoding.shape[1] * STATE_S)

    def _silence_s(self, n_samples: int) -> float:
        """Silence that is encoded with a piece."""
        if self._tail is not None:
            return HEARD_S
        n = n_samples + int(SILENCE_S * RATE_HZ)
        return (rounded_up(n, int(self._step_s * RATE_HZ)) - n_samples) / RATE_HZ

    def _full(self, samples: Samples) -> EncodedWindow:
        """The window that the library itself would hear."""
        most = self._model.feature_extractor.nb_max_frames
        return self._encoded(pad_or_trim(self._features(samples), most), samples)

    def _features(self, samples: Samples, silence_s: float = 0.0) -> Any:
        # The last frame is the extractor's padding.
        return log_mel(self._model.feature_extractor, samples, int(silence_s * RATE_HZ))[..., :-1]

    def _encoded(self, features: Any, samples: Samples) -> EncodedWindow:
        per_s = self._model.frames_per_second
        n_frames = min(len(samples) * per_s // RATE_HZ, features.shape[-1])
        length_s = features.shape[-1] / per_s
        return EncodedWindow(self._model.encode(features), max(n_frames, 1), length_s)


def _behind(
    items: Sequence[DecodedSegment], samples: Samples, start_s: float
) -> tuple[Samples, float]:
    """Samples behind the last segment, and when (s) they begin; none where there is no segment."""
    if not items:
        return samples[:0], start_s
    at = max(round((items[-1].end - start_s) * RATE_HZ), 0)
    return samples[at:], start_s + at / RATE_HZ


@dataclass(frozen=True, slots=True)
class DecodedText:
    """What the decoder made of a window."""

    window: EncodedWindow
    tokens: list[int]
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float
    temperature: float


class DecodingContext:
    """A language's tokenizer, and how to decode it. ``first`` is for the first look.

    Text of the first look below ``least_logprob`` is doubtful.
    """

    def __init__(self, tokenizer: Any, options: Any, least_logprob: float = AVG_LOGPROB) -> None:
        self.tokenizer, self.least_logprob = tokenizer, least_logprob
        self.options = options
        self.first = replace(options, temperatures=options.temperatures[:1])
        prompt = options.initial_prompt
        self.prompt: Sequence[int] = tokenizer.encode(" " + prompt.strip()) if prompt else ()

    def text(self, tokens: Sequence[int]) -> list[int]:
        """Tokens without timestamps."""
        return [t for t in tokens if t < self.tokenizer.eot]

    def ended(self, tokens: Sequence[int]) -> bool:
        """The decoder said when the text ends."""
        return self.options.without_timestamps or (
            bool(tokens) and tokens[-1] >= self.tokenizer.timestamp_begin
        )

    def is_silence(self, decoded: DecodedText) -> bool:
        """Whisper's rule: most likely nobody speaks, and the text is unsure besides."""
        no_speech, unsure = self.options.no_speech_threshold, self.options.log_prob_threshold
        if no_speech is None or decoded.no_speech_prob <= no_speech:
            return False
        return unsure is None or decoded.avg_logprob <= unsure


def _most_tokens(window: EncodedWindow, speaker: DecodingContext) -> int:
    """Tokens after which what is decoded is doubtful anyway.

    Equal for windows of equal length: pieces that are decoded together stop together. Without
    it, a loop went on for 448 tokens, and its neighbours waited for their text.
    """
    most = int((TOKENS_PER_S + TIMESTAMPS_PER_S) * window.length_s) + TOKENS_MORE
    return min(most, speaker.first.max_new_tokens or most)


def _segments(
    cut: Sequence[dict[str, Any]], decoded: DecodedText, tokenizer: Any
) -> Iterator[DecodedSegment]:
    for item in cut:
        text = tokenizer.decode(item["tokens"])
        if item["start"] == item["end"] or not text.strip():
            continue
        yield DecodedSegment(
            item["start"],
            item["end"],
            text,
            tuple(_Word(**word) for word in item.get("words", ())),
            decoded.avg_logprob,
            decoded.no_speech_prob,
            decoded.compression_ratio,
            decoded.temperature,
        )


def _shifted(item: Any, by_s: float) -> DecodedSegment:
    """A segment of the library's, in the clip's time."""
    words = tuple(
        _Word(w.word, w.start + by_s, w.end + by_s, w.probability) for w in item.words or ()
    )
    return DecodedSegment(
        item.start + by_s,
        item.end + by_s,
        item.text,
        words,
        item.avg_logprob,
        item.no_speech_prob,
        item.compression_ratio,
        item.temperature,
    )


@dataclass(frozen=True, slots=True)
class _Word:
    word: str
    start: float
    end: float
    probability: float


def _options(tokenizer: Any, fields: dict[str, Any]) -> Any:
    """The library's own options, with its own defaults for what was not given."""
    defaults = {
        name: item.default for name, item in signature(WhisperModel.transcribe).parameters.items()
    }
    options = {**defaults, **fields}
    temperature = options["temperature"]
    options["temperatures"] = (
        list(temperature) if isinstance(temperature, (list, tuple)) else [temperature]
    )
    if options["suppress_tokens"]:
        options["suppress_tokens"] = get_suppressed_tokens(
            tokenizer, list(options["suppress_tokens"])
        )
    names = TranscriptionOptions.__dataclass_fields__
    return TranscriptionOptions(**{name: options[name] for name in names})
