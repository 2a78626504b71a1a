"""OpenAI's own Whisper, on torch: the reference the others are measured against.

Options that were not given have the defaults of the library's function ``whisper.transcribe``:
greedy at temperature 0, one sample above it. Its command line uses ``beam_size`` and
``best_of`` 5, which takes a CPU about four times as long.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

from hybrid_transcribe.config import Settings
from hybrid_transcribe.devices import Probe, probe
from hybrid_transcribe.engines import torch_device as device_choice
from hybrid_transcribe.engines.common.loading import WHISPER, model_folder
from hybrid_transcribe.engines.common.prompt import length_notices
from hybrid_transcribe.engines.common.request import not_installed
from hybrid_transcribe.engines.openai_whisper.request import (
    HONOURED,
    OpenAIWhisperRequest,
    request_for,
)
from hybrid_transcribe.engines.openai_whisper.windows import Windows
from hybrid_transcribe.engines.torch_engine import Decoding, Opener, TorchEngine
from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.interfaces import Capabilities, Language, ModelFiles
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import Clip, Options

#: How torch words it where the end of a checkpoint, or some of it, is missing.
_CUT = re.compile(r"PytorchStreamReader|unexpected EOF|corrupt", re.IGNORECASE)

#: The library decodes in these only, on a CPU in the last only.
_COMPUTE_TYPES = ("float16", "float32")


def _open_model(file: Path, device: str, compute_type: str, cpu_threads: int, name: str) -> Any:
    from hybrid_transcribe.engines.openai_whisper.model import open_model

    return open_model(file, device, compute_type, cpu_threads, name)


class OpenAIWhisper(TorchEngine):
    """OpenAI's Whisper. ``opener`` loads the model and ``probe`` finds GPUs, for tests."""

    name: ClassVar[str] = "openai-whisper"
    capabilities: ClassVar[Capabilities] = replace(
        WHISPER, options=HONOURED, model_layout="openai", compute_types=_COMPUTE_TYPES
    )

    def __init__(self, opener: Opener = _open_model, probe: Probe = probe) -> None:
        super().__init__(opener, probe)

    def available(self, settings: Settings) -> str | None:
        """None when the library and torch are installed."""
        missing = [name for name, there in _parts().items() if not there]
        if not missing:
            return None
        return not_installed(device_choice.install_line(self.name), *missing)

    def _source(self, model: ModelFiles) -> Path:
        return _checkpoint(model)

    def _compute_types(self, device: str) -> Sequence[str]:
        return _COMPUTE_TYPES if device == "gpu" else ("float32",)

    def _decoding(self, clip: Clip, options: Options, canceled: Callable[[], bool]) -> Decoding:
        request = self._request_for(options, clip)
        decode = None if request.empty else lambda: self._decoded(clip, request, canceled)
        return decode, request.notices

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

    def _why(self, error: Exception) -> Exception | str:
        return _trouble(error)


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
    folder = model_folder(model)
    items = sorted(folder.glob("*.pt"))
    if len(items) != 1:
        names = ", ".join(path.name for path in items) or "none"
        raise ModelUnavailable(
            UserMessage("model_one_checkpoint", model=model.name, folder=folder, names=names)
        )
    return items[0]
