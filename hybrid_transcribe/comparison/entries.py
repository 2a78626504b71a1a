"""What is compared: engines with their models, in the ways people write them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import PurePath
from typing import Any

from hybrid_transcribe.config import Settings
from hybrid_transcribe.engines.listing import list_engines
from hybrid_transcribe.errors import (
    EngineUnavailable,
    HybridTranscribeError,
    InvalidOption,
    InvalidRequest,
    UnknownDevice,
    UnknownEngine,
    UnknownModel,
)
from hybrid_transcribe.jobs.request import engine_class, make_options, make_spec
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.models.catalogue import entry_for, is_path
from hybrid_transcribe.registry import ENGINES
from hybrid_transcribe.types import ErrorInfo, Options, Spec

#: An engine's name, ``"engine:model"``, a pair of both, or a mapping with more beside them.
EngineLike = str | Sequence[Any] | Mapping[str, Any]

#: Longest model name in a label, in characters.
_LONGEST = 32

#: What nobody could do, so that it is told before any work.
_MISTAKES = (UnknownEngine, UnknownModel, UnknownDevice)


@dataclass(frozen=True, slots=True)
class ComparisonEntry:
    """One engine to compare: its label, and how it is asked.

    Attributes:
        spec: None where it cannot even be asked, for the reason in ``error``.
        notice: a line people should read.
    """

    label: str
    engine: str
    spec: Spec | None = None
    error: ErrorInfo | None = None
    notice: str | None = None


@dataclass(frozen=True, slots=True)
class _Wish:
    """What was written, taken apart."""

    engine: str
    model: str | None = None
    device: str | None = None
    options: dict[str, Any] = field(default_factory=dict)
    label: str | None = None


def make_entries(
    engines: Iterable[EngineLike] | None,
    settings: Settings,
    model: str | None = None,
    device: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> tuple[ComparisonEntry, ...]:
    """Each engine as an entry; ``model``, ``device`` and ``options`` are for all that have none.

    None stands for every engine that can run here and keeps the audio on this machine. An
    engine that cannot do it is an entry with its error. Raises InvalidRequest for what no
    engine could do: an unknown name, an impossible option, no engine at all.
    """
    shared = dict(options or {})
    make_options(Options(), shared)
    wishes = [_wish(item, settings) for item in _listed(engines, settings)]
    if not wishes:
        raise InvalidRequest(UserMessage("no_engines_compared"))
    items = [_entry(wish, settings, model, device, shared) for wish in wishes]
    return tuple(_distinct(items))


def _listed(engines: Iterable[EngineLike] | None, settings: Settings) -> list[EngineLike]:
    if engines is None:
        return [e.name for e in list_engines(settings) if e.available and not e.sends_audio_to]
    if isinstance(engines, str | Mapping):
        return [engines]
    return list(engines)


def _wish(engine_like: EngineLike, settings: Settings) -> _Wish:
    if isinstance(engine_like, str):
        engine, model = split(engine_like, (*ENGINES.names(), *settings.engines))
        return _Wish(engine, model)
    if isinstance(engine_like, Mapping):
        return _mapped(engine_like)
    if (
        isinstance(engine_like, Sequence)
        and len(engine_like) == 2
        and isinstance(engine_like[0], str)
    ):
        return _Wish(engine_like[0], _text(engine_like[1]))
    raise InvalidRequest(UserMessage("engine_like", value=repr(engine_like)))


def _mapped(mapping: Mapping[str, Any]) -> _Wish:
    rest = dict(mapping)
    engine = rest.pop("engine", None)
    if not isinstance(engine, str):
        raise InvalidRequest(UserMessage("engine_unnamed", value=repr(dict(mapping))))
    model, label = _text(rest.pop("model", None)), _text(rest.pop("label", None))
    return _Wish(engine, model, rest.pop("device", None), rest, label)


def _text(model: Any) -> str | None:
    """A name, or a folder as its text."""
    return None if model is None else str(model)


def split(text: str, entry: Iterable[str] = ()) -> tuple[str, str | None]:
    """Engine and model of ``"engine:model"``; the first colon divides, as engines have none.

    >>> split("faster-whisper"), split("faster-whisper:owner/name")
    (('faster-whisper', None), ('faster-whisper', 'owner/name'))
    >>> split("openai-whisper:C:\\\\models\\\\base")
    ('openai-whisper', 'C:\\\\models\\\\base')
    """
    if text in entry:
        return text, None
    engine, _, model = text.partition(":")
    return engine.strip(), model.strip() or None


def _entry(
    wish: _Wish,
    settings: Settings,
    model: str | None,
    device: str | None,
    shared: Mapping[str, Any],
) -> ComparisonEntry:
    label = wish.label or _label(wish.engine, wish.model)
    try:
        required, notice = _model(wish, settings, model)
        make_options(Options(), wish.options)
        label = wish.label or _label(wish.engine, required)
    except (*_MISTAKES, InvalidOption):
        raise
    except Exception as error:
        return ComparisonEntry(label, wish.engine, error=_info(error))
    try:
        spec = make_spec(
            settings,
            engine=wish.engine,
            model=required,
            device=wish.device or device,
            **{**shared, **wish.options},
        )
    except _MISTAKES:
        raise
    except Exception as error:
        return ComparisonEntry(label, wish.engine, error=_info(error), notice=notice)
    return ComparisonEntry(
        wish.label or _label(wish.engine, spec.model), wish.engine, spec, notice=notice
    )


def _model(wish: _Wish, settings: Settings, model: str | None) -> tuple[str | None, str | None]:
    """The model to ask for, and what to say where it is not the one meant for all."""
    can = engine_class(wish.engine, settings).capabilities
    if wish.model or not model:
        return wish.model, None
    # Models of the cloud have names of their own, and those that are no Whisper.
    if (can.models and model not in can.models) or _is_for_others(model, can.model_layout):
        return None, f"{wish.engine} has no model {model!r}: {can.default_model} was used"
    return model, None


def _is_for_others(model: str, layout: str | None) -> bool:
    """True for a Whisper of the catalogue where the engine has none."""
    entry = entry_for(model)
    return layout == "sherpa-onnx" and entry is not None and layout not in entry.repos


def _info(error: Exception) -> ErrorInfo:
    if isinstance(error, HybridTranscribeError):
        return error.info()
    # A plug-in may raise anything while it is imported.
    return EngineUnavailable(UserMessage("labelled", label=type(error).__name__, why=error)).info()


def _label(engine: str, model: str | None) -> str:
    """``engine:model``; of a folder, its own name."""
    if not model:
        return engine
    name = PurePath(model.replace("\\", "/")).name if is_path(model) else model
    return f"{engine}:{name if len(name) <= _LONGEST else f'{name[: _LONGEST - 1]}…'}"


def _distinct(entries: Iterable[ComparisonEntry]) -> Iterable[ComparisonEntry]:
    """Equal labels told apart by what differs, else by a number."""
    entries = tuple(entries)
    labels = [e.label for e in entries]
    taken: set[str] = set()
    for entry in entries:
        label = entry.label
        if labels.count(label) > 1 and entry.spec is not None:
            label += _particulars(entry.spec, [e.spec for e in entries if e.label == label])
        candidate, n = label, 1
        while candidate in taken:
            n += 1
            candidate = f"{label} ({n})"
        taken.add(candidate)
        yield replace(entry, label=candidate)


def _particulars(spec: Spec, others: Iterable[Spec | None]) -> str:
    """Device and options in which specs of one label differ: ``" beam_size=1"``."""
    every = [_facts(other) for other in others if other is not None]
    own = _facts(spec)
    differences = [
        f"{name}={value}"
        for name, value in own.items()
        if any(facts.get(name) != value for facts in every)
    ]
    return f" {' '.join(differences)}" if differences else ""


def _facts(spec: Spec) -> dict[str, Any]:
    return {"device": spec.device, **spec.options.given()}
