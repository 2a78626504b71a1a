"""Which model to take: what each is worth in a language, and how long it would take here.

The time comes from what was measured on this machine where there is a measurement, from that of
another model of the same engine and the relation of their sizes otherwise, and from what is
usual for such a machine before anything was measured.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from hybrid_transcribe import models
from hybrid_transcribe.config import Settings
from hybrid_transcribe.interfaces import Capabilities
from hybrid_transcribe.jobs.eta import Speed, Speeds
from hybrid_transcribe.jobs.request import engine_class
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.models import catalogue
from hybrid_transcribe.models.published import WEAK_PERCENT, better_model, published_rate
from hybrid_transcribe.types import ModelAdvice, Spec

#: Work for a second of sound, of base = 1, by a part of the name: the relation of the numbers of
#: parameters (39, 74, 244, 769, 1,550 million) on a CPU. Turbo and the distilled models keep the
#: large encoder and lose most of the decoder. Moonshine tiny was measured, Parakeet is published
#: to be about as fast as base. More telling parts come first.
_COST = {
    "moonshine-tiny": 0.3,
    "moonshine-base": 0.7,
    "zipformer": 0.5,
    "sense-voice": 0.5,
    "canary-180m": 1.0,
    "parakeet": 1.0,
    "distil-small": 2.0,
    "distil-medium": 4.5,
    "distil-large": 8.0,
    "turbo": 8.5,
    "tiny": 0.5,
    "base": 1.0,
    "small": 3.3,
    "medium": 10.4,
    "large": 21.0,
}

#: Seconds of sound a second of work, with base: of one core of a usual notebook, and at most so
#: many cores, and of a GPU. One core takes 0.53 s for a clip of 6.5 s (int8, greedy).
_CORE_SPEED, _MOST_CORES, _GPU_SPEED = 9.0, 8, 100.0

#: How much slower than faster-whisper the other engines run the same model on a CPU.
_ENGINE_COST = {"openai-whisper": 3.0, "transformers": 2.5}

#: Memory of a loaded model at work: times the size of its download, and bytes more, by layout.
#: faster-whisper quantises 16-bit weights to 8 on a CPU; the two on torch load them as 32 bits;
#: Parakeet's 671 MB are published to take 1.0 GB, Moonshine tiny's 44 MB take 0.24 GB.
_MEMORY = {
    "ctranslate2": (0.6, 250_000_000),
    "huggingface": (2.0, 600_000_000),
    "openai": (2.0, 600_000_000),
    "sherpa-onnx": (1.3, 180_000_000),
}

MEASURED, SCALED, USUAL = "measured", "scaled", "usual"


def advise_models(
    engine: str,
    settings: Settings,
    speeds: Mapping[str, Any],
    language: str | None = None,
    duration_s: float | None = None,
) -> tuple[ModelAdvice, ...]:
    """Every model that an engine knows by name, in the catalogue's order.

    ``speeds`` is what `Speeds.plain` gives. Raises UnknownEngine. Reads the disk.
    """
    can = engine_class(engine, settings).capabilities
    entry = Speeds()
    entry.load(dict(speeds))
    here = {installed.name for installed in models.listing(settings) if _is_of(installed, can)}
    names = can.models if can.model_layout is None else _names(can.model_layout)
    listed = [
        _advice(name, engine, can, name in here, entry, language, duration_s) for name in names
    ]
    best = _best(listed, can.default_model)
    return tuple(_marked(advice, advice is best) for advice in listed)


def weak_model_notice(
    spec: Spec, language: str, duration_s: float | None, speeds: Speeds
) -> str | None:
    """What to tell where a model is known to be weak in the language of a recording."""
    better, rate = better_model(spec.model, language), published_rate(spec.model, language)
    if better is None or rate is None:
        return None
    better_rate = published_rate(better, language)
    assert better_rate is not None
    params = {"model": spec.model, "language": language, "n": rate.percent}
    params |= {"better": better, "most": better_rate.percent}
    if duration_s is None:
        return UserMessage("weak_model", **params)
    per_s, _ = expected_speed(spec.engine, better, spec.device, speeds)
    minutes = max(1, round(duration_s / per_s / 60))
    return UserMessage("weak_model_minutes", **params, size=minutes)


def expected_speed(engine: str, model: str, device: str, speeds: Speeds) -> tuple[float, str]:
    """Seconds of sound a second of work, and where that is known from."""
    measured = _measured(engine, speeds)
    if model in measured:
        return measured[model], MEASURED
    if measured:
        # The nearest in size says most about this one.
        near = min(measured, key=lambda other: abs(_cost(other) / _cost(model) - 1))
        return measured[near] * _cost(near) / _cost(model), SCALED
    if device == "gpu":
        return _GPU_SPEED / _cost(model), USUAL
    cores = min(os.cpu_count() or 1, _MOST_CORES)
    return _CORE_SPEED * cores / _cost(model) / _ENGINE_COST.get(engine, 1.0), USUAL


def _measured(engine: str, speeds: Speeds) -> dict[str, float]:
    """Model to measured speed, of one engine on any device."""
    mapping: dict[str, float] = {}
    for key, (audio_s, work_s, load_s) in speeds.plain().items():
        of_engine, _, rest = key.partition("|")
        model = rest.rpartition("|")[0]
        per_s = Speed(audio_s, work_s, load_s).per_s
        if of_engine == engine and per_s is not None:
            mapping[model] = max(per_s, mapping.get(model, 0.0))
    return mapping


def _cost(model: str) -> float:
    entry = catalogue.entry_for(model)
    name = entry.name if entry else model
    return next((cost for part, cost in _COST.items() if part in name), 1.0)


def _is_of(installed: models.Installed, can: Capabilities) -> bool:
    return installed.layout == can.model_layout


def _names(layout: str) -> tuple[str, ...]:
    needed = "ctranslate2" if layout == "openai" else layout
    return tuple(name for name, entry in catalogue.MODELS.items() if needed in entry.repos)


def _advice(
    name: str,
    engine: str,
    can: Capabilities,
    here: bool,
    speeds: Speeds,
    language: str | None,
    duration_s: float | None,
) -> ModelAdvice:
    entry = catalogue.find(name) if can.model_layout else None
    rate = published_rate(name, language) if language and entry else None
    languages = () if entry is None else entry.languages or (() if entry.multilingual else ("en",))
    timed = duration_s is not None and not can.needs_network
    per_s, known_from = expected_speed(engine, name, "auto", speeds)
    factor, more = _MEMORY.get(can.model_layout or "", (0.0, 0))
    return ModelAdvice(
        name,
        engine,
        size_bytes=entry.size_bytes if entry else None,
        here=here or can.model_layout is None,
        languages=languages,
        speaks=(not languages or language in languages) if language else None,
        wer_percent=rate.percent if rate else None,
        wer_dataset=rate.dataset if rate else None,
        wer_source=rate.source if rate else None,
        expected_s=duration_s / per_s if timed and duration_s is not None else None,
        expected_from=known_from if timed else None,
        memory_bytes=round(entry.size_bytes * factor + more) if entry and factor else None,
    )


def _best(listed: list[ModelAdvice], usual: str) -> ModelAdvice | None:
    """The smallest that is known to be good in the language; else the usual one, if it reads it."""
    readers = [advice for advice in listed if advice.speaks is not False]
    good = [a for a in readers if a.wer_percent is not None and a.wer_percent <= WEAK_PERCENT]
    first = min(good, key=lambda a: (a.size_bytes or 0, a.name), default=None)
    return first or next((a for a in readers if a.name == usual), None)


def _marked(advice: ModelAdvice, recommended: bool) -> ModelAdvice:
    return replace(advice, recommended=True) if recommended else advice
