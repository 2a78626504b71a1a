"""From our options to the arguments of faster-whisper, saying what cannot be honoured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from hybrid_transcribe.engines.common.request import Draft, set_language, set_task, stretches_inside
from hybrid_transcribe.errors import InvalidOption
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import WHO_SPEAKS, Clip, Options

#: Options that are no arguments of a transcription: ours, or used when the model is loaded.
_NOT_ARGUMENTS = (
    *("silence_guard", "compute_type", "batch_size", "context", "languages"),
    *("audio_track", "channels", "postprocess"),
    *("diarize", *WHO_SPEAKS),
)

#: What the library's batched pipeline accepts and ignores, by its documentation.
_NOT_BATCHED = (
    "condition_on_previous_text",
    "prefix",
    "compression_ratio_threshold",
    "log_prob_threshold",
    "no_speech_threshold",
    "hallucination_silence_threshold",
)


_ANY_LANGUAGE = UserMessage("languages_ignored")

_DECODED_TOGETHER = UserMessage("decoded_together")


@dataclass(frozen=True, slots=True)
class FasterWhisperRequest:
    """One call of the library.

    Attributes:
        arguments: only what was given; the rest keeps the library's defaults.
        batch_size: windows at once, None to decode in sequence.
        notices: what cannot be honoured, one line each.
        empty: the stretches asked for lie outside this clip.
    """

    arguments: dict[str, Any]
    batch_size: int | None = None
    notices: tuple[str, ...] = ()
    empty: bool = False


def request_for(
    options: Options, clip: Clip, languages: Sequence[str], model_name: str
) -> FasterWhisperRequest:
    """How to call the library. ``languages`` are those of the loaded model.

    Raises InvalidOption naming the value and the choices.
    """
    fields = {k: v for k, v in options.given().items() if k not in _NOT_ARGUMENTS}
    draft = Draft(fields)
    set_task(draft, options.task, languages, model_name)
    set_language(draft, options.language, languages, model_name)
    batch_size = _batch_size(draft, options, clip)
    empty = _set_stretches(draft, options.clip_timestamps, clip, batch_size is not None)
    for name in ("temperature", "suppress_tokens"):
        if name in draft.arguments:
            draft.arguments[name] = list(draft.arguments[name])
    if options.hallucination_silence_threshold is not None and not options.word_timestamps:
        draft.notices.append(UserMessage("needs_words"))
    if options.languages and len(languages) > 1:
        draft.arguments["multilingual"] = True
        draft.notices.append(_ANY_LANGUAGE)
    return FasterWhisperRequest(draft.arguments, batch_size, tuple(draft.notices), empty)


def batched_request(
    options: Options, clip: Clip, languages: Sequence[str], model_name: str
) -> FasterWhisperRequest:
    """As `request_for`, where pieces are decoded together whatever ``batch_size`` says.

    The language of each is no business of the library's.
    """
    size = options.batch_size
    plain = replace(options, batch_size=None, languages=None, multilingual=None)
    request = request_for(plain, clip, languages, model_name)
    if size is None or size == 1:
        return request
    if size < 1:
        raise InvalidOption(UserMessage("option_batch", value=size))
    return replace(request, notices=(*request.notices, _DECODED_TOGETHER))


def _batch_size(draft: Draft, options: Options, clip: Clip) -> int | None:
    size = options.batch_size
    if size is None or size == 1:
        return None
    if size < 1:
        raise InvalidOption(UserMessage("option_batch", value=size))
    window_s = options.chunk_length or 30
    if options.vad_filter is False and not options.clip_timestamps and clip.duration_s >= window_s:
        draft.notices.append(UserMessage("needs_vad"))
        return None
    ignored: list[str] = [
        name for name in _NOT_BATCHED if draft.arguments.pop(name, None) is not None
    ]
    if len(options.temperature or ()) > 1:
        ignored.append(UserMessage("first_temperature"))
    if ignored:
        draft.notices.append(UserMessage("ignored_in_batches", n=size, options=ignored))
    return size


def _set_stretches(
    draft: Draft, stretches: Sequence[float] | None, clip: Clip, batched: bool
) -> bool:
    """Move the stretches to the clip's own time. True when none of them lies in it."""
    if not stretches:
        return False
    inside = stretches_inside(stretches, clip)
    draft.arguments["clip_timestamps"] = (
        [{"start": start, "end": end} for start, end in inside]
        if batched
        else [t for pair in inside for t in pair]
    )
    if draft.arguments.pop("vad_filter", None):
        draft.notices.append(UserMessage("vad_ignored"))
    return not inside
