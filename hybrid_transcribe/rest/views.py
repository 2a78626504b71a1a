"""What of a job is shown, and to whom. No path, no note and no other session ever is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timezone
from typing import Any

import msgspec

from hybrid_transcribe.types import JobSnapshot, Recording, Rejection, Spec

#: Fields of a recording that are nobody's business but the engine room's.
_INNER = ("path", "owned", "worker_deaths", "solo", "note", "spec", "job_id")


def job(snapshot: JobSnapshot) -> dict[str, Any]:
    """A job in full, for those whose it is. Times are UTC as RFC 3339 has them."""
    return {
        "job_id": snapshot.job_id,
        "session_id": snapshot.session_id,
        "state": str(snapshot.state),
        "percentage": snapshot.percentage,
        "eta_s": snapshot.eta_s,
        "position": snapshot.position,
        **spec(snapshot.spec),
        "created_at": when(snapshot.created_at),
        "finished_at": when(snapshot.finished_at),
        "expires_at": when(snapshot.expires_at),
        "kept": snapshot.kept,
        "recordings": [recording(r) for r in snapshot.recordings],
        "rejected": [rejection(r) for r in snapshot.rejected],
    }


def spec(how: Spec) -> dict[str, Any]:
    """How a job is transcribed; only the options that were given."""
    return {
        "engine": how.engine,
        "model": how.model,
        "device": how.device,
        "options": how.options.given(),
    }


def recording(one: Recording) -> dict[str, Any]:
    """A recording in full."""
    fields: dict[str, Any] = msgspec.to_builtins(one)
    shown = {name: value for name, value in fields.items() if name not in _INNER}
    for name in ("started_at", "finished_at"):
        shown[name] = when(shown[name])
    if one.spec is not None:
        shown.update(spec(one.spec))
    return shown


def rejection(one: Rejection) -> dict[str, Any]:
    """An input that never became a recording."""
    return {"name": one.name, "error": msgspec.to_builtins(one.error)}


def anonymous(snapshots: Iterable[JobSnapshot]) -> list[dict[str, Any]]:
    """The queue as strangers may see it: no id, name, session or text of anybody."""
    return [
        {
            "position": s.position,
            "state": str(s.state),
            "engine": s.spec.engine,
            "percentage": s.percentage,
            "eta_s": s.eta_s,
            "n_recordings": len(s.recordings),
        }
        for s in snapshots
    ]


def when(wall_s: float | None) -> str | None:
    """Seconds since the epoch as RFC 3339 writes them.

    >>> when(0.0)
    '1970-01-01T00:00:00.000Z'
    """
    if wall_s is None:
        return None
    moment = datetime.fromtimestamp(wall_s, timezone.utc)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
