"""Whisper on CTranslate2: the default engine, the fastest of its kind on a CPU."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import fields, replace
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar

from hybrid_transcribe.config import Settings
from hybrid_transcribe.devices import Forget, Probe, forget, probe
from hybrid_transcribe.engines.common.loading import (
    WHISPER,
    check_available,
    load_error,
    model_folder,
)
from hybrid_transcribe.engines.common.postprocess import postprocess
from hybrid_transcribe.engines.common.prompt import length_notices
from hybrid_transcribe.engines.common.request import not_installed
from hybrid_transcribe.engines.faster_whisper import device as device_choice
from hybrid_transcribe.engines.faster_whisper.request import (
    FasterWhisperRequest,
    batched_request,
    request_for,
)
from hybrid_transcribe.engines.faster_whisper.sampling import seeded
from hybrid_transcribe.engines.faster_whisper.short_context.parallelism import (
    Parallelism,
    can_trim,
    deep,
    step_s,
    wide,
)
from hybrid_transcribe.errors import (
    EngineFailed,
    EngineUnavailable,
    OutOfMemory,
)
from hybrid_transcribe.interfaces import (
    Capabilities,
    ClipDone,
    Engine,
    Heard,
    Language,
    Loaded,
    LoadRequest,
)
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import WHO_SPEAKS, Clip, Options

if TYPE_CHECKING:
    from hybrid_transcribe.engines.faster_whisper.short_context.batches import Batches
    from hybrid_transcribe.engines.faster_whisper.short_context.parallel_transcriber import (
        ParallelTranscriber,
    )
    from hybrid_transcribe.engines.faster_whisper.short_context.piece_decoder import PieceDecoder
    from hybrid_transcribe.engines.faster_whisper.short_context.silence_padding import (
        SilencePadding,
    )

#: Loads a model from (folder, "cpu" or "cuda", compute type, threads, replicas).
Opener = Callable[[str, str, str, int, int], Any]


def _open_model(
    folder: str, device: str, compute_type: str, cpu_threads: int, replicas: int = 1
) -> Any:
    from hybrid_transcribe.engines.faster_whisper.model import open_model

    return open_model(folder, device, compute_type, cpu_threads, replicas)


class FasterWhisper(Engine):
    """Whisper on CTranslate2.

    ``opener`` loads the model, ``probe`` finds GPUs and ``forget`` drops what it found, for tests.
    ``second_looks`` says how many pieces the fast way heard again with the full window, and how
    many it heard, since the engine was made.
    """

    name: ClassVar[str] = "faster-whisper"
    capabilities: ClassVar[Capabilities] = replace(
        WHISPER,
        options=frozenset(f.name for f in fields(Options))
        - {"channels", "diarize", "postprocess", *WHO_SPEAKS},
        model_layout="ctranslate2",
        compute_types=device_choice.COMPUTE_TYPES,
        # Side by side: at the end of a batch all but the last of its threads have nothing to do.
        batch_recordings=128,
    )

    def __init__(
        self, opener: Opener = _open_model, probe: Probe = probe, forget: Forget = forget
    ) -> None:
        self._open = opener
        self._probe = probe
        self._forget = forget
        self._model: Any = None
        self._model_name = ""
        self._device = "cpu"
        # Opens the model again in another shape.
        self._reopen: Callable[[Parallelism], Any] = _not_loaded
        self._shape = Parallelism()
        self._cpu_threads = 0
        self._crew: Executor | None = None
        self._batches: Batches | None = None
        self._tail: SilencePadding | None = None
        self.second_looks: tuple[int, int] = (0, 0)

    def available(self, settings: Settings) -> str | None:
        """None when the library is installed."""
        if find_spec("faster_whisper") is None:
            return not_installed("pip install faster-whisper", "faster-whisper")
        return None

    def load(self, request: LoadRequest) -> Loaded:
        """Load the model. Also raises InvalidOption for an impossible ``compute_type``."""
        check_available(self, request)
        model_folder(request.model)
        self.unload()
        requested, settings = request.device, request.settings
        device, notices = device_choice.choose_device(requested, settings, self._probe)
        try:
            return self._load_on(device, notices, request)
        except EngineUnavailable as gone:
            if device == "cpu":
                raise
            # It was remembered to work, and nobody looked again.
            device, notices = device_choice.without_gpu(requested, settings, gone, self._forget)
        return self._load_on(device, notices, request)

    def _load_on(self, device: str, notices: tuple[str, ...], request: LoadRequest) -> Loaded:
        compute_type = device_choice.choose_compute_type(request.compute_type, device)

        def reopen(shape: Parallelism) -> Any:
            return self._open(
                str(request.model.folder),
                device_choice.ct2_name(device),
                compute_type,
                shape.threads,
                shape.replicas,
            )

        shape = wide(request.cpu_threads, device)
        try:
            self._model = reopen(shape)
        except Exception as error:
            meaning = device_choice.meaning(error, device)
            raise load_error(meaning, request.model, request.model.folder, error) from error
        self._model_name, self._device = request.model.name, device
        self._reopen, self._shape = reopen, shape
        self._cpu_threads = request.cpu_threads
        return Loaded(device, _real_compute_type(self._model, compute_type), notices)

    def transcribe(
        self, clip: Clip, options: Options, canceled: Callable[[], bool]
    ) -> Iterator[Heard]:
        """Also raises InvalidOption for a language or task it does not know."""
        if self._trims(options):
            for _, event in self._side_by_side([(0, clip)], options, lambda _: canceled()):
                if isinstance(event, Exception):
                    raise event
                if not isinstance(event, ClipDone):
                    yield event
            return
        self._take_shape(deep(self._cpu_threads))
        request = self._request_for(options, clip)
        yield from postprocess(
            clip,
            options,
            canceled,
            None if request.empty else lambda: self._decoded(clip, request, canceled),
            self._meaning,
            request.notices,
        )

    def transcribe_many(
        self,
        clips: Iterable[tuple[int, Clip]],
        options: Options,
        canceled: Callable[[int], bool],
    ) -> Iterator[tuple[int, Heard | ClipDone | Exception]]:
        """Pieces of several recordings side by side, where the fast way does."""
        if self._trims(options):
            return self._side_by_side(clips, options, canceled)
        return super().transcribe_many(clips, options, canceled)

    def unload(self) -> None:
        """Give the model's memory back at once, on the GPU too."""
        self._send_home()
        self._drop_model()
        self._reopen = _not_loaded

    def _send_home(self) -> None:
        """Nobody hears any more, and the model is in nobody's hands."""
        if self._crew is not None:
            self._crew.shutdown(wait=True, cancel_futures=True)
            self._crew = self._tail = None
        if self._batches is not None:
            self._batches.close()
            self._batches = None

    def _drop_model(self) -> None:
        if self._model is None:
            return
        unload: Callable[[], None] | None = getattr(self._model.model, "unload_model", None)
        self._model = None
        if unload is not None:
            unload()
        del unload
        gc.collect()

    def _meaning(self, error: Exception) -> Exception:
        return device_choice.meaning(error, self._device)

    # ------------------------------------------------------------------- the fast way

    def _trims(self, options: Options) -> bool:
        if self._model is None:
            raise EngineFailed(UserMessage("model_not_loaded"))
        return can_trim(options, self._device) and getattr(self._model, "trims", False)

    def _side_by_side(
        self,
        clips: Iterable[tuple[int, Clip]],
        options: Options,
        canceled: Callable[[int], bool],
    ) -> Iterator[tuple[int, Heard | ClipDone | Exception]]:
        from hybrid_transcribe.engines.faster_whisper.short_context.malloc import give_back
        from hybrid_transcribe.engines.faster_whisper.short_context.parallel_transcriber import (
            ParallelTranscriber,
            in_order,
        )
        from hybrid_transcribe.engines.faster_whisper.short_context.silence_padding import (
            silence_padding_for,
        )

        shape = wide(self._cpu_threads, self._device)
        self._take_shape(shape)
        if self._crew is None:
            self._crew = ThreadPoolExecutor(shape.n_ears, thread_name_prefix="hear")
            self._tail = silence_padding_for(self._model) if self._device == "cpu" else None
        crew = ParallelTranscriber(
            self._crew,
            shape.n_ears,
            self._model,
            options,
            lambda clip: self._request_for(options, clip, batched_request),
            self._meaning,
            self._count,
            tail=self._tail,
            step_s=step_s(self._device, encoded=self._tail is None),
        )
        try:
            yield from in_order(self._in_batches(crew, shape), clips, canceled)
        finally:
            give_back()

    def _request_for(
        self, options: Options, clip: Clip, make: Callable[..., FasterWhisperRequest] = request_for
    ) -> FasterWhisperRequest:
        model = self._model
        request = make(options, clip, model.supported_languages, self._model_name)
        if not hasattr(model, "count_tokens"):
            return request
        cut = length_notices(options, model.max_length, model.count_tokens)
        return replace(request, notices=(*request.notices, *cut))

    def _in_batches(self, crew: ParallelTranscriber, shape: Parallelism) -> ParallelTranscriber:
        from hybrid_transcribe.engines.faster_whisper.short_context import batches

        if self._batches is None:
            kind = batches.CpuBatches if self._device == "cpu" else batches.GpuBatches
            self._batches = kind(
                self._model.model, shape.batch, self._no_memory, slots=shape.replicas
            )
        model = batches.batched(self._model, self._batches)
        return replace(crew, model=model, news=self._batches.news)

    def _no_memory(self, error: Exception) -> bool:
        return isinstance(self._meaning(error), OutOfMemory)

    def _count(self, ear: PieceDecoder) -> None:
        again, event = self.second_looks
        self.second_looks = (again + ear.second_looks, event + ear.looks)

    def _take_shape(self, shape: Parallelism) -> None:
        """Open the model again where it is spread over the cores in another way."""
        if (
            shape == self._shape
            or self._device != "cpu"
            or not getattr(self._model, "trims", False)
        ):
            return
        self._send_home()
        self._drop_model()
        try:
            self._model = self._reopen(shape)
        except Exception as error:
            raise self._meaning(error) from error
        self._shape = shape

    # ------------------------------------------------------------- the library's own way

    def _decoded(
        self, clip: Clip, request: FasterWhisperRequest, canceled: Callable[[], bool]
    ) -> Iterator[Any]:
        with self._interruptible(canceled):
            result, info = self._call(clip, request)
            if "language" not in request.arguments:
                yield self._language(info)
            yield from result

    def _call(self, clip: Clip, request: FasterWhisperRequest) -> tuple[Iterable[Any], Any]:
        if request.batch_size is None:
            model = seeded(self._model)
            return model.transcribe(clip.samples, **request.arguments)  # type: ignore[no-any-return]
        from faster_whisper import BatchedInferencePipeline

        return BatchedInferencePipeline(self._model).transcribe(  # type: ignore[no-any-return]
            clip.samples, batch_size=request.batch_size, **request.arguments
        )

    def _language(self, info: Any) -> Language:
        if len(self._model.supported_languages) == 1:
            # Nothing was detected: an English-only model always says English.
            return Language(info.language)
        return Language(info.language, float(info.language_probability))

    def _interruptible(self, canceled: Callable[[], bool]) -> Any:
        within = getattr(self._model, "interruptible", None)
        return within(canceled) if within else ExitStack()


def _not_loaded(shape: Parallelism) -> Any:
    raise EngineFailed(UserMessage("model_not_loaded"))


def _real_compute_type(model: Any, requested: str) -> str:
    return str(getattr(getattr(model, "model", None), "compute_type", requested))
