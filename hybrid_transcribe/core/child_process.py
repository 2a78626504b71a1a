"""How Python children of ours are started: with this very package, never with strangers' modules.

A folder of recordings may hold a ``types.py`` or an ``av.py`` too. Python puts the current folder
before its standard library for ``-m`` and ``-c``, so a child without these arguments would run
such a file. `register_current_folder` is the one exception, for an engine that a person named.
"""

from __future__ import annotations

import ctypes
import importlib
import os
import signal
import site
import sys
from collections.abc import Mapping
from importlib.machinery import PathFinder
from pathlib import Path

#: Option of Linux's prctl(2): the signal that a process gets when the thread that forked it ends.
_PR_SET_PDEATHSIG = 1

# Python 3.10 has no -P: the entry for the current folder goes before anything is imported from
# it (sys is built in, and site ran before the entry was there).
_RUN_MODULE = (
    "import sys; sys.path[:] = [p for p in sys.path if p]; import runpy; "
    "runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
)


def module_command(module: str, *arguments: str) -> list[str]:
    """The command line of ``python -m MODULE``, without the current folder on its path."""
    if sys.version_info >= (3, 11):
        return [sys.executable, "-P", "-m", module, *arguments]
    return [sys.executable, "-c", _RUN_MODULE.format(module=module), *arguments]


def package_environment(environ: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment in which a child imports this very package, and nothing by accident."""
    environment = dict(os.environ if environ is None else environ)
    # For children of the child: Python 3.10 ignores it.
    environment["PYTHONSAFEPATH"] = "1"
    home = str(Path(__file__).resolve().parents[2])
    # An installed package is imported anyway; PYTHONPATH would put all its neighbours first.
    if home not in (*site.getsitepackages(), site.getusersitepackages()):
        paths = [home, *filter(None, environment.get("PYTHONPATH", "").split(os.pathsep))]
        environment["PYTHONPATH"] = os.pathsep.join(dict.fromkeys(paths))
    return environment


def register_current_folder(module: str) -> None:
    """Let a module of the current folder be imported, where there is none elsewhere.

    For an engine that the settings name and that lies beside the notebook. The folder goes to
    the end of the path, where it hides nothing, and stays: the engine may import its neighbours.
    """
    name, folder = module.partition(".")[0], str(Path.cwd())
    if name in sys.modules or folder in sys.path or PathFinder.find_spec(name) is not None:
        return
    if PathFinder.find_spec(name, [folder]) is not None:
        sys.path.append(folder)
        importlib.invalidate_caches()


def die_with_parent() -> None:
    """Have Linux kill this process when its parent ends, also while it is stopped (SIGSTOP).

    A worker ends by itself at the end of its stdin, but a stopped one reads nothing, and would
    keep its models in memory. Elsewhere than on Linux this does nothing.
    """
    if not sys.platform.startswith("linux"):
        return
    try:
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    except (OSError, AttributeError):
        # A libc without it: the end of stdin remains.
        return
