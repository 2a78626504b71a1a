"""The short way: module-level `transcribe` and `submit` on one service of this process."""

from __future__ import annotations

import os
import sys
import threading
from typing import Any

from hybrid_transcribe.core.names import user_path
from hybrid_transcribe.jobs.handle import Job, JobResult
from hybrid_transcribe.jobs.service import Service
from hybrid_transcribe.progress import follow
from hybrid_transcribe.service_protocol import Inputs
from hybrid_transcribe.types import Options, Transcript

_lock = threading.Lock()
_default: Service | None = None


def default_service() -> Service:
    """The service behind `submit` and `transcribe`, started when first needed."""
    global _default
    with _lock:
        # Closed, too, in a forked child.
        if _default is None or _default.closed:
            _default = Service()
        return _default


def submit(
    inputs: Inputs,
    *,
    engine: str | None = None,
    model: str | None = None,
    device: str | None = None,
    language: str | None = None,
    options: Options | None = None,
    **more: Any,
) -> Job:
    """Queue recordings on the default service and return at once.

    Takes what `Service.submit` takes: a path, several, a folder or a zip; single options by
    name (``beam_size=1``, ``word_timestamps=True``: see `Options`).
    """
    return default_service().submit(
        inputs,
        engine=engine,
        model=model,
        device=device,
        language=language,
        options=options,
        **more,
    )


def transcribe(
    inputs: Inputs,
    *,
    engine: str | None = None,
    model: str | None = None,
    device: str | None = None,
    language: str | None = None,
    options: Options | None = None,
    progress: bool = True,
    **more: Any,
) -> Transcript | JobResult:
    """Transcribe and wait, with a progress bar: the whole product in one line.

    A single recording gives its `Transcript`; several (a list, a folder, a zip) give a
    `JobResult`. Interrupting cancels the job. Takes what `submit` takes and raises what
    `Job.result` raises.
    """
    job = submit(
        inputs,
        engine=engine,
        model=model,
        device=device,
        language=language,
        options=options,
        **more,
    )
    try:
        if progress:
            follow(job, file=sys.stderr)
        result = job.result()
    except KeyboardInterrupt:
        job.cancel()
        raise
    return result[0] if _is_one(inputs) and not result.errors else result


def _is_one(inputs: Inputs) -> bool:
    """A single file; a folder or a zip is several, however few are in it."""
    if not isinstance(inputs, str | os.PathLike):
        return False
    path = user_path(inputs)
    return path.suffix.lower() != ".zip" and not path.is_dir()


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
