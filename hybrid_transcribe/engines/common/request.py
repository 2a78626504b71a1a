"""From our options to a library's arguments: what is the same for every Whisper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from hybrid_transcribe.engines.common.languages import language_code
from hybrid_transcribe.errors import InvalidOption
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import TASKS, Clip


@dataclass(slots=True)
class Draft:
    """Arguments on their way to a library, and what cannot be honoured, one line each."""

    arguments: dict[str, Any]
    notices: list[str] = field(default_factory=list)


def not_installed(install: str, *names: str) -> str:
    """Which packages an engine lacks, with the line to type."""
    return UserMessage("not_installed", names=names, install=install, count=len(names))


def set_task(draft: Draft, task: str, languages: Sequence[str], model: str) -> None:
    """Check the task, and drop one that an English-only model cannot do."""
    if task not in TASKS:
        raise InvalidOption(UserMessage("no_task", name=task, choices=TASKS))
    if task == "translate" and len(languages) == 1:
        del draft.arguments["task"]
        draft.notices.append(UserMessage("english_only_translate", model=model))


def set_language(draft: Draft, language: str | None, languages: Sequence[str], model: str) -> None:
    """Whisper's own code for a language that was given; an English-only model drops others."""
    if language is None:
        return
    code = language_code(language)
    if code in languages:
        draft.arguments["language"] = code
    elif len(languages) == 1:
        # Going on is more use than failing: the library itself does, with a line in its log.
        del draft.arguments["language"]
        draft.notices.append(UserMessage("english_only", model=model, language=language))
    else:
        raise InvalidOption(
            UserMessage("model_language", model=model, language=language, choices=languages)
        )


def stretches_inside(stretches: Sequence[float], clip: Clip) -> list[tuple[float, float]]:
    """Stretches of a recording (start, end, start… s), in the clip's own time and inside it.

    The last may go without an end.
    """
    ends = [*stretches, clip.start_s + clip.duration_s][: len(stretches) + len(stretches) % 2]
    return [
        (max(0.0, start - clip.start_s), min(clip.duration_s, end - clip.start_s))
        for start, end in zip(ends[::2], ends[1::2], strict=True)
        if start - clip.start_s < clip.duration_s and end > clip.start_s and end > start
    ]
