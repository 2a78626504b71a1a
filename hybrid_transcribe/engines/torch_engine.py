"""What the engines on torch share: where a model is loaded, how it is heard and given back."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from hybrid_transcribe.devices import Probe, probe
from hybrid_transcribe.engines import torch_device as device_choice
from hybrid_transcribe.engines.common.loading import check_available, load_error
from hybrid_transcribe.engines.common.postprocess import postprocess
from hybrid_transcribe.errors import EngineFailed
from hybrid_transcribe.interfaces import Engine, Heard, Loaded, LoadRequest, ModelFiles
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import Clip, Options

#: Loads a model from (checkpoint or folder, torch's device, compute type, threads, name).
Opener = Callable[[Any, str, str, int, str], Any]

#: What decodes a clip, None where nothing of it is wanted; and what cannot be honoured.
Decoding = tuple[Callable[[], Iterable[Any]] | None, Sequence[str]]


class TorchEngine(Engine):
    """A Whisper on torch. ``opener`` loads the model and ``probe`` finds GPUs, for tests."""

    def __init__(self, opener: Opener, probe: Probe = probe) -> None:
        self._open = opener
        self._probe = probe
        self._model: Any = None
        self._model_name = ""
        self._device = "cpu"

    @abstractmethod
    def _source(self, model: ModelFiles) -> Any:
        """What the opener reads. Raises ModelUnavailable."""

    @abstractmethod
    def _decoding(self, clip: Clip, options: Options, canceled: Callable[[], bool]) -> Decoding:
        """How the loaded model decodes a clip. Raises InvalidOption."""

    def _compute_types(self, device: str) -> Sequence[str]:
        """Number formats in which the model runs on that device."""
        return device_choice.COMPUTE_TYPES

    def _why(self, error: Exception) -> Exception | str:
        """Why a model cannot be read, for people."""
        return error

    def load(self, request: LoadRequest) -> Loaded:
        """Load the model. Also raises InvalidOption for an impossible ``compute_type``."""
        check_available(self, request)
        source = self._source(request.model)
        self.unload()
        device, notices = device_choice.choose_device(request.device, request.settings, self._probe)
        compute_type = device_choice.choose_compute_type(
            self.name, request.compute_type, device, self._compute_types(device)
        )
        name = request.model.name
        try:
            self._model = self._open(
                source, device_choice.torch_name(device), compute_type, request.cpu_threads, name
            )
        except Exception as error:
            meaning = device_choice.meaning(error, device, self.name)
            raise load_error(meaning, request.model, source, self._why(error)) from error
        self._model_name, self._device = name, device
        return Loaded(device, compute_type, notices)

    def transcribe(
        self, clip: Clip, options: Options, canceled: Callable[[], bool]
    ) -> Iterator[Heard]:
        """Also raises InvalidOption for a language, task or number the library cannot take."""
        if self._model is None:
            raise EngineFailed(UserMessage("model_not_loaded"))
        decode, notices = self._decoding(clip, options, canceled)
        yield from postprocess(
            clip,
            options,
            canceled,
            decode,
            lambda error: device_choice.meaning(error, self._device, self.name),
            notices,
        )

    def unload(self) -> None:
        """Give the model's memory back at once, on the GPU too."""
        if self._model is None:
            return
        close = getattr(self._model, "close", None)
        self._model = None
        if close is not None:
            close()
        del close
        device_choice.give_back()
