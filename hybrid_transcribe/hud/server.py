"""The service of the Jupyter server that started this kernel."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Mapping
from pathlib import Path

from hybrid_transcribe.errors import HybridTranscribeError, InvalidRequest
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.remote.service import URL_VARIABLE, RemoteService, from_environment

#: Where a Jupyter server has ours, below its own address.
AT = "hybrid-transcribe"

#: Names the process of the server to its kernels.
_PARENT = "JPY_PARENT_PID"

_lock = threading.Lock()
_service: RemoteService | None = None


def server_service() -> RemoteService:
    """The server's service, the same each time. Raises InvalidRequest where there is none."""
    global _service
    with _lock:
        if _service is None or _service.closed:
            _service = _connected(find_server(os.environ, _runtime_dir()))
        return _service


def _connected(remote_service: RemoteService) -> RemoteService:
    """The service, if it answers as one. Now, rather than when the panel needs it."""
    try:
        remote_service.session_id  # noqa: B018 - asks for it
    except HybridTranscribeError as error:
        remote_service.close()
        raise InvalidRequest(UserMessage("jupyter_without", why=error)) from None
    return remote_service


def find_server(environ: Mapping[str, str], runtime_dir: Path) -> RemoteService:
    """What the environment names, else what the Jupyter server wrote down about itself.

    Raises InvalidRequest, which says what is missing.
    """
    if environ.get(URL_VARIABLE, "").strip():
        return from_environment(environ)
    pid = environ.get(_PARENT, "")
    if not pid.isdecimal():
        raise InvalidRequest(
            UserMessage("no_jupyter", name=_PARENT, pid=pid, variable=URL_VARIABLE)
        )
    note = runtime_dir / f"jpserver-{pid}.json"
    try:
        payload = json.loads(note.read_text(encoding="utf-8"))
        url, token = str(payload["url"]), str(payload.get("token") or "")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise InvalidRequest(
            UserMessage(
                "jupyter_address", note=note, kind=type(error).__name__, variable=URL_VARIABLE
            )
        ) from None
    return RemoteService(f"{url.rstrip('/')}/{AT}", token or None)


def _runtime_dir() -> Path:
    # A kernel always has it; other ways to run Python may not.
    try:
        from jupyter_core.paths import jupyter_runtime_dir
    except ImportError:
        return Path(os.environ.get("JUPYTER_RUNTIME_DIR", "."))
    return Path(jupyter_runtime_dir())
