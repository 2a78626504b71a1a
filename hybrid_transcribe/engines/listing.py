"""The engines there are, what each can do, and why one cannot run here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import overload
from urllib.parse import urlsplit

from hybrid_transcribe.config import PREFIX, Settings
from hybrid_transcribe.core.columns import columns
from hybrid_transcribe.errors import UnknownEngine, UnknownModel
from hybrid_transcribe.interfaces import Capabilities, Engine
from hybrid_transcribe.messages import MessageInfo, UserMessage, message_info
from hybrid_transcribe.models import catalogue
from hybrid_transcribe.registry import ENGINES, POSTPROCESSORS
from hybrid_transcribe.types import SPEAKERS, WHO_SPEAKS, EngineInfo

#: Heads of the table's columns.
_HEAD = ("NAME", "DEFAULT MODEL", "AUDIO TO", "CAN", "RUNS HERE")

#: Settings with the address of a cloud, for the engines that have one.
_ADDRESSES = {"assemblyai": "assemblyai_base_url"}

#: Who gets the audio where nobody does.
_NOBODY = "nobody"


class EngineList(Sequence[EngineInfo]):
    """Engines, the default first. Shown as a table; ``engines["faster-whisper"]`` is one."""

    def __init__(self, engines: Sequence[EngineInfo]) -> None:
        self._engines = tuple(engines)

    @overload
    def __getitem__(self, index: int | str) -> EngineInfo: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[EngineInfo, ...]: ...

    def __getitem__(self, index: int | str | slice) -> EngineInfo | tuple[EngineInfo, ...]:
        if not isinstance(index, str):
            return self._engines[index]
        for engine in self._engines:
            if engine.name == index:
                return engine
        raise UnknownEngine(index, self.names)

    def __len__(self) -> int:
        return len(self._engines)

    @property
    def names(self) -> tuple[str, ...]:
        """Their names, in the same order."""
        return tuple(engine.name for engine in self._engines)

    def __repr__(self) -> str:
        return self.text()

    def text(self, width: int | None = None) -> str:
        """The table; with a width, why one cannot run is wrapped to stay within so many columns."""
        return "\n".join(columns([_HEAD, *map(_cells, self._engines)], width=width))


def list_engines(settings: Settings | None = None) -> EngineList:
    """Every engine that is registered, ours and those of installed packages.

    No model is loaded and no network asked. A plug-in that is broken is listed with the reason.
    """
    settings = settings or Settings.load()
    added = _speaker_options(settings)
    return EngineList([_with_options(_look(n, settings), added) for n in _names(settings)])


def _speaker_options(settings: Settings) -> frozenset[str]:
    """The options of who speaks that every engine has, where that is found out after it."""
    try:
        stage = POSTPROCESSORS.make(SPEAKERS, settings.postprocessors)
        if stage.available(settings) is None:
            return stage.capabilities.options & {"diarize", *WHO_SPEAKS}
    except Exception:
        # None is registered, or a broken one: `list_postprocessors` says which.
        return frozenset()
    return frozenset()


def _with_options(engine: EngineInfo, added: frozenset[str]) -> EngineInfo:
    """An engine that tells speakers apart itself does it in its own way."""
    if "diarize" in engine.options or not engine.available:
        return engine
    return replace(engine, options=tuple(sorted({*engine.options, *added})))


def audio_goes_to(engine: str | None, settings: Settings) -> str | None:
    """Who would receive the audio (None: the default engine's); None when nobody would.

    An engine that cannot run here sends nothing, nor does one that nobody knows.
    """
    name = engine or settings.engine
    info = _look(name, settings) if name in _names(settings) else None
    return info.sends_audio_to if info and info.available else None


def default_model(settings: Settings) -> str:
    """The model a job gets that names neither model nor engine; empty where that is unknown."""
    if settings.model or settings.engine not in _names(settings):
        return settings.model or ""
    return _look(settings.engine, settings).default_model


def cloud_host(engine: str, settings: Settings) -> str | None:
    """The host that gets the audio, for clouds whose address is a setting of ours.

    The name alone: an address may hold a password.
    """
    address = _ADDRESSES.get(engine)
    try:
        return urlsplit(getattr(settings, address)).hostname if address else None
    except ValueError:
        return None


def _names(settings: Settings) -> Iterator[str]:
    """The default first, then ours, plug-ins by name, and those of the settings."""
    items = (*ENGINES.names(), *settings.engines)
    # A default that does not exist is told by whatever needs it.
    default = [settings.engine] if settings.engine in items else []
    return iter(dict.fromkeys((*default, *items)))


def _look(name: str, settings: Settings) -> EngineInfo:
    default = name == settings.engine
    try:
        instance = ENGINES.make(name, settings.engines)
        why_not = _why_not(instance, settings)
        # The model of the settings belongs to the engine of the settings.
        model = settings.model if default else None
        return _described(name, instance.capabilities, why_not, default, model)
    except Exception as error:
        # Code of other packages may raise anything, and must hide nobody else.
        why_not = broken(name, error, settings)
        return EngineInfo(name, False, str(why_not), default, why_not_message=_coded(why_not))


def _why_not(engine: Engine, settings: Settings) -> str | None:
    if engine.capabilities.sends_audio_to and settings.never_cloud:
        return UserMessage("cloud_forbidden")
    why_not = engine.available(settings)
    if why_not is None or isinstance(why_not, UserMessage):
        return why_not
    return " ".join(str(why_not).split())


def _coded(why_not: str | None) -> MessageInfo | None:
    return message_info(why_not) if isinstance(why_not, UserMessage) else None


def broken(name: str, error: Exception, settings: Settings) -> str:
    """Why an engine could not even be asked, in one line with the remedy."""
    target = {**ENGINES.targets(), **settings.engines}[name]
    text = " ".join(f"{type(error).__name__}: {error}".split())
    module = target.partition(":")[0]
    if name not in settings.engines:
        return UserMessage("broken_package", target=target, text=text, module=module)
    if _is_absent(module, error):
        return UserMessage("broken_path", target=target, text=text, variable=f"{PREFIX}ENGINES")
    return UserMessage("broken_setting", target=target, text=text, variable=f"{PREFIX}ENGINES")


def _is_absent(module: str, error: Exception) -> bool:
    """Is it the module itself that is not there, or a package it is in?"""
    lacking = error.name if isinstance(error, ModuleNotFoundError) else None
    return bool(lacking) and f"{module}.".startswith(f"{lacking}.")


def _described(
    name: str, can: Capabilities, why_not: str | None, default: bool, model: str | None
) -> EngineInfo:
    return EngineInfo(
        name,
        available=why_not is None,
        why_not=None if why_not is None else str(why_not),
        why_not_message=_coded(why_not),
        default=default,
        default_model=model or can.default_model,
        models=_models(can),
        devices=tuple(can.devices),
        compute_types=tuple(can.compute_types),
        languages=tuple(can.languages),
        translates=can.translates,
        word_timestamps=can.word_timestamps,
        sends_audio_to=can.sends_audio_to,
        # What is decoded of a file is no matter of the engine.
        options=tuple(sorted({*can.options, "audio_track", *_channels(can)})),
    )


def _channels(can: Capabilities) -> tuple[str, ...]:
    return ("channels",) if can.by_channel else ()


def _models(can: Capabilities) -> tuple[str, ...]:
    layout = can.model_layout
    # A plug-in may have a layout of its own.
    if layout is None or layout not in catalogue.LAYOUTS:
        return tuple(can.models)
    return tuple(name for name in catalogue.MODELS if _exists(name, layout))


def _exists(model: str, layout: str) -> bool:
    try:
        catalogue.check_name(model, layout)
    except UnknownModel:
        return False
    return True


def _cells(engine: EngineInfo) -> tuple[str, ...]:
    message = engine.why_not and f"no: {engine.why_not}"
    message = message or ("yes, the default" if engine.default else "yes")
    receiver = engine.sends_audio_to or _NOBODY
    # Of what could not be imported nobody knows.
    requested = engine.available or engine.default_model
    return (
        engine.name,
        engine.default_model,
        receiver if requested else "?",
        _abilities(engine),
        message,
    )


def _abilities(engine: EngineInfo) -> str:
    can = {
        "translate": engine.translates,
        "words": engine.word_timestamps,
        "speakers": "diarize" in engine.options,
    }
    return ", ".join(name for name, true in can.items() if true)
