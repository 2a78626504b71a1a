"""The queue as JSON: put together in slices, from parts that are kept as long as they hold.

A queue may have ten thousand jobs, and two hundred clients that look at it. So what is sent of
a job is kept with the version of the job and the forecast it was made of; the whole is kept with
the number of the last event, and sent again as it is while nothing has happened.
"""

from __future__ import annotations

import zlib
from collections import OrderedDict
from collections.abc import Callable, Collection
from dataclasses import dataclass

import msgspec

from hybrid_transcribe.jobs.forecast import Forecast
from hybrid_transcribe.jobs.manager import JobManager
from hybrid_transcribe.jobs.slices import Sliced, Watch
from hybrid_transcribe.service_protocol import QueueJson
from hybrid_transcribe.types import State
from hybrid_transcribe.wire import serialize, shapes
from hybrid_transcribe.wire.queue_text import joined_queue, on_one_line

#: Whole queues that are kept: one for each group of sessions and states that is looked at.
MOST_WHOLES = 16

#: Whole queues of more bytes than this together are not kept.
MOST_BYTES = 64 << 20

#: A queue of more bytes has an ETag of its number.
LONG_BYTES = 1 << 18

#: Whose jobs, and in which states.
_Look = tuple[frozenset[str] | None, frozenset[State], bool]


@dataclass(frozen=True, slots=True)
class _Kept:
    """A job's JSON and what it was made of."""

    made_of: tuple[object, ...]
    text: bytes


class QueueWriter:
    """Writes the queues of one job manager. Used on its loop only."""

    def __init__(self) -> None:
        self._own: dict[str, _Kept] = {}
        self._anonymous: dict[str, _Kept] = {}
        self._wholes: OrderedDict[_Look, tuple[int, int, QueueJson]] = OrderedDict()
        self.n_jobs_encoded = 0

    def own(
        self,
        manager: JobManager,
        session_ids: Collection[str] | None,
        states: Collection[State] = (),
    ) -> Sliced[QueueJson]:
        """The jobs of these sessions (None: all) in full, as `shapes.OwnQueue`."""
        look = (None if session_ids is None else frozenset(session_ids), frozenset(states), False)
        return self._whole(manager, look, self._own, _own_text)

    def anonymous(self, manager: JobManager, states: Collection[State] = ()) -> Sliced[QueueJson]:
        """All jobs as strangers may see them, as `shapes.AnonymousQueue`."""
        look = (None, frozenset(states), True)
        return self._whole(manager, look, self._anonymous, _anonymous_text)

    def _whole(
        self,
        manager: JobManager,
        look: _Look,
        kept: dict[str, _Kept],
        write: Callable[[JobManager, str, Forecast], bytes],
    ) -> Sliced[QueueJson]:
        forecast = manager.forecast()
        seq, number = manager.bus.seq, manager.forecast_number
        entry = self._wholes.get(look)
        if entry is not None and entry[:2] == (seq, number):
            self._wholes.move_to_end(look)
            return entry[2]
        session_ids, states, is_anonymous = look
        texts: list[bytes] = []
        watch = Watch()
        for job_id in manager.reading.ids(session_ids):
            if job_id not in manager.table:
                continue
            row = manager.table.row(job_id)
            if not states or row.tally.state() in states:
                made_of = (row.version, *_foreseen(manager, job_id, forecast, number))
                item = kept.get(job_id)
                if item is None or item.made_of != made_of:
                    item = kept[job_id] = _Kept(made_of, write(manager, job_id, forecast))
                    self.n_jobs_encoded += 1
                texts.append(item.text)
            if watch.is_over():
                yield
        self._forget_deleted(manager, kept)
        text = joined_queue(texts, is_anonymous)
        # An answer of which it is not known what was asked is still another.
        requested = zlib.crc32(
            repr((session_ids and sorted(session_ids), *sorted(states))).encode()
        )
        etag = f'"{seq:x}-{number:x}-{requested:x}"' if len(text) > LONG_BYTES else None
        queue_json = QueueJson(seq, text, etag)
        self._keep(look, (seq, number, queue_json))
        return queue_json

    def _keep(self, look: _Look, instance: tuple[int, int, QueueJson]) -> None:
        self._wholes[look] = instance
        self._wholes.move_to_end(look)
        while len(self._wholes) > MOST_WHOLES or (
            self._wholes and sum(len(w.text) for *_, w in self._wholes.values()) > MOST_BYTES
        ):
            self._wholes.popitem(last=False)

    def _forget_deleted(self, manager: JobManager, kept: dict[str, _Kept]) -> None:
        if len(kept) > len(manager.table):
            for job_id in [job_id for job_id in kept if job_id not in manager.table]:
                del kept[job_id]


def _foreseen(
    manager: JobManager, job_id: str, forecast: Forecast, number: int
) -> tuple[object, ...]:
    """What of a job depends on the forecast and not on the job."""
    row = manager.table.row(job_id)
    if row.tally.state().terminal:
        return ()
    if len(row.recording_ids) > 1:
        return (number,)
    recordings = manager.table.recordings(job_id)
    return (*map(forecast.eta_s, recordings), forecast.position(recordings))


def _own_text(manager: JobManager, job_id: str, forecast: Forecast) -> bytes:
    return on_one_line(msgspec.json.encode(serialize.job(manager.reading.as_of(job_id, forecast))))


def _anonymous_text(manager: JobManager, job_id: str, forecast: Forecast) -> bytes:
    row = manager.table.row(job_id)
    recordings = manager.table.recordings(job_id)
    view = shapes.AnonymousJob(
        position=forecast.position(recordings),
        state=row.tally.state(),
        engine=row.job.spec.engine,
        percentage=row.tally.percentage(),
        eta_s=manager.reading.job_eta_s(recordings, forecast),
        n_recordings=len(recordings),
    )
    return msgspec.json.encode(view)
