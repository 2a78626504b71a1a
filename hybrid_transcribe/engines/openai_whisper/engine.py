"""OpenAI's own Whisper, on torch: the reference the others are measured against.

Options that were not given have the defaults of the library's function ``whisper.transcribe``:
greedy at temperature 0, one sample above it. Its command line uses ``beam_size`` and
``best_of`` 5, which takes a CPU about four times as long.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from hybrid_transcribe.config import Settings
from hybrid_transcribe.devices import Probe, probe
from hybrid_transcribe.engines import torch_device as device_choice
from hybrid_transcribe.engines.common.languages import LANGUAGES
from hybrid_transcribe.engines.common.postprocess import postprocess
from hybrid_transcribe.engines.common.prompt import length_notices
from hybrid_transcribe.engines.common.request import not_installed
from hybrid_transcribe.engines.openai_whisper.request import (
    HONOURED,
    OpenAIWhisperRequest,
    request_for,
)
from hybrid_transcribe.engines.openai_whisper.windows import Windows
from hybrid_transcribe.errors import EngineFailed, EngineUnavailable, ModelUnavailable
from hybrid_transcribe.interfaces import (
    Capabilities,
    Engine,
    Heard,
    Language,
    Loaded,
    LoadRequest,
    ModelFiles,
)
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import Clip, Options

#: Loads a model from (checkpoint, "cpu" or "cuda", compute type, threads, name).
Opener = Callable[[Path, str, str, int, str], Any]

#: How torch words it where the end of a checkpoint, or some of it, is missing.
_CUT = re.compile(r"PytorchStreamReader|unexpected EOF|corrupt", re.IGNORECASE)

#: The library decodes in these only, on a CPU in the last only.
_COMPUTE_TYPES = ("float16", "float32")


def _open_model(file: Path, device: str, compute_type: str, cpu_threads: int, name: str) -> Any:
    from hybrid_transcribe.engines.openai_whisper.model import open_model

    return open_model(file, device, compute_type, cpu_threads, name)


class OpenAIWhisper(Engine):
    """OpenAI's Whisper. ``opener`` loads the model and ``probe`` finds GPUs, for tests."""

    name: ClassVar[str] = "openai-whisper"
    capabilities: ClassVar[Capabilities] = Capabilities(
        options=HONOURED,
        languages=LANGUAGES,
        translates=True,
        word_timestamps=True,
        model_layout="openai",
        default_model="base",
        devices=("auto", "gpu", "cpu"),
        compute_types=_COMPUTE_TYPES,
    )

    def __init__(self, opener: Opener = _open_model, probe: Probe = probe) -> None:
        self._open = opener
        self._probe = probe
        self._model: Any = None
        self._model_name = ""
        self._device = "cpu"

    def available(self, settings: Settings) -> str | None:
        """None when the library and torch are installed."""
        missing = [name for name, there in _parts().items() if not there]
        if not missing:
            return None
        return not_installed(device_choice.install_line(self.name), *missing)

    def load(self, request: LoadRequest) -> Loaded:
        """Load the model. Also raises InvalidOption for an impossible ``compute_type``."""
        missing = self.available(request.settings)
        if missing:
            raise EngineUnavailable(missing)
        file = _checkpoint(request.model)
        self.unload()
        device, notices = device_choice.choose_device(request.device, request.settings, self._probe)
        can = _COMPUTE_TYPES if device == "gpu" else ("float32",)
        compute_type = device_choice.choose_compute_type(
            self.name, request.compute_type, device, can
        )
        try:
            self._model = self._open(
                file,
                device_choice.torch_name(device),
                compute_type,
                request.cpu_threads,
                request.model.name,
            )
        except Exception as error:
            raise self._load_error(error, device, request.model, file) from error
        self._model_name, self._device = request.model.name, device
        return Loaded(device, compute_type, notices)

    def transcribe(
        self, clip: Clip, options: Options, canceled: Callable[[], bool]
    ) -> Iterator[Heard]:
        """Also raises InvalidOption for a value the library has no use for."""
        if self._model is None:
            raise EngineFailed("No model is loaded")
        request = self._request_for(options, clip)
        yield from postprocess(
            clip,
            options,
            canceled,
            None if request.empty else lambda: self._decoded(clip, request, canceled),
            lambda error: device_choice.meaning(error, self._device, self.name),
            request.notices,
        )

    def unload(self) -> None:
        """Give the model's memory back at once, on the GPU too."""
        if self._model is None:
            return
        self._model = None
        device_choice.give_back()

    def _request_for(self, options: Options, clip: Clip) -> OpenAIWhisperRequest:
        model = self._model
        request = request_for(options, clip, model.supported_languages, self._model_name)
        if not hasattr(model, "count_tokens"):
            return request
        # The library itself takes the end of a longer one, and does not say so.
        cut = length_notices(options, model.context, model.count_tokens, hotwords=False)
        return replace(request, notices=(*request.notices, *cut))

    def _decoded(
        self, clip: Clip, request: OpenAIWhisperRequest, canceled: Callable[[], bool]
    ) -> Iterator[Any]:
        model = self._model
        with model.interruptible(canceled):
            sound = model.hear(clip.samples)
            language = request.language
            if language is None:
                result = self._language(sound)
                yield result
                language = result.code
            tokenizer = model.tokenizer(language, request.task)
            yield from Windows(model, sound, tokenizer, replace(request, language=language))

    def _language(self, sound: Any) -> Language:
        if len(self._model.supported_languages) == 1:
            # Nothing was detected: an English-only model always says English.
            return Language("en")
        return Language(*self._model.detect_language(sound))

    def _load_error(
        self, error: Exception, device: str, model: ModelFiles, file: Path
    ) -> Exception:
        meaning = device_choice.meaning(error, device, self.name)
        if not isinstance(meaning, EngineFailed):
            return meaning
        return ModelUnavailable(
            UserMessage("model_broken", model=model.name, folder=file, why=_trouble(error))
        )


def _trouble(error: Exception) -> str:
    """Why a checkpoint cannot be read, without torch's advice to trust it or to ask its makers."""
    text = device_choice.first_line(error).partition(". ")[0]
    if isinstance(error, EOFError) or _CUT.search(text):
        return UserMessage("model_incomplete", text=text)
    return text


def _parts() -> dict[str, bool]:
    """What the engine needs, and whether it is there; imports none of it."""
    library = find_spec("whisper")
    return {
        # There is another package called whisper, of one file: a time series database.
        "openai-whisper": library is not None and bool(library.submodule_search_locations),
        "torch": find_spec("torch") is not None,
    }


def _checkpoint(model: ModelFiles) -> Path:
    """The one checkpoint of a model's folder, or the file that was named."""
    if model.file is not None:
        return model.file
    if model.folder is None:
        raise ModelUnavailable(UserMessage("model_no_folder", model=model.name))
    items = sorted(model.folder.glob("*.pt"))
    if len(items) != 1:
        names = ", ".join(path.name for path in items) or "none"
        raise ModelUnavailable(
            UserMessage("model_one_checkpoint", model=model.name, folder=model.folder, names=names)
        )
    return items[0]
