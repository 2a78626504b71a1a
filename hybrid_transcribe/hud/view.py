"""What is shown of the queue: from snapshots to rows. Pure: no clock, no widget, no thread."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from hybrid_transcribe.core.columns import columns
from hybrid_transcribe.core.names import display_name
from hybrid_transcribe.hud.messages import Row, Rows
from hybrid_transcribe.types import EngineInfo, JobSnapshot, Recording, Rejection, State
from hybrid_transcribe.wire import serialize

#: The state of an input that never became a recording.
REJECTED = "rejected"

#: Heads of the plain table.
_HEAD = ("FILE", "STATE", "%", "LEFT", "ENGINE", "SAYS")

#: Rows that the plain table has at most.
_MOST = 30


@dataclass(frozen=True, slots=True)
class TableState:
    """All rows by id, their order, and how many recordings of others run first."""

    rows: Mapping[str, Row] = field(default_factory=dict)
    order: tuple[str, ...] = ()
    others_ahead: int = 0


def sheet(jobs: Iterable[JobSnapshot], receivers: Mapping[str, str | None]) -> TableState:
    """The rows of these jobs. ``receivers`` says by engine who gets the audio."""
    listed = tuple(jobs)
    rows = {row.id: row for job in listed for row in job_rows(job, receivers)}
    listing = order((job, row_ids(job)) for job in listed)
    return TableState(rows, listing, others_ahead(listed))


def job_rows(job: JobSnapshot, receivers: Mapping[str, str | None]) -> tuple[Row, ...]:
    """A job's recordings, then the inputs that were refused."""
    rows, ahead, of = [], job.position, len(job.recordings)
    for recording in job.recordings:
        rows.append(recording_row(job, recording, of, ahead, receivers))
        ahead += not recording.state.terminal
    rows += [_rejected_row(job, n, refused, of) for n, refused in enumerate(job.rejected)]
    return tuple(rows)


def recording_row(
    job: JobSnapshot,
    recording: Recording,
    of: int,
    ahead: int,
    receivers: Mapping[str, str | None],
) -> Row:
    """One recording; of ``job`` all but its recordings is looked at. ``of`` is their number."""
    spec = recording.spec or job.spec
    own = serialize.recording_fields(recording, job.spec) | {
        "name": display_name(recording.name),
        "language": recording.language or spec.options.language,
    }
    return Row(
        **own,
        **_of_job(job, of),
        id=recording.recording_id,
        ahead=ahead if recording.state is State.QUEUED else 0,
        sends_audio_to=receivers.get(spec.engine),
        actions=actions(recording.state, _has_text(recording), job.kept),
    )


def _of_job(job: JobSnapshot, of: int) -> dict[str, Any]:
    """What the rows of a job share."""
    return {
        "job_id": job.job_id,
        "of": of,
        "session": short(job.session_id),
        "expires_at": job.expires_at,
        "kept": job.kept,
    }


def _rejected_row(job: JobSnapshot, n: int, refused: Rejection, of: int) -> Row:
    id = f"{job.job_id}:{n}"
    none = Recording(id, job.job_id, of + n, display_name(refused.name), "", error=refused.error)
    own = serialize.recording_fields(none, job.spec) | {
        "recording_id": None,
        "state": REJECTED,
        "percentage": None,
        "options": {},
    }
    return Row(**own, **_of_job(job, of), id=id, actions=("delete",))


def _has_text(recording: Recording) -> bool:
    """Something can be read: the result, also while a newer one is made, or what there is."""
    return recording.has_result or recording.n_segments > 0


def actions(state: State, has_text: bool, kept: bool) -> tuple[str, ...]:
    """What a person can sensibly do with a recording in that state.

    A completed one can be tried again too: with another engine, model or option.
    """
    possible = []
    if has_text:
        possible.append("open")
    if not state.terminal and state is not State.CANCELING:
        possible.append("cancel")
    if state.terminal:
        possible.append("retry")
    possible += ["unkeep" if kept else "keep", "delete"]
    return tuple(possible)


def short(session_id: str) -> str:
    """The beginning of a session's id, to tell sessions apart by.

    The id is a capability: at most a quarter of it is shown.

    >>> short("0123456789abcdef0123456789abcdef"), short("team-one")
    ('01234567', 'te')
    """
    return session_id[: max(1, min(8, len(session_id) // 4))]


def order(jobs: Iterable[tuple[JobSnapshot, Sequence[str]]]) -> tuple[str, ...]:
    """Jobs with the ids of their rows, as they are listed: the newest job first."""
    newest = sorted(jobs, key=lambda item: (-item[0].created_at, item[0].job_id))
    return tuple(row_id for _, ids in newest for row_id in ids)


def row_ids(job: JobSnapshot) -> tuple[str, ...]:
    """Ids of a job's rows, in their order."""
    refused = (f"{job.job_id}:{n}" for n in range(len(job.rejected)))
    return (*(r.recording_id for r in job.recordings), *refused)


def others_ahead(jobs: Iterable[JobSnapshot]) -> int:
    """Recordings of other sessions that run before the first of these; 0 when one is at work.

    What comes before the foremost of our own jobs can only be somebody else's.
    """
    return min((job.position for job in jobs if not job.done), default=0)


def difference(old: TableState, new: TableState) -> Rows | None:
    """What a panel that shows ``old`` needs in order to show ``new``; None for nothing."""
    lines = tuple(row for id, row in new.rows.items() if _differs(old.rows.get(id), row))
    gone = tuple(id for id in old.rows if id not in new.rows)
    moved = new.order if new.order != old.order else None
    if not lines and not gone and moved is None and new.others_ahead == old.others_ahead:
        return None
    return Rows(rows=lines, gone=gone, order=moved, others_ahead=new.others_ahead)


def _differs(old: Row | None, new: Row) -> bool:
    # Most rows are the very same value: a thousand of those cost next to nothing.
    return old is not new and old != new


def whole(new: TableState) -> Rows:
    """All rows there are, for a panel that shows none yet."""
    rows = tuple(new.rows.values())
    return Rows(rows=rows, order=new.order, reset=True, others_ahead=new.others_ahead)


def applied(table_state: TableState, message: Rows) -> TableState:
    """What a panel shows after a message: the other half of `difference`."""
    kept = (
        {}
        if message.reset
        else {i: r for i, r in table_state.rows.items() if i not in message.gone}
    )
    rows = {**kept, **{row.id: row for row in message.rows}}
    return TableState(
        rows, table_state.order if message.order is None else message.order, message.others_ahead
    )


def receivers(engines: Iterable[EngineInfo]) -> dict[str, str | None]:
    """Who gets the audio, by engine."""
    return {engine.name: engine.sends_audio_to for engine in engines}


def table(table_state: TableState) -> str:
    """The queue as plain text, for where there are no widgets."""
    if not table_state.rows:
        return "Nothing is queued."
    rows = [table_state.rows[id] for id in table_state.order]
    lines = columns([_HEAD, *map(_cells, rows[:_MOST])], right=(2, 3))
    more = [f"and {len(rows) - _MOST} more"] if len(rows) > _MOST else []
    return "\n".join([*lines, *more])


def _cells(row: Row) -> Sequence[str]:
    percentage = "" if row.percentage is None else f"{row.percentage:.0f}"
    eta = "" if row.eta_s is None else f"{row.eta_s:.0f} s"
    says = row.error.message if row.error else row.stage or ""
    return (row.name, row.state, percentage, eta, f"{row.engine} {row.model}", says)


def without_recordings(job: JobSnapshot) -> JobSnapshot:
    """A job's own facts, cheap to keep and to change."""
    return replace(job, recordings=())
