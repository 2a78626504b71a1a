"""From our options to how a clip is recognised, saying what cannot be honoured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hybrid_transcribe.engines.common.languages import language_code
from hybrid_transcribe.engines.common.request import stretches_inside
from hybrid_transcribe.engines.sherpa_onnx.families import Family
from hybrid_transcribe.errors import InvalidOption
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import TASKS, Clip, Options

#: Every option this engine honours.
HONOURED = frozenset(
    {
        "language",
        "task",
        "word_timestamps",
        "vad_filter",
        "silence_guard",
        "compute_type",
        "clip_timestamps",
    }
)


@dataclass(frozen=True, slots=True)
class RecognitionPlan:
    """How one clip is recognised.

    Attributes:
        language: ISO 639-1 code that is spoken, None where the model finds it.
        announced: the language to say in the beginning; None where the caller gave it, or
            nobody knows it yet.
        stretches: what is recognised, as start and end (s in the clip).
        notices: what cannot be honoured, one line each.
    """

    language: str | None
    announced: str | None
    translate: bool
    stretches: tuple[tuple[float, float], ...]
    notices: tuple[str, ...] = ()


def plan_for(
    options: Options, clip: Clip, model: str, family: Family, languages: Sequence[str]
) -> RecognitionPlan:
    """The plan of a clip; ``languages`` are the codes the model reads, empty where unknown.

    Raises InvalidOption for a language or a task that the model does not have.
    """
    if options.task not in TASKS:
        raise InvalidOption(UserMessage("no_task", name=options.task, choices=TASKS))
    translate = options.task == "translate"
    if translate and not family.has_targets:
        # Not a notice: what came back would be another text than was asked for.
        raise InvalidOption(UserMessage("no_translation", model=model))
    language, notices = _language(options.language, model, languages)
    announced = languages[0] if language is None and len(languages) == 1 else None
    if family.has_targets and language is None:
        language = announced = "en"
        notices += (UserMessage("english_assumed", model=model),)
    stretches = stretches_inside(options.clip_timestamps or (0.0,), clip)
    return RecognitionPlan(language, announced, translate, tuple(stretches), notices)


def _language(
    requested: str | None, model: str, languages: Sequence[str]
) -> tuple[str | None, tuple[str, ...]]:
    if requested is None:
        return None, ()
    code = language_code(requested)
    if not languages or code in languages:
        return code, ()
    if len(languages) == 1:
        return None, (
            UserMessage("one_language", model=model, only=languages[0], language=requested),
        )
    raise InvalidOption(
        UserMessage("model_language", model=model, language=requested, choices=languages)
    )
