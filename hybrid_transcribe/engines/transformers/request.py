"""From our options to what the loop over windows does, saying what cannot be honoured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from hybrid_transcribe.engines.common.prompt import length_notices
from hybrid_transcribe.engines.common.request import Draft, set_language, set_task, stretches_inside
from hybrid_transcribe.engines.transformers.distil import WINDOW_S
from hybrid_transcribe.engines.transformers.model import GenerationOptions, SpeechModel
from hybrid_transcribe.errors import InvalidOption
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import Clip, Options

#: Our options to fields of `GenerationOptions`.
_HOW = {
    "beam_size": "beam_size",
    "best_of": "best_of",
    "length_penalty": "length_penalty",
    "repetition_penalty": "repetition_penalty",
    "no_repeat_ngram_size": "no_repeat_ngram_size",
    "suppress_blank": "suppress_blank",
    "suppress_tokens": "suppress_tokens",
    "max_new_tokens": "max_new_tokens",
    "temperature": "temperatures",
    "compression_ratio_threshold": "compression_ratio_threshold",
    "log_prob_threshold": "log_prob_threshold",
    "no_speech_threshold": "no_speech_threshold",
}

#: Every option this engine honours.
HONOURED = frozenset(_HOW) | {
    "language",
    "task",
    "word_timestamps",
    "vad_filter",
    "silence_guard",
    "compute_type",
    "batch_size",
    "initial_prompt",
    "hotwords",
    "condition_on_previous_text",
    "without_timestamps",
    "chunk_length",
    "clip_timestamps",
    "multilingual",
}

_COUNTS = ("beam_size", "best_of", "batch_size", "max_new_tokens", "chunk_length")


@dataclass(frozen=True, slots=True)
class TransformersRequest:
    """One clip's transcription.

    Attributes:
        language: ISO 639-1 code, None to detect it or for a model that only knows English.
        window_s: how much is decoded at once, at most.
        stretches: what is to be decoded, as start and end (s in the clip).
        by_voice: cut the stretches where nobody speaks, and decode ``batch_size`` at once.
        detects_again: find the language of every window.
        notices: what cannot be honoured, one line each.
    """

    generation: GenerationOptions
    language: str | None
    translate: bool
    window_s: float
    stretches: tuple[tuple[float, float], ...]
    by_voice: bool
    batch_size: int
    words: bool
    detects_again: bool
    conditions: bool
    prompt: str
    hotwords: str
    notices: tuple[str, ...]


def plan_for(options: Options, clip: Clip, model: SpeechModel, name: str) -> TransformersRequest:
    """What to do. Raises InvalidOption naming the value and the choices."""
    _check(options)
    languages = tuple(model.vocabulary.languages) or ("en",)
    draft = Draft(options.given())
    set_task(draft, options.task, languages, name)
    set_language(draft, options.language, languages, name)
    draft.notices += length_notices(
        options, model.context, lambda text: len(model.vocabulary.write(f" {text.strip()}"))
    )
    by_voice = _by_voice(options, clip, model.stretch_s, draft.notices)
    return TransformersRequest(
        generation=_generation(options),
        language=draft.arguments.get("language") if len(languages) > 1 else None,
        translate=draft.arguments.get("task") == "translate",
        window_s=float(options.chunk_length or (model.stretch_s if by_voice else WINDOW_S)),
        stretches=_stretches(options, clip),
        by_voice=by_voice,
        batch_size=(options.batch_size or 1) if by_voice else 1,
        words=_words(options, model, name, draft.notices),
        detects_again=bool(options.multilingual) and len(languages) > 1,
        conditions=_conditions(options, by_voice, draft.notices),
        prompt=options.initial_prompt or "",
        hotwords=options.hotwords or "",
        notices=tuple(draft.notices),
    )


def _check(options: Options) -> None:
    for name in _COUNTS:
        value = getattr(options, name)
        if value is not None and value < 1:
            raise InvalidOption(UserMessage("option_bound", option=name, least=1, value=value))
    if options.chunk_length is not None and options.chunk_length > WINDOW_S:
        raise InvalidOption(UserMessage("option_chunk", most=WINDOW_S, value=options.chunk_length))
    for temperature in options.temperature or ():
        if temperature < 0:
            raise InvalidOption(UserMessage("option_temperature", value=temperature))


def _generation(options: Options) -> GenerationOptions:
    fields = {
        ours: value
        for name, ours in _HOW.items()
        # No temperature at all would decode nothing; no token suppressed is a choice.
        if (value := getattr(options, name)) is not None and (value or ours != "temperatures")
    }
    return replace(GenerationOptions(), times=not options.without_timestamps, **_tuples(fields))


def _tuples(fields: Mapping[str, Any]) -> dict[str, Any]:
    return {k: tuple(v) if isinstance(v, list | tuple) else v for k, v in fields.items()}


def _by_voice(options: Options, clip: Clip, stretch_s: float, notices: list[str]) -> bool:
    batched = (options.batch_size or 1) > 1
    if not batched or options.vad_filter is not False:
        return batched or bool(options.vad_filter)
    if clip.duration_s >= (options.chunk_length or stretch_s):
        notices.append(UserMessage("needs_vad"))
    return False


def _conditions(options: Options, by_voice: bool, notices: list[str]) -> bool:
    requested = bool(options.condition_on_previous_text)
    if requested and by_voice:
        notices.append(UserMessage("no_conditions"))
    return requested and not by_voice


def _words(options: Options, model: SpeechModel, name: str, notices: list[str]) -> bool:
    if options.word_timestamps and not model.aligns:
        notices.append(UserMessage("words_not_timed", model=name))
    return options.word_timestamps and model.aligns


def _stretches(options: Options, clip: Clip) -> tuple[tuple[float, float], ...]:
    if not options.clip_timestamps:
        return ((0.0, clip.duration_s),)
    return tuple(stretches_inside(options.clip_timestamps, clip))
