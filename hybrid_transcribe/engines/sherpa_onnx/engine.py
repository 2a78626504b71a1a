"""The engine of models past Whisper: NVIDIA's, Moonshine, SenseVoice, Zipformer and their like."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from typing import ClassVar

from hybrid_transcribe.config import Settings
from hybrid_transcribe.engines.common.hallucinations import soundless, steady
from hybrid_transcribe.engines.common.languages import LANGUAGES
from hybrid_transcribe.engines.common.loading import check_available, load_error, model_folder
from hybrid_transcribe.engines.common.postprocess import postprocess
from hybrid_transcribe.engines.common.request import not_installed
from hybrid_transcribe.engines.sherpa_onnx.families import (
    COMPUTE_TYPES,
    RecognizedFolder,
    recognize_folder,
)
from hybrid_transcribe.engines.sherpa_onnx.parallel import ClipRecognition, ParallelRecognition
from hybrid_transcribe.engines.sherpa_onnx.recognizer import Recognizer
from hybrid_transcribe.engines.sherpa_onnx.request import HONOURED, plan_for
from hybrid_transcribe.engines.torch_device import install_line, meaning
from hybrid_transcribe.errors import EngineFailed
from hybrid_transcribe.interfaces import (
    Capabilities,
    ClipDone,
    Engine,
    Heard,
    Loaded,
    LoadRequest,
    ModelFiles,
)
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import Clip, Options

#: Opens a recognised folder.
Opener = Callable[[RecognizedFolder], Recognizer]


class SherpaOnnx(Engine):
    """Whatever sherpa-onnx's offline recognisers read. ``opener`` loads the model, for tests."""

    name: ClassVar[str] = "sherpa-onnx"
    capabilities: ClassVar[Capabilities] = Capabilities(
        options=HONOURED,
        languages=LANGUAGES,
        # Canary; the others say that they cannot.
        translates=True,
        word_timestamps=True,
        model_layout="sherpa-onnx",
        default_model="parakeet-tdt-0.6b-v3",
        devices=("auto", "cpu"),
        compute_types=COMPUTE_TYPES,
        # Side by side, as with faster-whisper: short recordings would leave threads idle.
        batch_recordings=64,
    )

    def __init__(self, opener: Opener = Recognizer) -> None:
        self._open = opener
        self._recognizer: Recognizer | None = None
        self._folder: RecognizedFolder | None = None
        self._model = ModelFiles("")
        self._n_threads = 1
        self._pool: ThreadPoolExecutor | None = None

    def available(self, settings: Settings) -> str | None:
        """None when the library is installed."""
        if find_spec("sherpa_onnx") is None:
            return not_installed(install_line(self.name), "sherpa-onnx")
        return None

    def load(self, request: LoadRequest) -> Loaded:
        """Load the model. Also raises InvalidOption for an impossible ``compute_type``."""
        check_available(self, request)
        model = request.model
        path = model_folder(model)
        self.unload()
        folder = recognize_folder(path, model.name, request.compute_type)
        try:
            self._recognizer = self._open(folder)
        except Exception as error:
            ours = meaning(error, "cpu", self.name)
            raise load_error(ours, model, path, error) from error
        self._folder, self._model = folder, model
        self._n_threads = request.cpu_threads or _n_cores()
        notices: tuple[str, ...] = ()
        if request.device == "gpu":
            notices = (UserMessage("cpu_only"),)
        return Loaded("cpu", folder.compute_type, notices)

    def transcribe(
        self, clip: Clip, options: Options, canceled: Callable[[], bool]
    ) -> Iterator[Heard]:
        """Also raises InvalidOption for a language or task that the model does not have."""
        for _, outcome in self.transcribe_many([(0, clip)], options, lambda _: canceled()):
            if isinstance(outcome, Exception):
                raise outcome
            if not isinstance(outcome, ClipDone):
                yield outcome

    def transcribe_many(
        self,
        clips: Iterable[tuple[int, Clip]],
        options: Options,
        canceled: Callable[[int], bool],
    ) -> Iterator[tuple[int, Heard | ClipDone | Exception]]:
        """Pieces of several recordings side by side, one thread each."""
        if self._recognizer is None or self._folder is None:
            raise EngineFailed(UserMessage("model_not_loaded"))
        if self._pool is None:
            self._pool = ThreadPoolExecutor(self._n_threads, thread_name_prefix="recognize")
        recognizer, folder, pool = self._recognizer, self._folder, self._pool
        languages = folder.family.languages or self._model.languages

        def begin(key: int, clip: Clip) -> tuple[ClipRecognition, Iterator[Heard]]:
            plan = plan_for(options, clip, self._model.name, folder.family, languages)
            recognizer.choose_language(plan.language, translate=plan.translate)
            recognition = ClipRecognition(
                clip, plan, options, recognizer, pool, lambda: canceled(key)
            )
            # Where the guard may find that nobody speaks, it listens first.
            if not (options.silence_guard and (soundless(clip.samples) or steady(clip.samples))):
                recognition.start()
            event = postprocess(
                clip,
                options,
                lambda: canceled(key),
                (lambda: recognition) if plan.stretches else None,
                lambda error: meaning(error, "cpu", self.name),
                plan.notices,
            )
            return recognition, event

        yield from ParallelRecognition(begin, self._n_threads).run(clips)

    def unload(self) -> None:
        """Give the model's memory back at once."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
            self._pool = None
        if self._recognizer is not None:
            self._recognizer = self._folder = None
            gc.collect()


def _n_cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1
