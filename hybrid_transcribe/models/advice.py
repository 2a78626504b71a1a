"""Which model to take for some recordings, on this machine."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import overload

from hybrid_transcribe.api import default_service
from hybrid_transcribe.audio.intake import intake
from hybrid_transcribe.audio.probe import probe
from hybrid_transcribe.core.columns import columns
from hybrid_transcribe.errors import HybridTranscribeError, UnknownModel
from hybrid_transcribe.jobs.model_advice import MEASURED
from hybrid_transcribe.jobs.service import Service
from hybrid_transcribe.models.disk_space import in_words
from hybrid_transcribe.service_protocol import Inputs
from hybrid_transcribe.types import ModelAdvice

_HEAD = ("MODEL", "SIZE", "HERE", "WRONG WORDS", "TIME HERE", "MEMORY", "")


class Advice(Sequence[ModelAdvice]):
    """Models of one engine, with what is known of each. Shown as a table.

    Attributes:
        engine: the engine whose models they are.
        language: ISO 639-1 code that was asked about, None for any.
        duration_s: length of the recordings; None where there were none, or one could not be
            measured.
    """

    def __init__(
        self,
        models: Sequence[ModelAdvice],
        engine: str,
        language: str | None = None,
        duration_s: float | None = None,
    ) -> None:
        self._models = tuple(models)
        self.engine, self.language, self.duration_s = engine, language, duration_s

    @overload
    def __getitem__(self, index: int | str) -> ModelAdvice: ...

    @overload
    def __getitem__(self, index: slice) -> tuple[ModelAdvice, ...]: ...

    def __getitem__(self, index: int | str | slice) -> ModelAdvice | tuple[ModelAdvice, ...]:
        if not isinstance(index, str):
            return self._models[index]
        for model in self._models:
            if model.name == index:
                return model
        raise UnknownModel(index, tuple(model.name for model in self._models))

    def __len__(self) -> int:
        return len(self._models)

    @property
    def best(self) -> ModelAdvice | None:
        """The model to take, None where nothing is known."""
        return next((model for model in self._models if model.recommended), None)

    def __repr__(self) -> str:
        return self.text()

    def text(self) -> str:
        """The table, without models that do not read the language."""
        readers = [model for model in self._models if model.speaks is not False]
        return "\n".join(columns([_HEAD, *map(_cells, readers)]))


def advise(
    recordings: Inputs = (),
    *,
    language: str | None = None,
    engine: str | None = None,
    service: Service | None = None,
) -> Advice:
    """Which model of an engine to take: published accuracy, expected time here, memory.

    ``recordings`` is whatever `submit` takes; only their length is looked at. The time comes from
    what ``service`` (the default one where it is None) has measured on this machine. Raises
    UnknownEngine, InvalidOption for a language nobody knows, and the first input's error where
    none can be used.
    """
    service = service or default_service()
    name = engine or service.settings.engine
    duration_s = _duration_s(recordings, service)
    models = service.models(name, language=language, duration_s=duration_s)
    return Advice(models, name, language, duration_s)


def _duration_s(recordings: Inputs, service: Service) -> float | None:
    if isinstance(recordings, list | tuple) and not recordings:
        return None
    with tempfile.TemporaryDirectory(prefix="hybrid-transcribe-advise-") as unpacked:
        taken = intake(recordings, Path(unpacked), service.settings)
        if not taken.files:
            raise taken.refusal()
        lengths_s = [_length_s(result.path, service) for result in taken.files]
    if any(length_s is None for length_s in lengths_s):
        return None
    return sum(length_s for length_s in lengths_s if length_s is not None)


def _length_s(path: Path, service: Service) -> float | None:
    try:
        return probe(path, service.settings).duration_s
    except HybridTranscribeError:
        # It will be refused when it is submitted, with the reason.
        return 0.0


def _cells(model: ModelAdvice) -> tuple[str, ...]:
    return (
        model.name,
        in_words(model.size_bytes) if model.size_bytes else "",
        "yes" if model.here else "no",
        f"{model.wer_percent:.1f} % ({model.wer_dataset})" if model.wer_percent else "",
        _time(model),
        in_words(model.memory_bytes) if model.memory_bytes else "",
        "take this one" if model.recommended else "",
    )


def _time(model: ModelAdvice) -> str:
    if model.expected_s is None:
        return ""
    minutes = model.expected_s / 60
    text = f"{minutes:.0f} min" if minutes >= 2 else f"{max(1.0, model.expected_s):.0f} s"
    return text if model.expected_from == MEASURED else f"about {text}"
