"""From our options to what openai-whisper is asked for, saying what cannot be honoured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from hybrid_transcribe.engines.common.request import Draft, set_language, set_task, stretches_inside
from hybrid_transcribe.errors import InvalidOption
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import Clip, Options

#: Ours to the names of ``whisper.DecodingOptions``.
_DECODING = {
    "beam_size": "beam_size",
    "best_of": "best_of",
    "patience": "patience",
    "length_penalty": "length_penalty",
    "suppress_blank": "suppress_blank",
    "suppress_tokens": "suppress_tokens",
    "without_timestamps": "without_timestamps",
    "max_new_tokens": "sample_len",
}

#: Every field of `Options` the library has something for. ``prefix`` is not among them: with
#: timestamps, the library's rules allow only a timestamp after it, so that nothing is heard.
HONOURED = frozenset(
    {
        *_DECODING,
        "language",
        "task",
        "word_timestamps",
        "silence_guard",
        "compute_type",
        "temperature",
        "initial_prompt",
        "condition_on_previous_text",
        "compression_ratio_threshold",
        "log_prob_threshold",
        "no_speech_threshold",
        "hallucination_silence_threshold",
        "clip_timestamps",
    }
)

#: What goes into a `OpenAIWhisperRequest` under its own name (but for ``temperature``).
_ASKED = HONOURED - set(_DECODING) - {"silence_guard", "compute_type", "clip_timestamps"}

_AT_LEAST = {"beam_size": 1, "best_of": 1, "max_new_tokens": 1, "patience": 0.1}


@dataclass(frozen=True, slots=True)
class OpenAIWhisperRequest:
    """What is wanted of one clip. The defaults are those of ``whisper.transcribe``.

    Attributes:
        decoding: arguments of ``whisper.DecodingOptions``, without temperature and prompt.
        stretches: what to decode, in seconds of the clip; None for all of it.
        empty: the stretches asked for lie outside this clip.
        notices: what cannot be honoured, one line each.
    """

    decoding: dict[str, Any]
    language: str | None = None
    task: str = "transcribe"
    word_timestamps: bool = False
    temperatures: tuple[float, ...] = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
    compression_ratio_threshold: float = 2.4
    log_prob_threshold: float = -1.0
    no_speech_threshold: float = 0.6
    hallucination_silence_threshold: float | None = None
    initial_prompt: str | None = None
    condition_on_previous_text: bool = True
    stretches: tuple[tuple[float, float], ...] | None = None
    empty: bool = False
    notices: tuple[str, ...] = ()


def request_for(
    options: Options, clip: Clip, languages: Sequence[str], model_name: str
) -> OpenAIWhisperRequest:
    """What to ask of the library. ``languages`` are those of the loaded model.

    Raises InvalidOption naming the value and the choices.
    """
    value = options.given()
    _check(value)
    draft = Draft({k: v for k, v in value.items() if k in _ASKED})
    set_task(draft, options.task, languages, model_name)
    set_language(draft, options.language, languages, model_name)
    _set_decoding(draft, value)
    _set_words(draft)
    if temperatures := draft.arguments.pop("temperature", None):
        draft.arguments["temperatures"] = tuple(temperatures)
    if options.clip_timestamps:
        inside = tuple(stretches_inside(options.clip_timestamps, clip))
        draft.arguments.update(stretches=inside, empty=not inside)
    return OpenAIWhisperRequest(**draft.arguments, notices=tuple(draft.notices))


def _check(fields: dict[str, Any]) -> None:
    for name, least in _AT_LEAST.items():
        if name in fields and fields[name] < least:
            raise InvalidOption(
                UserMessage("option_bound", option=name, least=least, value=fields[name])
            )
    if not 0 <= fields.get("length_penalty", 1) <= 1:
        raise InvalidOption(UserMessage("option_penalty", value=fields["length_penalty"]))
    for temperature in fields.get("temperature", ()):
        if temperature < 0:
            raise InvalidOption(UserMessage("option_temperature", value=temperature))


def _set_decoding(draft: Draft, fields: dict[str, Any]) -> None:
    decoding = {theirs: fields[ours] for ours, theirs in _DECODING.items() if ours in fields}
    if decoding.get("beam_size") == 1:
        # A beam of one finds what the greedy search finds, with more work.
        del decoding["beam_size"]
    if "patience" in decoding and "beam_size" not in decoding:
        del decoding["patience"]
        draft.notices.append(UserMessage("patience_ignored"))
    draft.arguments["decoding"] = decoding


def _set_words(draft: Draft) -> None:
    words = draft.arguments.get("word_timestamps", False)
    if words and draft.arguments.get("task") == "translate":
        draft.notices.append(UserMessage("translated_words"))
    if not words and draft.arguments.pop("hallucination_silence_threshold", None) is not None:
        draft.notices.append(UserMessage("needs_words"))
