"""The post-processors there are, and why one cannot run here."""

from __future__ import annotations

from dataclasses import replace

from hybrid_transcribe.config import PREFIX, Settings
from hybrid_transcribe.messages import UserMessage, message_info
from hybrid_transcribe.registry import POSTPROCESSORS
from hybrid_transcribe.types import PostProcessorInfo


def list_postprocessors(settings: Settings | None = None) -> tuple[PostProcessorInfo, ...]:
    """Every post-processor that is registered, ours and those of installed packages.

    No model is loaded. A plug-in that is broken is listed with the reason.
    """
    settings = settings or Settings.load()
    names = dict.fromkeys((*POSTPROCESSORS.names(), *settings.postprocessors))
    return tuple(_look(name, settings) for name in names)


def _look(name: str, settings: Settings) -> PostProcessorInfo:
    try:
        instance = POSTPROCESSORS.make(name, settings.postprocessors)
        can, why_not = instance.capabilities, instance.available(settings)
    except Exception as error:
        # Code of other packages may raise anything, and must hide nobody else.
        return _unavailable(PostProcessorInfo(name, False), _broken(name, error, settings))
    info = PostProcessorInfo(
        name,
        True,
        options=tuple(sorted(can.options)),
        models=can.models,
        needs_words=can.needs_words,
    )
    return info if why_not is None else _unavailable(info, why_not)


def _unavailable(info: PostProcessorInfo, why_not: str) -> PostProcessorInfo:
    line = why_not if isinstance(why_not, UserMessage) else " ".join(str(why_not).split())
    message = message_info(line) if isinstance(line, UserMessage) else None
    return replace(info, available=False, why_not=str(line), why_not_message=message)


def _broken(name: str, error: Exception, settings: Settings) -> str:
    target = {**POSTPROCESSORS.targets(), **settings.postprocessors}[name]
    text = " ".join(f"{type(error).__name__}: {error}".split())
    if name in settings.postprocessors:
        variable = f"{PREFIX}POSTPROCESSORS"
        return UserMessage("broken_postprocessor", target=target, text=text, variable=variable)
    module = target.partition(":")[0]
    return UserMessage("broken_package", target=target, text=text, module=module)
