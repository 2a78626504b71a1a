"""Decoding windows until their text is sound: Whisper's way of trying again, less strictly.

As in Whisper's paper (arXiv:2212.04356, section 4.5), text that repeats itself or that the
model is unsure of is decoded again at the next temperature, unless nobody seems to speak.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hybrid_transcribe.engines.common.repetition import compression_ratio
from hybrid_transcribe.engines.transformers.model import (
    Encoding,
    GeneratedText,
    GenerationOptions,
    SpeechModel,
    WindowStatistics,
)


@dataclass(frozen=True, slots=True)
class Attempt:
    """A window's text at one temperature, with what speaks for and against it."""

    tokens: tuple[int, ...]
    avg_logprob: float
    no_speech_prob: float
    compression_ratio: float
    temperature: float


def decode(
    model: SpeechModel,
    encodings: Sequence[Encoding],
    prompts: Sequence[Sequence[int]],
    looks: Sequence[WindowStatistics],
    generation_options: GenerationOptions,
) -> list[Attempt]:
    """One attempt a window: the first sound one, else the last."""
    attempts: dict[int, Attempt] = {}
    todo = list(range(len(encodings)))
    for temperature in generation_options.temperatures:
        answers = model.generate(
            [encodings[n] for n in todo],
            [prompts[n] for n in todo],
            generation_options,
            temperature,
        )
        for n, answer in zip(todo, answers, strict=True):
            attempts[n] = _attempt(model, answer, looks[n], temperature)
        todo = [n for n in todo if _unsound(attempts[n], generation_options)]
        if not todo:
            break
    return [attempts[n] for n in range(len(encodings))]


def silent(attempt: Attempt, generation_options: GenerationOptions) -> bool:
    """True where the model hears nobody and is unsure of its text, too."""
    return (
        attempt.no_speech_prob > generation_options.no_speech_threshold
        and attempt.avg_logprob < generation_options.log_prob_threshold
    )


def _attempt(
    model: SpeechModel, answer: GeneratedText, look: WindowStatistics, temperature: float
) -> Attempt:
    vocabulary = model.vocabulary
    text = vocabulary.read(vocabulary.text_only(answer.tokens)).strip()
    return Attempt(
        answer.tokens, answer.avg_logprob, look.no_speech, compression_ratio(text), temperature
    )


def _unsound(attempt: Attempt, generation_options: GenerationOptions) -> bool:
    repeats = attempt.compression_ratio > generation_options.compression_ratio_threshold
    unsure = attempt.avg_logprob < generation_options.log_prob_threshold
    return (repeats or unsure) and not silent(attempt, generation_options)
