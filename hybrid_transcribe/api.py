"""The short way: module-level `transcribe` and `submit` on one service of this process."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Iterable
from typing import Any, overload

from hybrid_transcribe.jobs.handle import Job, JobResult
from hybrid_transcribe.jobs.service import Inputs, Service
from hybrid_transcribe.progress import follow
from hybrid_transcribe.types import Transcript

_lock = threading.Lock()
_default: Service | None = None


def default_service() -> Service:
    """The service behind `submit` and `transcribe`, started when first needed."""
    global _default
    with _lock:
        if _default is None or _default.closed:
            _default = Service()
        return _default


def submit(inputs: Inputs, **how: Any) -> Job:
    """Queue recordings on the default service and return at once (see `Service.submit`)."""
    return default_service().submit(inputs, **how)


@overload
def transcribe(
    inputs: str | os.PathLike[str], *, progress: bool = True, **how: Any
) -> Transcript | JobResult: ...


@overload
def transcribe(
    inputs: Iterable[str | os.PathLike[str]], *, progress: bool = True, **how: Any
) -> JobResult: ...


def transcribe(inputs: Inputs, *, progress: bool = True, **how: Any) -> Transcript | JobResult:
    """Transcribe and wait, with a progress bar: the whole product in one line.

    A single recording gives its `Transcript`; several (a list, a folder, a zip) give a
    `JobResult`. Interrupting cancels the job. Takes what `Service.submit` takes and raises
    what `Job.result` raises.
    """
    job = submit(inputs, **how)
    try:
        if progress:
            follow(job, file=sys.stderr)
        result = job.result()
    except KeyboardInterrupt:
        job.cancel()
        raise
    single = isinstance(inputs, str | os.PathLike) and len(result) == 1 and not result.errors
    return result[0] if single and len(job.recordings) == 1 else result


def enable_nested_asyncio() -> None:
    """Let cells of your own call `asyncio.run` inside a running loop (extra ``nested``).

    Not needed for anything here. Do not use it with widgets on screen: under ipykernel 7.1 to
    7.4 a nested run drops their messages. Raises ImportError with the remedy.
    """
    try:
        import nest_asyncio  # type: ignore[import-not-found,unused-ignore]
    except ImportError:
        raise ImportError("Needs: pip install 'hybrid-transcribe[nested]'") from None
    nest_asyncio.apply()
