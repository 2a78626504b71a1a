"""Models kept warm: loaded once, lent by ``with``, unloaded when unused."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from hybrid_transcribe.config import Settings
from hybrid_transcribe.devices.ladder import Setup, after_failure, smaller
from hybrid_transcribe.errors import (
    DeviceFailed,
    EngineUnavailable,
    InvalidOption,
    OutOfMemory,
)
from hybrid_transcribe.interfaces import Capabilities, Engine, Loaded, LoadRequest, ModelFiles
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.models import resolve
from hybrid_transcribe.registry import ENGINES
from hybrid_transcribe.types import Spec, Stage
from hybrid_transcribe.worker.memory import give_back

#: Told while a model is made ready: the stage and its percentage where known.
Report = Callable[[Stage, float | None], None]


@dataclass(slots=True)
class ModelLease:
    """A loaded engine.

    ``load_s`` is what making it ready took just now, 0 when it was warm. ``notices`` say why it
    runs in a smaller way than was asked for.
    """

    engine: Engine
    loaded: Loaded
    notices: tuple[str, ...] = ()
    load_s: float = 0.0
    used_at: float = 0.0


#: What two jobs must share to use one loaded model.
Key = tuple[str, str, str, str | None]


class ModelPool:
    """Loaded engines, least recently used first, and the smaller ways some must be run in."""

    def __init__(self, settings: Settings, now: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._now = now
        self._held: OrderedDict[Key, ModelLease] = OrderedDict()
        #: The way that is small enough, and the line for each step to it.
        self._smaller: dict[Key, tuple[Setup, tuple[str, ...]]] = {}

    @contextmanager
    def lend(self, spec: Spec, report: Report) -> Iterator[ModelLease]:
        """An engine ready for such work. Raises what `Engine.load` and `models.resolve` raise."""
        key = _key(spec)
        lent = self._held.pop(key, None)
        if lent is None:
            self._make_room()
            lent = self._load(spec, report)
        self._held[key] = lent
        lent.notices = self._smaller[key][1] if key in self._smaller else ()
        try:
            yield lent
        finally:
            lent.load_s = 0.0
            lent.used_at = self._now()

    def _make_room(self) -> None:
        while len(self._held) >= max(1, self._settings.models_kept):
            _unload(self._held.popitem(last=False)[1])

    def _load(self, spec: Spec, report: Report) -> ModelLease:
        engine = ENGINES.make(spec.engine, self._settings.engines)
        why_not = engine.available(self._settings)
        if why_not:
            raise EngineUnavailable(UserMessage("labelled", label=spec.engine, why=why_not))
        files = self._files(engine, spec.model, report)
        report(Stage.LOADING_MODEL, None)
        started, setup = self._now(), self._setup(spec)
        request = LoadRequest(
            files, setup.device, setup.compute_type, self._settings.cpu_threads, self._settings
        )
        try:
            loaded = engine.load(request)
        except InvalidOption as error:
            if _key(spec) not in self._smaller:
                raise
            # Not every GPU computes in the smaller format: on to the next step.
            raise OutOfMemory(error.message, setup.device) from error
        return ModelLease(engine, loaded, load_s=self._now() - started)

    def _files(self, engine: Engine, model: str, report: Report) -> ModelFiles:
        layout = engine.capabilities.model_layout
        if layout is None:
            return ModelFiles(model)
        return resolve(
            model,
            layout,
            self._settings,
            lambda percentage: report(Stage.DOWNLOADING_MODEL, percentage),
        )

    # ------------------------------------------------------------------- smaller ways

    def batch_size(self, spec: Spec) -> int | None:
        """Windows at once: what was asked for, or less where that was too much."""
        return self._setup(spec).batch_size

    def _setup(self, spec: Spec) -> Setup:
        setup = Setup(spec.device, spec.options.compute_type, spec.options.batch_size)
        if _key(spec) not in self._smaller:
            return setup
        entry, _ = self._smaller[_key(spec)]
        sizes = [size for size in (setup.batch_size, entry.batch_size) if size is not None]
        batch_size = min(sizes) if setup.batch_size is not None else None
        return replace(entry, batch_size=batch_size)

    def step_down(self, spec: Spec, trouble: OutOfMemory | DeviceFailed) -> bool:
        """Run that model in a smaller way from now on; False when there is none.

        It holds until the model is unloaded for being idle, and everybody who gets it is told.
        """
        key = _key(spec)
        now = self._as_it_ran(spec, trouble)
        if isinstance(trouble, DeviceFailed):
            result = after_failure(now)
        else:
            result = smaller(now, self._capabilities(spec).compute_types)
        if result is None:
            return False
        message = self._smaller[key][1] if key in self._smaller else ()
        self._smaller[key] = (result[0], (*message, result[1]))
        if (result[0].device, result[0].compute_type) != (now.device, now.compute_type):
            lent = self._held.pop(key, None)
            if lent is not None:
                _unload(lent)
        return True

    def _as_it_ran(self, spec: Spec, trouble: OutOfMemory | DeviceFailed) -> Setup:
        """What was too much. A model that could not even be loaded does not say where it was."""
        setup = self._setup(spec)
        lent = self._held.get(_key(spec))
        if lent is not None:
            # An engine may not say how it was loaded; then as it was asked to be.
            device = "cpu" if setup.device == "cpu" else lent.loaded.device
            compute_type = lent.loaded.compute_type or setup.compute_type
            return replace(setup, device=device, compute_type=compute_type)
        gpu = setup.device != "cpu" and "gpu" in self._capabilities(spec).devices
        return replace(setup, device=trouble.device or ("gpu" if gpu else "cpu"))

    def _capabilities(self, spec: Spec) -> Capabilities:
        capabilities: Capabilities = ENGINES.get(spec.engine, self._settings.engines).capabilities
        return capabilities

    # ------------------------------------------------------------------------ memory

    def unload_idle(self) -> None:
        """Give back the memory of models unused for `Settings.model_idle_s`."""
        limit = self._now() - self._settings.model_idle_s
        for key in [k for k, lent in self._held.items() if lent.used_at <= limit]:
            _unload(self._held.pop(key))
            # There may be more memory next time.
            self._smaller.pop(key, None)

    def unload_all(self) -> None:
        """Give everything back now."""
        while self._held:
            _unload(self._held.popitem()[1])
        self._smaller.clear()


def _key(spec: Spec) -> Key:
    return (spec.engine, spec.model, spec.device, spec.options.compute_type)


def _unload(lent: ModelLease) -> None:
    lent.engine.unload()
    give_back()
