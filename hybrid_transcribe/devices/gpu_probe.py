"""A probe of the GPU for each library, and its result, kept.

The probe runs in a child process. A usable GPU is remembered on disk too, so that the next worker
starts at once, until it turns out to be gone. A GPU that is not usable is remembered in this
process only, so that a repaired machine is noticed at the next start.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path

import msgspec

from hybrid_transcribe.config import Settings
from hybrid_transcribe.core.child_process import module_command, package_environment
from hybrid_transcribe.devices import driver, libraries
from hybrid_transcribe.devices.hint import hint_for
from hybrid_transcribe.devices.probe_result import ProbeResult
from hybrid_transcribe.messages import UserMessage

#: Longest wait for a probe, in seconds. A first start of CUDA on a cold disk takes ten.
TIMEOUT_S = 60.0

#: What decides, beside the installed versions, which GPUs and libraries a process gets.
_VARIABLES = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "PYTHONPATH")

#: What CUDA and cuBLAS say when memory is short.
_FULL = re.compile("out of memory|status_alloc_failed")

#: Longest line of a dead probe that is quoted.
_QUOTE = 200


@dataclass(frozen=True, slots=True)
class Gpu:
    """The result of a probe.

    Attributes:
        usable: it computed something.
        present: there seems to be a GPU, usable or not.
        why_not, hint: one line each, empty where it is usable.
        cards: every GPU, as far as the driver tells.
        compute_types: number formats of the library, by its own names.
        driver: the driver's version.
    """

    usable: bool
    present: bool = True
    why_not: str = ""
    hint: str = ""
    cards: tuple[driver.Card, ...] = ()
    compute_types: tuple[str, ...] = ()
    driver: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Of each GPU, as NVIDIA sells it."""
        return tuple(card.name for card in self.cards)

    @property
    def explanation(self) -> str:
        """Cause and hint in one line, empty where it is usable."""
        if not self.why_not:
            return ""
        return UserMessage("with_remedy", why=self.why_not, remedy=self.hint)


#: Probes the GPU for a library: its name, and settings for where the result is kept.
Probe = Callable[[str, Settings], Gpu]

#: Drops the result of a probe: its arguments.
Forget = Callable[[str, Settings], None]


@dataclass(frozen=True, slots=True)
class _CachedProbe:
    key: str
    result: ProbeResult


@dataclass(frozen=True, slots=True)
class _ChildExit:
    """How a probe ended; ``status`` None when it did not within the time."""

    status: int | None
    stdout: bytes
    stderr: bytes


@dataclass(slots=True)
class GpuProber:
    """Probes each backend once and keeps the results. The fields are there for tests.

    Attributes:
        why_no_gpu: why no probe is worth it on this machine, or None.
        variables: more of the environment for the probe.
        timeout_s: how long a probe may take.
    """

    why_no_gpu: Callable[[], str | None] = driver.why_no_gpu
    variables: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = TIMEOUT_S
    _probed: dict[str, Gpu] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def probe(self, backend: str, settings: Settings, *, fresh: bool = False) -> Gpu:
        """Whether ``backend`` (``"ctranslate2"``, ``"torch"``) can compute on a GPU here.

        ``fresh`` asks again what is remembered. Takes seconds at most `TIMEOUT_S`, raises nothing.
        """
        reason = self.why_no_gpu()
        if reason:
            return Gpu(False, False, reason, hint_for(backend, reason))
        with self._lock:
            key = _key(backend, self.variables)
            gpu = None if fresh else self._probed.get(key) or _read_cached(key, settings)
            if gpu is None:
                gpu = self._probe_now(backend, key, settings)
            # Memory may be free again by the next time.
            if not _FULL.search(gpu.why_not.lower()):
                self._probed[key] = gpu
            return gpu

    def forget(self, backend: str, settings: Settings) -> None:
        """Drop a result, here and for processes that start later, so that the next call probes."""
        with self._lock:
            key = _key(backend, self.variables)
            self._probed.pop(key, None)
            # One that stays costs the next process the same trouble, and nothing else.
            with contextlib.suppress(OSError):
                _file(key, settings).unlink()

    def _probe_now(self, backend: str, key: str, settings: Settings) -> Gpu:
        result = _result_of(backend, self._run(backend), self.timeout_s)
        if result.why_not is None:
            _write_cached(_CachedProbe(key, result), settings)
            return _usable(result)
        if not result.why_not:
            reason = UserMessage("gpu_none")
            return Gpu(False, False, reason, hint_for(backend, reason))
        why_not = UserMessage("gpu_unusable", why=result.reason)
        return Gpu(False, True, why_not, hint_for(backend, why_not), driver=driver.version())

    def _run(self, backend: str) -> _ChildExit:
        command = module_command(f"{__package__}.gpu_probe_child", backend)
        try:
            process = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self.timeout_s,
                env=package_environment({**os.environ, **self.variables}),
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            return _ChildExit(None, b"", late.stderr or b"")
        except OSError as error:
            return _ChildExit(-1, b"", str(error).encode())
        return _ChildExit(process.returncode, process.stdout, process.stderr)


_PROBER = GpuProber()


def probe(backend: str, settings: Settings, *, fresh: bool = False) -> Gpu:
    """As `GpuProber.probe`, remembered for the whole process."""
    return _PROBER.probe(backend, settings, fresh=fresh)


def forget(backend: str, settings: Settings) -> None:
    """As `GpuProber.forget`, for the whole process."""
    _PROBER.forget(backend, settings)


def _usable(result: ProbeResult) -> Gpu:
    return Gpu(
        True, cards=result.cards, compute_types=result.compute_types, driver=driver.version()
    )


# ------------------------------------------------------------------------- a probe's end


def _result_of(backend: str, child_exit: _ChildExit, timeout_s: float) -> ProbeResult:
    """What the probe last_line, or how it died."""
    if child_exit.status is None:
        return ProbeResult(UserMessage("gpu_silent", library=backend, seconds=timeout_s))
    last_line = child_exit.stdout.strip().rpartition(b"\n")[2]
    if not child_exit.status:
        with contextlib.suppress(msgspec.MsgspecError):
            return msgspec.json.decode(last_line, type=ProbeResult)
    exit_text = _exit_text(child_exit.status)
    words = _last_words(child_exit.stderr.decode("utf-8", "replace"))
    if words:
        died = UserMessage("gpu_died_words", library=backend, exit=exit_text, text=words)
        return ProbeResult(died)
    return ProbeResult(UserMessage("gpu_died", library=backend, exit=exit_text))


def _exit_text(status: int) -> str:
    if status >= 0:
        return UserMessage("exit_ended", status=status)
    try:
        return UserMessage("exit_killed", signal=signal.Signals(-status).name)
    except ValueError:
        return UserMessage("exit_killed", signal=f"signal {-status}")


def _last_words(text: str) -> str:
    """The line that names a library, else the last."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    named = [line for line in lines if re.search(r"cublas|cudnn|libcu|\.so\b|\.dll\b", line, re.I)]
    return (named or lines[-1:] or [""])[0][:_QUOTE]


# ------------------------------------------------------------------------------- memory


def _key(backend: str, more: Mapping[str, str]) -> str:
    """Everything that an answer depends on; another key is another machine."""
    environment = {**os.environ, **more}
    parts: Sequence[object] = (
        backend,
        _version(backend),
        driver.version(),
        sys.prefix,
        [environment.get(name) for name in _VARIABLES],
        [str(path) for path in libraries.installed()],
    )
    return msgspec.json.encode(parts).decode()


def _version(backend: str) -> str:
    try:
        return metadata.version(backend)
    except metadata.PackageNotFoundError:
        return ""


def _file(key: str, settings: Settings) -> Path:
    digest = hashlib.sha256(key.encode()).hexdigest()[:16]
    return settings.cache_path / "gpu" / f"{digest}.json"


def _read_cached(key: str, settings: Settings) -> Gpu | None:
    """What worked before, unless the file is broken or a library it used is gone."""
    try:
        cached = msgspec.json.decode(_file(key, settings).read_bytes(), type=_CachedProbe)
    except (OSError, msgspec.MsgspecError):
        return None
    result = cached.result
    if cached.key != key or result.why_not is not None:
        return None
    return _usable(result) if all(Path(f).exists() for f in result.files) else None


def _write_cached(cached: _CachedProbe, settings: Settings) -> None:
    path = _file(cached.key, settings)
    part = path.with_suffix(f".{os.getpid()}.part")
    # A cache that cannot be written costs a probe at the next start, and nothing else.
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(msgspec.json.encode(cached))
        part.replace(path)
