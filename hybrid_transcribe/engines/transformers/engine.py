"""Any Whisper checkpoint of the hub, on torch: distil-whisper and fine-tunes of every language.

The module bears its engine's name; ``import transformers`` elsewhere is the library all the same.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from hybrid_transcribe.config import Settings
from hybrid_transcribe.engines import torch_device as device_choice
from hybrid_transcribe.engines.common.languages import LANGUAGES
from hybrid_transcribe.engines.common.postprocess import postprocess
from hybrid_transcribe.engines.common.request import not_installed
from hybrid_transcribe.engines.transformers.model import SpeechModel
from hybrid_transcribe.engines.transformers.request import HONOURED, TransformersRequest, plan_for
from hybrid_transcribe.engines.transformers.transcription import WindowedTranscription
from hybrid_transcribe.errors import EngineFailed, EngineUnavailable, ModelUnavailable
from hybrid_transcribe.interfaces import (
    Capabilities,
    Engine,
    Heard,
    Loaded,
    LoadRequest,
    ModelFiles,
)
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import Clip, Options

#: Loads a model from (folder, torch's device, compute type, threads, name).
Opener = Callable[[str, str, str, int, str], SpeechModel]

_NEEDS = ("transformers", "torch")


def _open_model(
    folder: str, device: str, compute_type: str, cpu_threads: int, name: str
) -> SpeechModel:
    from hybrid_transcribe.engines.transformers.whisper import open_model

    return open_model(folder, device, compute_type, cpu_threads, name)


class Transformers(Engine):
    """Whisper on Hugging Face's transformers. ``opener`` loads the model, for tests."""

    name: ClassVar[str] = "transformers"
    capabilities: ClassVar[Capabilities] = Capabilities(
        options=HONOURED,
        languages=LANGUAGES,
        translates=True,
        word_timestamps=True,
        model_layout="huggingface",
        default_model="base",
        devices=("auto", "gpu", "cpu"),
        compute_types=device_choice.COMPUTE_TYPES,
    )

    def __init__(self, opener: Opener = _open_model) -> None:
        self._open = opener
        self._model: SpeechModel | None = None
        self._model_name = ""
        self._device = "cpu"

    def available(self, settings: Settings) -> str | None:
        """None when both libraries are installed."""
        missing = [package for package in _NEEDS if find_spec(package) is None]
        if missing:
            return not_installed(device_choice.install_line(self.name), *missing)
        return None

    def load(self, request: LoadRequest) -> Loaded:
        """Load the model. Also raises InvalidOption for an impossible ``compute_type``."""
        missing = self.available(request.settings)
        if missing:
            raise EngineUnavailable(missing)
        folder = _checked(request.model)
        self.unload()
        device, notices = device_choice.choose_device(request.device, request.settings)
        compute_type = device_choice.choose_compute_type(self.name, request.compute_type, device)
        try:
            self._model = self._open(
                str(folder),
                device_choice.torch_name(device),
                compute_type,
                request.cpu_threads,
                request.model.name,
            )
        except Exception as error:
            raise self._load_error(error, device, request.model) from error
        self._model_name, self._device = request.model.name, device
        return Loaded(device, compute_type, notices)

    def transcribe(
        self, clip: Clip, options: Options, canceled: Callable[[], bool]
    ) -> Iterator[Heard]:
        """Also raises InvalidOption for a language, task or number it cannot take."""
        if self._model is None:
            raise EngineFailed("No model is loaded")
        plan = plan_for(options, clip, self._model, self._model_name)
        yield from postprocess(
            clip,
            options,
            canceled,
            (lambda: self._decoded(clip, plan, canceled)) if plan.stretches else None,
            lambda error: device_choice.meaning(error, self._device, self.name),
            plan.notices,
        )

    def unload(self) -> None:
        """Give the model's memory back at once, on the GPU too."""
        if self._model is None:
            return
        self._model.close()
        self._model = None
        device_choice.give_back()

    def _decoded(
        self, clip: Clip, plan: TransformersRequest, canceled: Callable[[], bool]
    ) -> Iterator[Any]:
        assert self._model is not None
        with self._model.interruptible(canceled):
            yield from WindowedTranscription(self._model, clip, plan).run()

    def _load_error(self, error: Exception, device: str, files: ModelFiles) -> Exception:
        meaning = device_choice.meaning(error, device, self.name)
        if type(meaning) is EngineFailed:
            return ModelUnavailable(
                UserMessage("model_broken", model=files.name, folder=files.folder, why=error)
            )
        return meaning


def _checked(files: ModelFiles) -> Path:
    """The model's folder. Raises ModelUnavailable for a checkpoint that is no Whisper's."""
    if files.folder is None:
        raise ModelUnavailable(UserMessage("model_no_folder", model=files.name))
    path = files.folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ModelUnavailable(
            UserMessage("model_file_unreadable", model=files.name, path=path, why=error)
        ) from error
    kind = config.get("model_type") if isinstance(config, dict) else None
    if kind != "whisper":
        raise ModelUnavailable(UserMessage("model_kind", model=files.name, kind=kind))
    return files.folder
