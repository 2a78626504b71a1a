"""Memory of models comes back when they are unused, measured from outside the worker."""

from __future__ import annotations

import time

import psutil
import pytest

from hybrid_transcribe import Service, sample
from hybrid_transcribe.worker.memory import peak_bytes

MIB = 1 << 20

#: What unloading base must give back at least, in bytes: 8-bit weights, or 32-bit ones.
ENGINES = {"faster-whisper": 75 * MIB, "openai-whisper": 250 * MIB, "transformers": 250 * MIB}

#: The worker looks for idle models every 5 s.
DEADLINE_S = 30.0


def resident(service: Service) -> int:
    """Memory of the service's one worker, in bytes."""
    (worker,) = service.workers()
    return int(psutil.Process(worker.pid).memory_info().rss)


def wait_for(service: Service, most: int) -> None:
    """Until the worker holds no more than that."""
    until = time.monotonic() + DEADLINE_S
    while (now := resident(service)) > most:
        assert time.monotonic() < until, f"still {now / MIB:.0f} MiB of {most / MIB:.0f} MiB"
        time.sleep(0.1)


def test_peak_is_at_least_what_is_held() -> None:
    """In bytes, whatever unit the system counts in."""
    peak = peak_bytes()
    assert peak is None or peak >= psutil.Process().memory_info().rss * 0.9


@pytest.mark.model
@pytest.mark.slow
@pytest.mark.parametrize("engine", ENGINES)
def test_unloading_gives_memory_back(engine: str) -> None:
    """On request the weights go, the worker stays, and the next job loads them again."""
    with Service(journal=None) as service:
        text = service.submit([sample()], engine=engine, model="base", language="en").result().text
        before, pid = resident(service), service.workers()[0].pid
        assert (service.workers()[0].peak_bytes or 0) >= before * 0.9
        service.unload_models()
        wait_for(service, before - ENGINES[engine])
        again = service.submit([sample()], engine=engine, model="base", language="en").result()
        assert again.text == text
        assert service.workers()[0].pid == pid


@pytest.mark.model
@pytest.mark.slow
def test_an_idle_model_goes_by_itself() -> None:
    """After ``model_idle_s`` without work."""
    with Service(journal=None, model_idle_s=0.5) as service:
        service.submit([sample()], engine="faster-whisper", model="base", language="en").result()
        wait_for(service, resident(service) - ENGINES["faster-whisper"])
