"""The queue: one's own jobs in full, everybody's without their names."""

from __future__ import annotations

from http import HTTPStatus

from hybrid_transcribe.errors import InvalidRequest
from hybrid_transcribe.rest.door import Door
from hybrid_transcribe.types import State
from hybrid_transcribe.wire import show


class Queues(Door):
    """``GET /queues``."""

    async def get(self) -> None:
        """Jobs of the sessions named; without any, all jobs, anonymous but for their owner."""
        states = self._states()
        sessions = self.sessions
        if sessions == ():
            every = await self.ask(lambda room: room.reading.snapshots())
            waiting = [s for s in every if s.state in states or not states]
            self.reply(show.anonymous(waiting))
            return
        own = await self.ask(lambda room: room.reading.snapshots(session_ids=sessions))
        self.reply(show.queue(s for s in own if s.state in states or not states))

    def _states(self) -> set[State]:
        names = [n for text in self.get_query_arguments("state") for n in text.split(",") if n]
        try:
            return {State(name.strip()) for name in names}
        except ValueError:
            known = ", ".join(map(str, State))
            raise InvalidRequest(f"No state {names!r}; choose from: {known}") from None


class Session(Door):
    """``DELETE /sessions/{session_id}``."""

    async def delete(self, session_id: str) -> None:
        """Erase everything of a session. What never was is erased as well."""
        await self.ask(lambda room: room.delete_session(session_id))
        self.set_status(HTTPStatus.NO_CONTENT)
