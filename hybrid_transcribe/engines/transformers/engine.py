"""Any Whisper checkpoint of the hub, on torch: distil-whisper and fine-tunes of every language.

The module bears its engine's name; ``import transformers`` elsewhere is the library all the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from hybrid_transcribe.config import Settings
from hybrid_transcribe.engines import torch_device as device_choice
from hybrid_transcribe.engines.common.loading import WHISPER, model_folder
from hybrid_transcribe.engines.common.request import not_installed
from hybrid_transcribe.engines.torch_engine import Decoding, Opener, TorchEngine
from hybrid_transcribe.engines.transformers.model import SpeechModel
from hybrid_transcribe.engines.transformers.request import HONOURED, TransformersRequest, plan_for
from hybrid_transcribe.engines.transformers.transcription import WindowedTranscription
from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.interfaces import Capabilities, ModelFiles
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import Clip, Options

_NEEDS = ("transformers", "torch")


def _open_model(
    folder: str, device: str, compute_type: str, cpu_threads: int, name: str
) -> SpeechModel:
    from hybrid_transcribe.engines.transformers.whisper import open_model

    return open_model(folder, device, compute_type, cpu_threads, name)


class Transformers(TorchEngine):
    """Whisper on Hugging Face's transformers. ``opener`` loads the model, for tests."""

    name: ClassVar[str] = "transformers"
    capabilities: ClassVar[Capabilities] = replace(
        WHISPER,
        options=HONOURED,
        model_layout="huggingface",
        compute_types=device_choice.COMPUTE_TYPES,
    )

    def __init__(self, opener: Opener = _open_model) -> None:
        super().__init__(opener)

    def available(self, settings: Settings) -> str | None:
        """None when both libraries are installed."""
        missing = [package for package in _NEEDS if find_spec(package) is None]
        if missing:
            return not_installed(device_choice.install_line(self.name), *missing)
        return None

    def _source(self, model: ModelFiles) -> str:
        return str(_checked(model))

    def _decoding(self, clip: Clip, options: Options, canceled: Callable[[], bool]) -> Decoding:
        plan = plan_for(options, clip, self._model, self._model_name)
        decode = (lambda: self._decoded(clip, plan, canceled)) if plan.stretches else None
        return decode, plan.notices

    def _decoded(
        self, clip: Clip, plan: TransformersRequest, canceled: Callable[[], bool]
    ) -> Iterator[Any]:
        with self._model.interruptible(canceled):
            yield from WindowedTranscription(self._model, clip, plan).run()


def _checked(files: ModelFiles) -> Path:
    """The model's folder. Raises ModelUnavailable for a checkpoint that is no Whisper's."""
    folder = model_folder(files)
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelUnavailable(
            UserMessage("model_file_unreadable", model=files.name, path=path, why=error)
        ) from error
    kind = config.get("model_type") if isinstance(config, dict) else None
    if kind != "whisper":
        raise ModelUnavailable(UserMessage("model_kind", model=files.name, kind=kind))
    return folder
