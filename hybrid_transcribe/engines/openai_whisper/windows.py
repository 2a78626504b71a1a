"""openai-whisper's way through a recording, window by window, each yielded once it is final.

``whisper.transcribe`` returns only at the end of the audio, and cannot be stopped. This goes the
same way (the rules and figures are that function's, of version 20250625), asking the library
for what is hard: spectrogram, decoding and word times. Tests hold the two against each other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Protocol

from hybrid_transcribe.engines.openai_whisper import hallucinations
from hybrid_transcribe.engines.openai_whisper.pieces import (
    FRAME_SAMPLES,
    WINDOW_FRAMES,
    WhisperWindow,
    WindowPiece,
)
from hybrid_transcribe.engines.openai_whisper.request import OpenAIWhisperRequest
from hybrid_transcribe.interfaces import Progress
from hybrid_transcribe.types import RATE_HZ

FRAMES_PER_S = RATE_HZ // FRAME_SAMPLES

#: Frames between two timestamps of the model, which are 0.02 s apart.
STAMP_FRAMES = 2

_STAMP_S = STAMP_FRAMES * FRAME_SAMPLES / RATE_HZ

#: Text found at a higher temperature is no good example for the next window.
_MOST_TRUSTED_TEMPERATURE = 0.5


class WindowModel(Protocol):
    """What the way through a recording asks of a model; see `openai_whisper.model.Model`."""

    def window(self, sound: Any, window: WhisperWindow) -> Any: ...

    def decode(self, mel: Any, options: dict[str, Any]) -> Any: ...

    def time_words(
        self,
        pieces: list[WindowPiece],
        mel: Any,
        window: WhisperWindow,
        tokenizer: Any,
        last_speech_s: float,
    ) -> None: ...


class Windows:
    """The way through one clip, once.

    ``sound`` is the model's own form of it, ``request.language`` is known by now.
    """

    def __init__(
        self, model: WindowModel, sound: Any, tokenizer: Any, request: OpenAIWhisperRequest
    ) -> None:
        self._model, self._sound, self._tokenizer = model, sound, tokenizer
        self._request = request
        prompt = request.initial_prompt
        self._said: list[int] = [] if prompt is None else tokenizer.encode(" " + prompt.strip())
        self._prompt_from = 0
        self._seek = 0
        self._last_speech_s = 0.0

    def __iter__(self) -> Iterator[WindowPiece | Progress]:
        for begin, end in self._stretches():
            self._seek = begin
            while self._seek < end:
                window = WhisperWindow(self._seek, min(WINDOW_FRAMES, end - self._seek))
                pieces = self._heard_in(window)
                # The library would stay here for ever.
                if self._seek <= window.seek:
                    self._seek = window.seek + window.size
                yield from pieces
                yield Progress(min(self._seek, end) / FRAMES_PER_S)

    def _stretches(self) -> list[tuple[int, int]]:
        """What is to be decoded, in frames."""
        whole: int = self._sound.n_frames
        requested = self._request.stretches
        if requested is None:
            return [(0, whole)]
        return [
            (round(start * FRAMES_PER_S), min(whole, round(end * FRAMES_PER_S)))
            for start, end in requested
        ]

    # -------------------------------------------------------------------- one window

    def _heard_in(self, window: WhisperWindow) -> list[WindowPiece]:
        """What is said in a window; moves on to where the next one begins."""
        mel = self._model.window(self._sound, window)
        result = self._decoded(mel)
        if self._is_silence(result):
            self._seek = window.seek + window.size
            return []
        begin = self._tokenizer.timestamp_begin
        pieces, used = cut(result.tokens, begin, window)
        self._seek = window.seek + used
        self._describe(pieces, result)
        if self._request.word_timestamps:
            self._model.time_words(pieces, mel, window, self._tokenizer, self._last_speech_s)
            match = self._after_words(pieces, window, ends_closed(result.tokens, begin))
            if match is None:
                return []
            pieces = match
        pieces = [piece for piece in pieces if piece.says_something]
        self._remember(pieces, result.temperature)
        return pieces

    def _decoded(self, mel: Any) -> Any:
        """The first good enough answer, the temperature rising with every attempt."""
        same = {
            **self._request.decoding,
            "language": self._request.language,
            "task": self._request.task,
            "prompt": self._said[self._prompt_from :],
        }
        result = None
        for temperature in self._request.temperatures:
            options = {**same, "temperature": temperature}
            for unused in ("beam_size", "patience") if temperature > 0 else ("best_of",):
                options.pop(unused, None)
            result = self._model.decode(mel, options)
            if self._good_enough(result):
                break
        return result

    def _good_enough(self, result: Any) -> bool:
        requested = self._request
        unsure = result.avg_logprob < requested.log_prob_threshold
        if unsure and result.no_speech_prob > requested.no_speech_threshold:
            # Silence: no other temperature hears more in it.
            return True
        return not unsure and result.compression_ratio <= requested.compression_ratio_threshold

    def _is_silence(self, result: Any) -> bool:
        requested = self._request
        return bool(
            result.no_speech_prob > requested.no_speech_threshold
            and not result.avg_logprob > requested.log_prob_threshold
        )

    def _describe(self, pieces: list[WindowPiece], result: Any) -> None:
        for piece in pieces:
            text = [token for token in piece.tokens if token < self._tokenizer.eot]
            piece.text = self._tokenizer.decode(text)
            piece.avg_logprob = result.avg_logprob
            piece.no_speech_prob = result.no_speech_prob
            piece.compression_ratio = result.compression_ratio
            piece.temperature = result.temperature

    def _remember(self, pieces: list[WindowPiece], temperature: float) -> None:
        """What was said, as the prompt of the next window."""
        for piece in pieces:
            self._said += piece.tokens
        if not self._request.condition_on_previous_text or temperature > _MOST_TRUSTED_TEMPERATURE:
            self._prompt_from = len(self._said)

    # --------------------------------------------------------------- once words are timed

    def _after_words(
        self, pieces: list[WindowPiece], window: WhisperWindow, closed: bool
    ) -> list[WindowPiece] | None:
        """Words say better than timestamps how far a window was heard.

        None where the window is to be heard again from later on.
        """
        end_s = _end_of(pieces)
        if not closed and end_s is not None and end_s > window.start_s:
            self._seek = round(end_s * FRAMES_PER_S)
            longest = self._request.hallucination_silence_threshold
            if longest is not None and window.end_s - end_s <= longest:
                self._seek = window.seek + window.size
        result = self._without_inventions(pieces, window)
        if result:
            self._last_speech_s = _end_of(result) or 0.0
        return result

    def _without_inventions(
        self, pieces: list[WindowPiece], window: WhisperWindow
    ) -> list[WindowPiece] | None:
        longest_s = self._request.hallucination_silence_threshold
        if longest_s is None:
            return pieces
        silence_s = hallucinations.silence_before(pieces, window)
        if silence_s > longest_s:
            self._seek = window.seek + round(silence_s * FRAMES_PER_S)
            return None
        first = hallucinations.first_invented(pieces, window, longest_s, self._last_speech_s)
        if first is None:
            return pieces
        invented = pieces[first]
        self._seek = round(max(window.start_s + 1, invented.start) * FRAMES_PER_S)
        whole: int = self._sound.n_frames
        if whole * FRAME_SAMPLES / RATE_HZ - invented.end < longest_s:
            self._seek = whole
        return pieces[:first]


def cut(tokens: Sequence[int], begin: int, window: WhisperWindow) -> tuple[list[WindowPiece], int]:
    """A window's tokens as segments, and how many of its frames they account for.

    Tokens from ``begin`` on are timestamps. Two in a row end one segment and begin the next;
    what follows the last such pair was cut off by the window's end and is heard again, unless
    it is closed by a timestamp: then nothing more is said in this window.
    """
    stamps = [token >= begin for token in tokens]
    edges = [i for i in range(1, len(tokens)) if stamps[i - 1] and stamps[i]]
    if not edges:
        return [_whole(tokens, begin, window)], window.size
    closed = ends_closed(tokens, begin)
    used = window.size if closed else (tokens[edges[-1] - 1] - begin) * STAMP_FRAMES
    if closed:
        edges.append(len(tokens))
    spans = [list(tokens[a:b]) for a, b in zip([0, *edges], edges, strict=False)]
    return [
        WindowPiece(
            window.start_s + (span[0] - begin) * _STAMP_S,
            window.start_s + (span[-1] - begin) * _STAMP_S,
            span,
        )
        for span in spans
    ], used


def ends_closed(tokens: Sequence[int], begin: int) -> bool:
    """True where a single timestamp ends the window: nothing is said after it."""
    return [token >= begin for token in tokens[-2:]] == [False, True]


def _whole(tokens: Sequence[int], begin: int, window: WhisperWindow) -> WindowPiece:
    """The one segment of a window; its last timestamp, if any, says where it ends."""
    stamps = [token for token in tokens if token >= begin]
    length_s = window.length_s
    if stamps and stamps[-1] != begin:
        length_s = (stamps[-1] - begin) * _STAMP_S
    return WindowPiece(window.start_s, window.start_s + length_s, list(tokens))


def _end_of(pieces: Sequence[WindowPiece]) -> float | None:
    """Where the last word ends, or without words the last segment."""
    ends = (word.end for piece in reversed(pieces) for word in reversed(piece.words or ()))
    return next(ends, pieces[-1].end if pieces else None)
