"""NVIDIA's libraries as pip installs them, loaded from where the system loader does not search.

pip puts them into ``nvidia/*/lib`` of site-packages. CTranslate2 asks the system's loader for
them by name, which finds what this process has loaded already.
"""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

#: What CTranslate2 4 may ask for; a library of another major version is another library.
_LINUX = ("*/lib/libcublas*.so.12", "*/lib/libcudnn*.so.9")
_WINDOWS = ("*/bin/cublas*64_12.dll", "*/bin/cudnn*64_9.dll")


def installed(places: Iterable[str] | None = None) -> list[Path]:
    """cuBLAS and cuDNN of pip's ``nvidia-*`` packages, in the folders of that namespace."""
    folders = _namespace() if places is None else places
    patterns = _WINDOWS if sys.platform == "win32" else _LINUX
    return sorted(
        path for folder in folders for pattern in patterns for path in Path(folder).glob(pattern)
    )


def _namespace() -> Iterable[str]:
    spec = find_spec("nvidia")
    return spec.submodule_search_locations or () if spec else ()


def preload(places: Iterable[str] | None = None) -> list[Path]:
    """Load them into this process. Returns what was loaded; what cannot be is left out."""
    waiting = installed(places)
    loaded: list[Path] = []
    progress = True
    while waiting and progress:
        # One may need another that comes later, so several rounds.
        now = [path for path in waiting if _loads(path)]
        waiting = [path for path in waiting if path not in now]
        loaded += now
        progress = bool(now)
    return loaded


def _loads(path: Path) -> bool:
    # Found by name wherever it is asked for later, its symbols stay its own: torch may bring
    # another cuBLAS into the same process.
    try:
        ctypes.CDLL(os.fspath(path))
    except OSError:
        return False
    return True


def in_use() -> list[str]:
    """The files of cuBLAS and cuDNN that this process has loaded; empty where nobody tells."""
    try:
        maps = Path("/proc/self/maps").read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return []
    files = {line.split(maxsplit=5)[-1] for line in maps.splitlines() if "/" in line}
    return sorted(f for f in files if Path(f).name.startswith(("libcublas", "libcudnn")))
