"""Temporary folders that go with their process, even when it is killed.

::

    <temporary>/hybrid_transcribe-XXXXXXXX/     what a process keeps for its lifetime only
    <temporary>/hybrid_transcribe-XXXXXXXX/.owner   locked while that process lives

Two things remove a folder whose process was killed: a small shell that waits for the end of its
standard input (POSIX only), and whichever process makes a folder next, which finds the lock free.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from filelock import FileLock, Timeout

#: How the names of these folders begin.
PREFIX = "hybrid_transcribe-"

#: The file in each that its process holds a lock on.
OWNER = ".owner"

#: Waits for the end of its input, then removes the folder. A worker of the dead process may still
#: be writing there: it ends within three seconds, hence the second time.
_GUARD = 'read -r _; rm -rf -- "$1"; sleep 4; rm -rf -- "$1"'

#: How long closing waits for the guard's end, in seconds.
_GUARD_END_S = 2.0


class ScratchFolder:
    """A fresh temporary folder, private to this user. Raises OSError."""

    def __init__(self, prefix: str = PREFIX) -> None:
        remove_abandoned()
        while True:
            self.path = Path(tempfile.mkdtemp(prefix=prefix)).resolve()
            # Only its file matters: no thread or object of this process ever waits for it.
            self._lock = FileLock(self.path / OWNER, timeout=0, thread_local=False)
            # Another process may take a folder so fresh for an abandoned one, and remove it.
            with contextlib.suppress(Timeout):
                self._lock.acquire()
                break
        self._pid = os.getpid()
        self._guard = _guard(self.path)

    def close(self) -> None:
        """Remove the folder; further calls do nothing. A forked child removes nothing."""
        if os.getpid() != self._pid:
            return
        shutil.rmtree(self.path, ignore_errors=True)
        self._lock.release()
        guard, self._guard = self._guard, None
        if guard is not None:
            guard.kill()
            with contextlib.suppress(subprocess.TimeoutExpired):
                guard.wait(_GUARD_END_S)
            if guard.stdin is not None:
                with contextlib.suppress(OSError):
                    guard.stdin.close()


def _guard(path: Path) -> subprocess.Popen[bytes] | None:
    """The shell that outlives a killed process; None where there is none."""
    if os.name != "posix" or not os.path.exists("/bin/sh"):  # noqa: PTH110
        return None
    with contextlib.suppress(OSError):
        return subprocess.Popen(
            ["/bin/sh", "-c", _GUARD, "sh", str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={"PATH": os.defpath},
            # Ctrl-C in a terminal and the end of a kernel's process group are not for it.
            start_new_session=True,
        )
    return None


def remove_abandoned() -> None:
    """Remove the folders of processes that are dead. What cannot be removed is left."""
    for path in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, Timeout):
            if _is_ours(path):
                with FileLock(path / OWNER, timeout=0):
                    shutil.rmtree(path, ignore_errors=True)


def _is_ours(path: Path) -> bool:
    """A real folder of this user's that some process once owned."""
    if path.is_symlink() or not (path / OWNER).is_file():
        return False
    return os.name != "posix" or path.stat().st_uid == os.getuid()
