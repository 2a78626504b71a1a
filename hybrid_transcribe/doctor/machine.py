"""What there is to work on: interpreter, memory, folders, packages."""

from __future__ import annotations

import os
import platform
import re
import shutil
import tempfile
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

import platformdirs
from filelock import FileLock, Timeout

from hybrid_transcribe._version import __version__
from hybrid_transcribe.config import PREFIX, Settings
from hybrid_transcribe.core import telemetry
from hybrid_transcribe.doctor.check import PACKAGE, Check, extra_names
from hybrid_transcribe.jobs.state_folder import NETWORK_FILE_SYSTEMS, file_system
from hybrid_transcribe.models.disk_space import in_words

#: Less than this is too little for most models, in bytes.
LITTLE_DISK, LITTLE_MEMORY = 1e9, 1e9


def python(settings: Settings) -> Iterable[Check]:
    """The interpreter and this package."""
    where = Path(__file__).parents[1]
    version = platform.python_version()
    yield Check("python", True, f"{version} on {platform.platform(terse=True)}", needed=True)
    yield Check(PACKAGE, True, f"{__version__} in {where}")


def machine(settings: Settings) -> Iterable[Check]:
    """Processors and memory."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    total, free = memory_bytes()
    detail = f", {in_words(total)} memory" if total else ""
    detail += f" ({in_words(free)} free)" if free else ""
    little = free is not None and free < LITTLE_MEMORY
    hint = "Close other programs, or use a small model such as tiny or base" if little else ""
    yield Check("machine", None if little else True, f"{count} CPUs{detail}", hint)


def memory_bytes() -> tuple[int | None, int | None]:
    """Memory of this machine and what is free of it; None where the system does not tell."""
    try:
        page = os.sysconf("SC_PAGE_SIZE")
        total, free = page * os.sysconf("SC_PHYS_PAGES"), page * os.sysconf("SC_AVPHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None, None
    try:
        # What caches hold counts as free, which only this file knows.
        text = Path("/proc/meminfo").read_text(encoding="ascii")
    except OSError:
        return total, free
    match = re.search(r"^MemAvailable:\s+(\d+) kB", text, re.MULTILINE)
    return total, int(match[1]) * 1024 if match else free


def state_folder(settings: Settings) -> Iterable[Check]:
    """Where jobs survive a restart."""
    named = settings.state_dir
    default = Path(platformdirs.user_state_dir("hybrid_transcribe", False)) / "default"
    path = Path(named) if named else default
    choose = f"Name a local folder with {PREFIX}STATE_DIR"
    network = file_system(_existing(path))
    if not _writable(path):
        detail = f"{path} cannot be written: jobs would be kept in memory only"
        yield Check("state folder", False, detail, choose)
    elif network.startswith(NETWORK_FILE_SYSTEMS):
        detail = f"{path} is on a network ({network}): jobs would be kept in memory only"
        yield Check("state folder", False, detail, choose)
    elif _locked(path):
        detail = f"{path} is in use by another process"
        if named:
            yield Check("state folder", False, detail, f"End that one, or: {choose}")
        else:
            yield Check("state folder", True, f"{detail}; this one would take a folder beside it")
    else:
        yield Check("state folder", True, f"{path}{'' if path.exists() else ', when needed'}")


def _locked(path: Path) -> bool:
    if not (path / "lock").exists():
        return False
    lock = FileLock(path / "lock", timeout=0)
    try:
        with lock:
            return False
    except Timeout:
        return True


def cache_folder(settings: Settings) -> Iterable[Check]:
    """Where models are put together."""
    path = settings.cache_path
    choose = f"Name another folder with {PREFIX}CACHE_DIR"
    if not _writable(path):
        yield Check("cache folder", False, f"{path} cannot be written", choose)
        return
    free = shutil.disk_usage(_existing(path)).free
    little = free < LITTLE_DISK
    detail = f"{path}, {in_words(free)} free"
    hint = f"Free some space, or: {choose}" if little else ""
    yield Check("cache folder", None if little else True, detail, hint)


def _existing(path: Path) -> Path:
    """The folder, or the nearest above it that is there."""
    return next(p for p in (path.absolute(), *path.absolute().parents) if p.exists())


def _writable(path: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=_existing(path)):
            return True
    except OSError:
        return False


def extras(settings: Settings) -> Iterable[Check]:
    """What else is installed, and how to install the rest."""
    lacking = {name: missing(name) for name in extra_names()}
    here = [name for name, lacks in lacking.items() if not lacks]
    yield Check("extras", True if here else None, f"installed: {', '.join(here) or 'none'}")
    for name, lacks in lacking.items():
        if lacks:
            detail = f"not installed: {', '.join(lacks)}"
            yield Check(f"extra {name}", None, detail, f"pip install '{PACKAGE}[{name}]'")


def library_telemetry(settings: Settings) -> Iterable[Check]:
    """Whether the libraries that we load are kept from reporting to their makers."""
    enabled = telemetry.enabled()
    if enabled:
        detail = f"not switched off by {', '.join(enabled)}"
        yield Check("telemetry", None, detail, "Unset these variables: they are set to keep it on")
    else:
        detail = f"off in every process of ours, by {len(telemetry.SWITCHES)} variables"
        yield Check("telemetry", True, detail)


def missing(extra: str) -> list[str]:
    """Packages of an extra that are not installed."""
    match = (
        result[1]
        for line in metadata.requires(PACKAGE) or ()
        if f"extra == '{extra}'" in line.replace('"', "'")
        and (result := re.match(r"([A-Za-z0-9._-]+)", line))
    )
    return [name for name in match if not _installed(name)]


def _installed(name: str) -> bool:
    try:
        metadata.version(name)
    except metadata.PackageNotFoundError:
        return False
    return True
