"""Models kept warm: loaded once, lent by ``with``, unloaded when unused."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import EngineUnavailable
from hybrid_transcribe.interfaces import Engine, Loaded, LoadRequest, ModelFiles
from hybrid_transcribe.models import resolve
from hybrid_transcribe.registry import ENGINES
from hybrid_transcribe.types import Spec, Stage

#: Told while a model is made ready: the stage and its percentage where known.
Report = Callable[[Stage, float | None], None]


@dataclass(slots=True)
class Lent:
    """A loaded engine. ``load_s`` is what making it ready took just now, 0 when it was warm."""

    engine: Engine
    loaded: Loaded
    load_s: float = 0.0
    used_at: float = 0.0


#: What two jobs must share to use one loaded model.
Key = tuple[str, str, str, str | None]


class ModelPool:
    """Loaded engines, least recently used first."""

    def __init__(self, settings: Settings, now: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._now = now
        self._held: OrderedDict[Key, Lent] = OrderedDict()

    @contextmanager
    def lend(self, spec: Spec, report: Report) -> Iterator[Lent]:
        """An engine ready for such work. Raises what `Engine.load` and `models.resolve` raise."""
        key = (spec.engine, spec.model, spec.device, spec.options.compute_type)
        lent = self._held.pop(key, None)
        if lent is None:
            self._make_room()
            lent = self._load(spec, report)
        self._held[key] = lent
        try:
            yield lent
        finally:
            lent.load_s = 0.0
            lent.used_at = self._now()

    def _make_room(self) -> None:
        while len(self._held) >= max(1, self._settings.models_kept):
            _, oldest = self._held.popitem(last=False)
            oldest.engine.unload()

    def _load(self, spec: Spec, report: Report) -> Lent:
        engine = ENGINES.make(spec.engine, self._settings.engines)
        why_not = engine.available()
        if why_not:
            raise EngineUnavailable(f"{spec.engine}: {why_not}")
        files = self._files(engine, spec.model, report)
        report(Stage.LOADING_MODEL, None)
        started = self._now()
        loaded = engine.load(
            LoadRequest(files, spec.device, spec.options.compute_type, self._settings.cpu_threads)
        )
        return Lent(engine, loaded, load_s=self._now() - started)

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

    def unload_idle(self) -> None:
        """Give back the memory of models unused for `Settings.model_idle_s`."""
        limit = self._now() - self._settings.model_idle_s
        for key in [k for k, lent in self._held.items() if lent.used_at <= limit]:
            self._held.pop(key).engine.unload()

    def unload_all(self) -> None:
        """Give everything back now."""
        while self._held:
            _, lent = self._held.popitem()
            lent.engine.unload()

    def __len__(self) -> int:
        return len(self._held)
