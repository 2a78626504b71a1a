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
from dataclasses import dataclass, replace
from inspect import signature
from typing import Any

import numpy as np
import numpy.typing as npt
from faster_whisper import WhisperModel
from faster_whisper.audio import pad_or_trim
from faster_whisper.tokenizer import Tokenizer
from faster_whisper.transcribe import TranscriptionOptions, get_suppressed_tokens

from hybrid_transcribe.engines.faster_whisper.trimmed.doubt import reason
from hybrid_transcribe.engines.faster_whisper.trimmed.mel import log_mel
from hybrid_transcribe.engines.faster_whisper.trimmed.tail import HEARD_S, Tail
from hybrid_transcribe.engines.listening.listen import Interrupted
from hybrid_transcribe.types import RATE_HZ

Samples = npt.NDArray[np.float32]

#: Digital silence after a piece, in seconds.
SILENCE_S = 5.0

#: Less than this at the end of a piece is not worth another round, in seconds.
LEAST_S = 0.5

#: A language heard in a trimmed window with less than this is looked up in the full one. Over
#: 44 clips in ten languages every wrong one was below.
SURE_LANGUAGE = 0.8


@dataclass(frozen=True, slots=True)
class Heard:
    """A segment shaped like the library's; times count from the start of the clip."""

    start: float
    end: float
    text: str
    words: tuple[Any, ...]
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float
    temperature: float


@dataclass(frozen=True, slots=True)
class Window:
    """An encoded stretch: its encoding, and how many frames of it are audio."""

    encoding: Any
    n_frames: int


class _Doubtful(Exception):
    """Text of a trimmed window that may be wrong."""


class Ear:
    """Hears pieces for one request. Several threads may use it at the same time.

    ``tail`` has the silence behind a piece ready, where the model allows it. ``looks`` counts
    windows heard, ``second_looks`` pieces heard again in the library's way.
    """

    def __init__(self, model: Any, arguments: dict[str, Any], tail: Tail | None = None) -> None:
        self._model, self._tail = model, tail
        self._given = arguments
        self.looks = self.second_looks = 0

    # ----------------------------------------------------------------------- language

    def language(self, samples: Samples) -> tuple[str, float, Window]:
        """The language of a piece with its probability (0..1), and its window."""
        window = self.window(samples)
        code, probability = self._detect(window)
        if probability < SURE_LANGUAGE:
            code, probability = self._detect(self._full(samples))
        return code, probability, window

    def _detect(self, window: Window) -> tuple[str, float]:
        token, probability = self._model.model.detect_language(window.encoding)[0][0]
        return token[2:-2], float(probability)

    # -------------------------------------------------------------------------- text

    def speaker_of(self, language: str) -> Speaker:
        """What is needed to decode in a language."""
        model, given = self._model, self._given
        tokenizer = Tokenizer(
            model.hf_tokenizer,
            model.model.is_multilingual,
            task=given.get("task", "transcribe"),
            language=language,
        )
        return Speaker(tokenizer, _options(tokenizer, given))

    def hear(
        self,
        samples: Samples,
        start_s: float,
        speaker: Speaker,
        cancelled: Callable[[], bool],
        window: Window | None = None,
    ) -> list[Heard]:
        """The segments of a piece that begins at ``start_s`` of its clip.

        ``window`` is that of the piece where it is known. Where any of it is doubtful, all of
        the piece is heard again in the library's own way. Raises Interrupted.
        """
        try:
            return self._first_look(samples, start_s, speaker, cancelled, window)
        except _Doubtful:
            self.second_looks += 1
            return list(self._second_look(samples, start_s, speaker, cancelled))

    def _second_look(
        self, samples: Samples, start_s: float, speaker: Speaker, cancelled: Callable[[], bool]
    ) -> Iterator[Heard]:
        # The library writes into its options.
        options = replace(speaker.options)
        # To the last bit what the library would hear: unsure text hangs on less.
        features = self._model.feature_extractor(samples)
        found = self._model.generate_segments(features, speaker.tokenizer, options, False)
        for one in found:
            if cancelled():
                raise Interrupted
            yield _shifted(one, start_s)

    def _first_look(
        self,
        samples: Samples,
        start_s: float,
        speaker: Speaker,
        cancelled: Callable[[], bool],
        window: Window | None,
    ) -> list[Heard]:
        found: list[Heard] = []
        at, reached_s = 0, 0.0
        while len(samples) - at >= (LEAST_S * RATE_HZ if at else 1):
            if cancelled():
                raise Interrupted
            rest = samples[at:]
            window = window or self.window(rest)
            decoded = self._decode(window, speaker)
            window = None
            if decoded is None:
                break
            offset_s = start_s + at / RATE_HZ
            segments, n_frames = self._segments(decoded, offset_s, speaker, reached_s)
            found += segments
            reached_s = found[-1].end if found else reached_s
            at += n_frames * (RATE_HZ // self._model.frames_per_second)
        return found

    def _decode(self, window: Window, speaker: Speaker) -> Decoded | None:
        """The text of a window, None where nobody speaks. Raises _Doubtful."""
        self.looks += 1
        decoded = self._generate(window, speaker)
        doubt = reason(
            speaker.text(decoded.tokens),
            seconds=window.n_frames / self._model.frames_per_second,
            avg_logprob=decoded.avg_logprob,
            compression_ratio=decoded.compression_ratio,
            # After a prompt without timestamps the decoder often gives none either.
            ended=bool(speaker.prompt) or speaker.ended(decoded.tokens),
        )
        if doubt:
            raise _Doubtful(doubt)
        return None if speaker.is_silence(decoded) else decoded

    def _generate(self, window: Window, speaker: Speaker) -> Decoded:
        model, options = self._model, speaker.first
        prompt = model.get_prompt(
            speaker.tokenizer,
            speaker.prompt,
            without_timestamps=options.without_timestamps,
            hotwords=options.hotwords,
        )
        result, avg_logprob, temperature, compression_ratio = model.generate_with_fallback(
            window.encoding, prompt, speaker.tokenizer, options
        )
        return Decoded(
            window,
            result.sequences_ids[0],
            avg_logprob,
            result.no_speech_prob,
            compression_ratio,
            temperature,
        )

    def _segments(
        self, decoded: Decoded, offset_s: float, speaker: Speaker, reached_s: float
    ) -> tuple[list[Heard], int]:
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
        return list(_heard(cut, decoded, tokenizer)), min(step, n_frames)

    # ----------------------------------------------------------------------- windows

    def window(self, samples: Samples) -> Window:
        """A trimmed window: the piece and the silence that belongs to it."""
        features = self._features(samples, HEARD_S if self._tail else SILENCE_S)
        most = self._model.feature_extractor.nb_max_frames
        # The convolutions halve the frames.
        features = features[..., : min(features.shape[-1] // 2 * 2, most)]
        window = self._encoded(features, samples)
        if self._tail is None:
            return window
        return replace(window, encoding=self._tail.behind(window.encoding, features))

    def _full(self, samples: Samples) -> Window:
        """The window that the library itself would hear."""
        most = self._model.feature_extractor.nb_max_frames
        return self._encoded(pad_or_trim(self._features(samples), most), samples)

    def _features(self, samples: Samples, silence_s: float = 0.0) -> Any:
        # The last frame is the extractor's padding.
        return log_mel(self._model.feature_extractor, samples, int(silence_s * RATE_HZ))[..., :-1]

    def _encoded(self, features: Any, samples: Samples) -> Window:
        per_s = self._model.frames_per_second
        n_frames = min(len(samples) * per_s // RATE_HZ, features.shape[-1])
        return Window(self._model.encode(features), max(n_frames, 1))


@dataclass(frozen=True, slots=True)
class Decoded:
    """What the decoder made of a window."""

    window: Window
    tokens: list[int]
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float
    temperature: float


class Speaker:
    """A language's tokenizer, and how to decode it. ``first`` is for the first look."""

    def __init__(self, tokenizer: Any, options: Any) -> None:
        self.tokenizer = tokenizer
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

    def is_silence(self, decoded: Decoded) -> bool:
        """Whisper's rule: most likely nobody speaks, and the text is unsure besides."""
        no_speech, unsure = self.options.no_speech_threshold, self.options.log_prob_threshold
        if no_speech is None or decoded.no_speech_prob <= no_speech:
            return False
        return unsure is None or decoded.avg_logprob <= unsure


def _heard(cut: Sequence[dict[str, Any]], decoded: Decoded, tokenizer: Any) -> Iterator[Heard]:
    for one in cut:
        text = tokenizer.decode(one["tokens"])
        if one["start"] == one["end"] or not text.strip():
            continue
        yield Heard(
            one["start"],
            one["end"],
            text,
            tuple(_Word(**word) for word in one.get("words", ())),
            decoded.avg_logprob,
            decoded.no_speech_prob,
            decoded.compression_ratio,
            decoded.temperature,
        )


def _shifted(one: Any, by_s: float) -> Heard:
    """A segment of the library's, in the clip's time."""
    words = tuple(
        _Word(w.word, w.start + by_s, w.end + by_s, w.probability) for w in one.words or ()
    )
    return Heard(
        one.start + by_s,
        one.end + by_s,
        one.text,
        words,
        one.avg_logprob,
        one.no_speech_prob,
        one.compression_ratio,
        one.temperature,
    )


@dataclass(frozen=True, slots=True)
class _Word:
    word: str
    start: float
    end: float
    probability: float


def _options(tokenizer: Any, given: dict[str, Any]) -> Any:
    """The library's own options, with its own defaults for what was not given."""
    defaults = {
        name: one.default for name, one in signature(WhisperModel.transcribe).parameters.items()
    }
    how = {**defaults, **given}
    temperature = how["temperature"]
    how["temperatures"] = (
        list(temperature) if isinstance(temperature, (list, tuple)) else [temperature]
    )
    if how["suppress_tokens"]:
        how["suppress_tokens"] = get_suppressed_tokens(tokenizer, list(how["suppress_tokens"]))
    names = TranscriptionOptions.__dataclass_fields__
    return TranscriptionOptions(**{name: how[name] for name in names})
