"""One look at the GPU for each library, and what it found, remembered.

The trial runs in a child process. What works is remembered on disk too, so that the next worker
starts at once, until somebody finds it gone; what does not work only in this process, so that a
mended machine is seen at the next start.
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

from hybrid_transcribe.child_process import module_command, package_environment
from hybrid_transcribe.config import Settings
from hybrid_transcribe.devices import driver, libraries
from hybrid_transcribe.devices.finding import Finding
from hybrid_transcribe.devices.remedy import remedy_for

#: Longest wait for a trial, in seconds. A first start of CUDA on a cold disk takes ten.
TRIAL_S = 60.0

#: What decides, beside the installed versions, which GPUs and libraries a process gets.
_VARIABLES = ("CUDA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "LD_LIBRARY_PATH", "PYTHONPATH")

#: What CUDA and cuBLAS say when memory is short.
_FULL = re.compile("out of memory|status_alloc_failed")

#: Longest line of a dead trial that is quoted.
_QUOTE = 200


@dataclass(frozen=True, slots=True)
class Gpu:
    """What a look found.

    Attributes:
        usable: it computed something.
        there: there seems to be a GPU, usable or not.
        why_not, remedy: one line each, empty where it is usable.
        cards: every GPU, as far as the driver tells.
        compute_types: number formats of the library, by its own names.
        driver: the driver's version.
    """

    usable: bool
    there: bool = True
    why_not: str = ""
    remedy: str = ""
    cards: tuple[driver.Card, ...] = ()
    compute_types: tuple[str, ...] = ()
    driver: str = ""

    @property
    def names(self) -> tuple[str, ...]:
        """Of each GPU, as NVIDIA sells it."""
        return tuple(card.name for card in self.cards)

    @property
    def told(self) -> str:
        """Cause and remedy in one line, empty where it is usable."""
        return f"{self.why_not}; {self.remedy}" if self.why_not else ""


#: A look at the GPU for a library: its name, and settings for where to remember.
Look = Callable[[str, Settings], Gpu]

#: Forgets what a look found: its arguments.
Forget = Callable[[str, Settings], None]


@dataclass(frozen=True, slots=True)
class _Memo:
    key: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class _Ended:
    """How a trial ended; ``status`` None when it did not within the time."""

    status: int | None
    stdout: bytes
    stderr: bytes


@dataclass(slots=True)
class Looker:
    """Looks, each time it does not remember. The fields are there for tests.

    Attributes:
        nothing_there: why no trial is worth it on this machine, or None.
        variables: more of the environment for the trial.
        trial_s: how long a trial may take.
    """

    nothing_there: Callable[[], str | None] = driver.nothing_there
    variables: Mapping[str, str] = field(default_factory=dict)
    trial_s: float = TRIAL_S
    _known: dict[str, Gpu] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def look(self, backend: str, settings: Settings, *, fresh: bool = False) -> Gpu:
        """Whether ``backend`` (``"ctranslate2"``, ``"torch"``) can compute on a GPU here.

        ``fresh`` asks again what is remembered. Takes seconds at most `TRIAL_S`, raises nothing.
        """
        nothing = self.nothing_there()
        if nothing:
            return Gpu(False, False, nothing, remedy_for(backend, nothing))
        with self._lock:
            key = _key(backend, self.variables)
            found = None if fresh else self._known.get(key) or _remembered(key, settings)
            if found is None:
                found = self._try(backend, key, settings)
            # Memory may be free again by the next time.
            if not _FULL.search(found.why_not.lower()):
                self._known[key] = found
            return found

    def forget(self, backend: str, settings: Settings) -> None:
        """Have the next look try again, here and in other processes that start: it is gone."""
        with self._lock:
            key = _key(backend, self.variables)
            self._known.pop(key, None)
            # One that stays costs the next process the same trouble, and nothing else.
            with contextlib.suppress(OSError):
                _file(key, settings).unlink()

    def _try(self, backend: str, key: str, settings: Settings) -> Gpu:
        finding = _finding(backend, self._run(backend), self.trial_s)
        if finding.why_not is None:
            _remember(_Memo(key, finding), settings)
            return _usable(finding)
        if not finding.why_not:
            nothing = "No GPU was found on this machine"
            return Gpu(False, False, nothing, remedy_for(backend, nothing))
        why_not = f"The GPU cannot be used: {finding.why_not}"
        return Gpu(False, True, why_not, remedy_for(backend, why_not), driver=driver.version())

    def _run(self, backend: str) -> _Ended:
        command = module_command(f"{__package__}.trial", backend)
        try:
            ran = subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=self.trial_s,
                env=package_environment({**os.environ, **self.variables}),
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            return _Ended(None, b"", late.stderr or b"")
        except OSError as error:
            return _Ended(-1, b"", str(error).encode())
        return _Ended(ran.returncode, ran.stdout, ran.stderr)


_LOOKER = Looker()


def look(backend: str, settings: Settings, *, fresh: bool = False) -> Gpu:
    """As `Looker.look`, remembered for the whole process."""
    return _LOOKER.look(backend, settings, fresh=fresh)


def forget(backend: str, settings: Settings) -> None:
    """As `Looker.forget`, for the whole process."""
    _LOOKER.forget(backend, settings)


def _usable(finding: Finding) -> Gpu:
    return Gpu(
        True, cards=finding.cards, compute_types=finding.compute_types, driver=driver.version()
    )


# ------------------------------------------------------------------------- a trial's end


def _finding(backend: str, ended: _Ended, trial_s: float) -> Finding:
    """What the trial said, or how it died."""
    if ended.status is None:
        return Finding(f"{backend} had no answer from it in {trial_s:.0f} s")
    said = ended.stdout.strip().rpartition(b"\n")[2]
    if not ended.status:
        with contextlib.suppress(msgspec.MsgspecError):
            return msgspec.json.decode(said, type=Finding)
    how = _end(ended.status)
    words = _last_words(ended.stderr.decode("utf-8", "replace"))
    return Finding(f"{backend} {how} when it tried" + (f" ({words})" if words else ""))


def _end(status: int) -> str:
    if status >= 0:
        return f"ended with status {status}"
    try:
        return f"was killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"was killed by signal {-status}"


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


def _remembered(key: str, settings: Settings) -> Gpu | None:
    """What worked before, unless the file is broken or a library it used is gone."""
    try:
        memo = msgspec.json.decode(_file(key, settings).read_bytes(), type=_Memo)
    except (OSError, msgspec.MsgspecError):
        return None
    finding = memo.finding
    if memo.key != key or finding.why_not is not None:
        return None
    return _usable(finding) if all(Path(f).exists() for f in finding.files) else None


def _remember(memo: _Memo, settings: Settings) -> None:
    path = _file(memo.key, settings)
    part = path.with_suffix(f".{os.getpid()}.part")
    # A cache that cannot be written costs a trial at the next start, and nothing else.
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(msgspec.json.encode(memo))
        part.replace(path)
