"""What the GPU does for each library that could use it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from importlib import metadata

from hybrid_transcribe.config import Settings
from hybrid_transcribe.devices import Card, Gpu, GpuProber, preferred
from hybrid_transcribe.doctor.check import Check
from hybrid_transcribe.models.disk_space import in_words
from hybrid_transcribe.registry import ENGINES

#: The library that runs models of a layout.
BACKENDS = {"ctranslate2": "ctranslate2", "openai": "torch", "huggingface": "torch"}


def gpu(settings: Settings, prober: GpuProber | None = None) -> Iterable[Check]:
    """One look for each library that is installed, made anew: something may have been mended."""
    prober = prober or GpuProber()
    for backend in dict.fromkeys(BACKENDS.values()):
        if _installed(backend):
            is_required = settings.device == "gpu" and backend == _default(settings)
            yield _gpu_check(backend, prober.probe(backend, settings, fresh=True), is_required)


def _installed(backend: str) -> bool:
    try:
        metadata.version(backend)
    except metadata.PackageNotFoundError:
        return False
    return True


def _default(settings: Settings) -> str | None:
    """The library of the default engine."""
    layout = ENGINES.get(settings.engine, settings.engines).capabilities.model_layout
    return BACKENDS.get(layout or "")


def _gpu_check(backend: str, gpu: Gpu, required: bool) -> Check:
    title = f"gpu for {backend}"
    if gpu.usable:
        driver = f"driver {gpu.driver}" if gpu.driver else ""
        parts = [_cards(gpu.cards) or "usable", driver, _formats(backend, gpu.compute_types)]
        return Check(title, True, "; ".join(filter(None, parts)), needed=required)
    if gpu.present or required:
        return Check(title, False, gpu.why_not, gpu.hint, needed=required)
    return Check(title, None, f"{gpu.why_not}: models run on the CPU, in {_on_cpu(backend)}")


def _cards(cards: Sequence[Card]) -> str:
    return ", ".join(
        f"{card.name} ({in_words(card.total_bytes)}"
        + (f", {in_words(card.free_bytes)} free)" if card.free_bytes is not None else ")")
        for card in cards
    )


def _formats(backend: str, can: Sequence[str]) -> str:
    chosen = preferred(backend, "gpu", can) or "default"
    others = ", ".join(name for name in can if name != chosen)
    return f"computes in {chosen}" + (f" (can also: {others})" if others else "")


def _on_cpu(backend: str) -> str:
    """The format that would be chosen there."""
    can = {"float32"}
    if backend == "ctranslate2":
        import ctranslate2

        can = ctranslate2.get_supported_compute_types("cpu")
    return preferred(backend, "cpu", can) or "the library's own choice"
