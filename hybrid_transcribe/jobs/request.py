"""What a caller asks for, checked at the door: an error here names the value and the choices."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

import msgspec

from hybrid_transcribe import models
from hybrid_transcribe.config import Settings
from hybrid_transcribe.core.languages import closest_code, parse_languages
from hybrid_transcribe.errors import (
    CloudForbidden,
    EngineUnavailable,
    InvalidOption,
    UnknownDevice,
    UnknownModel,
)
from hybrid_transcribe.interfaces import Capabilities, Engine, PostProcessor
from hybrid_transcribe.jobs import speaker_options
from hybrid_transcribe.jobs.languages import make_language
from hybrid_transcribe.messages import UserMessage, known_phrase
from hybrid_transcribe.models.catalogue import entry_for
from hybrid_transcribe.registry import ENGINES, POSTPROCESSORS
from hybrid_transcribe.types import (
    ALL_TRACKS,
    CHANNELS,
    DEVICES,
    SPEAKERS,
    TASKS,
    Options,
    PendingStage,
    Spec,
)

_T = TypeVar("_T")

#: Farthest that a priority may be from 0.
MOST_PRIORITY = 1_000_000

#: Options that count something, so less than one makes no sense.
COUNTS = (
    *("beam_size", "best_of", "batch_size", "max_new_tokens", "chunk_length"),
    *("speakers", "min_speakers", "max_speakers"),
)

#: Types as people read them.
_KINDS = {bool: "True or False", int: "a whole number", float: "a number", str: "text"}

OPTION_NAMES = tuple(f.name for f in fields(Options))


def engine_class(name: str, settings: Settings) -> type[Engine]:
    """The engine's class. Raises UnknownEngine."""
    result: type[Engine] = ENGINES.get(name, settings.engines)
    return result


def check_model(
    engine: str | None, model: str | None, settings: Settings, *, hub_ids: bool = False
) -> None:
    """Raise UnknownModel for a model that nobody may ask for over HTTP, UnknownEngine.

    A checkpoint may be a pickle, which runs code when it is opened, and an id makes this machine
    fetch gigabytes: so strangers choose among the names there are, and the owner of a private
    kernel may also name an id of the hub (``hub_ids``). None is the service's own choice.
    """
    if model is None or model == settings.model:
        return
    can = engine_class(engine or settings.engine, settings).capabilities
    if can.model_layout is None or model == can.default_model or entry_for(model) is not None:
        # Without files the engine itself knows its names.
        return
    if hub_ids and models.is_name(model) and not Path(model).exists():
        return
    raise UnknownModel(model, models.known_names())


def capabilities(spec: Spec, settings: Settings) -> Capabilities:
    """What the engine of a spec can do."""
    return engine_class(spec.engine, settings).capabilities


# --------------------------------------------------------------- stages after the engine


def stages_of(spec: Spec, settings: Settings) -> tuple[PendingStage, ...]:
    """The post-processors that recordings of this spec need after their engine, in order.

    `Options.diarize` needs one where the engine does not do it. Raises UnknownPostProcessor.
    """
    return tuple(
        PendingStage(name, _postprocessor_class(name, settings).capabilities.share)
        for name in _stage_names(spec, settings)
    )


def make_stage(
    name: str, base: Options, changes: Mapping[str, Any], settings: Settings
) -> PendingStage:
    """A post-processor to work on a text that is there, with its options.

    Raises UnknownPostProcessor, EngineUnavailable where it cannot run here, InvalidOption.
    """
    result = _available_postprocessor(name, settings)
    options = make_options(base, changes)
    return PendingStage(
        name, result.capabilities.share, None if options == base else check_text(options, name)
    )


def stage_options(spec: Spec, settings: Settings) -> tuple[str, ...]:
    """Names of the options that its post-processors honour, whatever its engine does."""
    names: set[str] = set()
    for name in _stage_names(spec, settings):
        names.update(_postprocessor_class(name, settings).capabilities.options)
    return tuple(sorted(names))


def _stage_names(spec: Spec, settings: Settings) -> tuple[str, ...]:
    options = spec.options
    names = list(options.postprocess or ())
    if options.diarize and "diarize" not in capabilities(spec, settings).options:
        # Others may make use of who speaks.
        names.insert(0, SPEAKERS)
    return tuple(dict.fromkeys(names))


def _postprocessor_class(name: str, settings: Settings) -> type[PostProcessor]:
    result: type[PostProcessor] = POSTPROCESSORS.get(name, settings.postprocessors)
    return result


def _available_postprocessor(name: str, settings: Settings) -> type[PostProcessor]:
    result = _postprocessor_class(name, settings)
    why_not = result().available(settings)
    if why_not:
        raise EngineUnavailable(UserMessage("labelled", label=name, why=why_not))
    return result


def _with_stages(spec: Spec, settings: Settings) -> Spec:
    """The spec as its post-processors need it. Raises what `make_stage` raises.

    One that needs words has them in the text too: they are part of what it works on, and what a
    person corrects afterwards keeps its times by them.
    """
    stages = [_available_postprocessor(n, settings) for n in _stage_names(spec, settings)]
    needs_words = any(stage.capabilities.needs_words for stage in stages)
    if not needs_words or not capabilities(spec, settings).word_timestamps:
        return spec
    return replace(spec, options=replace(spec.options, word_timestamps=True))


def make_spec(
    settings: Settings,
    *,
    engine: str | None = None,
    model: str | None = None,
    device: str | None = None,
    options: Options | None = None,
    **kwargs: Any,
) -> Spec:
    """A complete spec: what is None comes from the settings, then from the engine.

    Raises UnknownEngine, UnknownModel, UnknownDevice, UnknownPostProcessor, InvalidOption,
    EngineUnavailable.
    """
    name = engine or settings.engine
    result = engine_class(name, settings)
    can = result.capabilities
    chosen = make_options(options or Options(), kwargs)
    chosen = replace(
        chosen,
        language=_engine_language(chosen.language, name, can),
        languages=_engine_languages(chosen.languages, name, can),
    )
    if chosen.task == "translate" and not can.translates:
        # Not a warning afterwards: what came back would be another text than was asked for.
        raise InvalidOption(UserMessage("engine_translate", engine=name, task=chosen.task))
    _check_available(result, can, settings)
    # The model of the settings belongs to the engine of the settings.
    usual = settings.model if name == settings.engine else None
    expectation = str(model or usual or can.default_model)
    if can.models and expectation not in can.models:
        raise UnknownModel(expectation, can.models)
    if can.model_layout is not None:
        models.check(expectation, can.model_layout, settings)
    spec = Spec(name, expectation, make_device(device or settings.device), chosen)
    return _with_stages(check_text(spec, "The request"), settings)


def changed_spec(old: Spec, changes: Mapping[str, Any], settings: Settings) -> Spec:
    """A spec with what is not None in ``changes`` replaced. Raises what `make_spec` raises.

    Another engine has other models: the old one's is not carried over to it.
    """
    values = {name: value for name, value in changes.items() if value is not None}
    engine = values.pop("engine", old.engine)
    return make_spec(
        settings,
        engine=engine,
        model=values.pop("model", old.model if engine == old.engine else None),
        device=values.pop("device", old.device),
        options=_with_voices(values.pop("options", old.options), old.options),
        **values,
    )


def _with_voices(options: Options, old: Options) -> Options:
    """Known voices stay where speakers are told apart again, unless others are named.

    They are recordings that came with the job: a page or a program far away cannot name them.
    """
    if options.voices is None and options.diarize:
        return replace(options, voices=old.voices)
    return options


def check_text(value: _T, subject: str) -> _T:
    """The value, if it can be written down. Raises InvalidOption for half characters."""
    try:
        msgspec.json.encode(value)
    except UnicodeEncodeError:
        raise InvalidOption(
            UserMessage("not_unicode", subject=subject, value=ascii(value))
        ) from None
    return value


def check_priority(priority: int) -> int:
    """The priority, if it is one. Raises InvalidOption."""
    if type(priority) is not int or abs(priority) > MOST_PRIORITY:
        raise InvalidOption(
            UserMessage("priority_kind", value=repr(priority)[:40], most=MOST_PRIORITY)
        )
    return priority


def make_device(name: str) -> str:
    """``auto``, ``gpu`` or ``cpu`` for any of the words people use. Raises UnknownDevice."""
    try:
        return DEVICES[name.strip().lower()]
    except KeyError:
        raise UnknownDevice(name, tuple(DEVICES)) from None


def make_options(base: Options, values: Mapping[str, Any]) -> Options:
    """``base`` with some options changed, of the right types. Raises InvalidOption."""
    unknown = sorted(set(values) - set(OPTION_NAMES))
    if unknown:
        raise InvalidOption(UserMessage("no_option", name=unknown[0], choices=OPTION_NAMES))
    values = speaker_options.spread(values)
    base = speaker_options.without_replaced(base, values)
    changes = {name: _plain(name, value) for name, value in values.items() if value is not None}
    try:
        chosen = msgspec.convert({**msgspec.to_builtins(base), **changes}, Options)
    except msgspec.ValidationError as error:
        raise InvalidOption(_readable(error, changes)) from None
    _check(chosen)
    return replace(
        speaker_options.implied(chosen),
        language=make_language(chosen.language),
        languages=parse_languages(chosen.languages),
        audio_track=_make_track(chosen.audio_track),
        channels=_make_channels(chosen.channels),
        voices=chosen.voices and speaker_options.known_voices(chosen.voices),
        **_blank_texts(chosen),
    )


def _make_track(text: str | None) -> str | None:
    """A track's number, language or title, as it was given but for what does not matter."""
    track = text and text.strip()
    return ALL_TRACKS if track and track.lower() == ALL_TRACKS else track


def _make_channels(text: str | None) -> str | None:
    """One of `CHANNELS`; blank, as forms send what nobody chose, is None. Raises InvalidOption."""
    value = (text or "").strip().lower()
    if value and value not in CHANNELS:
        raise InvalidOption(UserMessage("no_channels", value=text, choices=CHANNELS))
    return value or None


def _blank_texts(options: Options) -> dict[str, Any]:
    """Texts of blanks alone, as forms send what nobody filled in: they stand for nothing."""
    texts = {name: getattr(options, name) for name in ("initial_prompt", "hotwords", "prefix")}
    return {name: None for name, text in texts.items() if text is not None and not text.strip()}


def _plain(name: str, value: Any) -> Any:
    if name == "voices":
        return msgspec.to_builtins(speaker_options.known_voices(value))
    if get_args(_kind(name)) and isinstance(value, int | float):
        return (value,)
    if name in ("languages", "postprocess") and isinstance(value, str):
        return tuple(part.strip() for part in value.split(",") if part.strip())
    if name == "audio_track" and type(value) is int:
        return str(value)
    return value


@cache
def _kind(name: str) -> Any:
    """An option's type, but for None. Looked up once: it takes 2 ms."""
    hint = get_type_hints(Options)[name]
    kinds = [kind for kind in get_args(hint) if kind is not type(None)]
    return kinds[0] if type(None) in get_args(hint) else hint


def _readable(error: msgspec.ValidationError, changes: Mapping[str, Any]) -> str:
    name = re.split(r"[.\[]", str(error).partition(" - at `$.")[2].rstrip("`"))[0]
    return UserMessage(
        "option_kind",
        option=name,
        value=repr(changes.get(name)),
        phrase=known_phrase(expectation(name)),
    )


def expectation(name: str) -> str:
    """What an option takes, in people's words.

    >>> wanted("beam_size"), wanted("temperature")
    ('a whole number', 'a number, or a list of numbers')
    """
    if name == "voices":
        return speaker_options.VOICES_KIND
    kind = _kind(name)
    many = get_args(kind)
    if many:
        return f"{_KINDS[many[0]]}, or a list of {_KINDS[many[0]].removeprefix('a ')}s"
    return _KINDS[kind]


def _check(options: Options) -> None:
    if options.task not in TASKS:
        raise InvalidOption(UserMessage("no_task", name=options.task, choices=TASKS))
    for name, value in options.given().items():
        numbers = value if isinstance(value, tuple) else (value,)
        if not all(math.isfinite(n) for n in numbers if isinstance(n, float)):
            # JSON has no word for it: neither the worker nor the journal could read it again.
            raise InvalidOption(UserMessage("option_finite", option=name, value=repr(value)))
    track = options.audio_track
    if track is not None and (not track.strip() or track.strip() == "0"):
        raise InvalidOption(
            UserMessage(
                "option_kind",
                option="audio_track",
                value=repr(track),
                phrase=known_phrase("a number from 1, or a language"),
            )
        )
    for name in COUNTS:
        value = getattr(options, name)
        if value is not None and value < 1:
            raise InvalidOption(UserMessage("option_least", option=name, value=value))
    speaker_options.check_speakers(options)


def _check_available(engine: type[Engine], can: Capabilities, settings: Settings) -> None:
    if can.sends_audio_to and settings.never_cloud:
        raise CloudForbidden(
            UserMessage("never_cloud", engine=engine.name, receiver=can.sends_audio_to)
        )
    why_not = engine().available(settings)
    if why_not:
        raise EngineUnavailable(UserMessage("labelled", label=engine.name, why=why_not))


def _engine_languages(
    languages: tuple[str, ...] | None, engine: str, can: Capabilities
) -> tuple[str, ...] | None:
    """The engine's own codes. Raises InvalidOption where it has none for one of them."""
    if languages is None:
        return None
    return tuple(_engine_language(code, engine, can) or code for code in languages)


def _engine_language(language: str | None, engine: str, can: Capabilities) -> str | None:
    """The engine's own code of a language. Raises InvalidOption where it has none."""
    if not language or not can.languages:
        return language
    code = closest_code(language, can.languages)
    if code is None:
        raise InvalidOption(
            UserMessage("engine_language", engine=engine, language=language, choices=can.languages)
        )
    return code
