"""The queue: one's own jobs in full, everybody's without their names."""

from __future__ import annotations

from http import HTTPStatus

from hybrid_transcribe.errors import InvalidRequest
from hybrid_transcribe.rest.base_handler import REVALIDATE, BaseHandler
from hybrid_transcribe.types import State
from hybrid_transcribe.wire import shapes


class QueuesHandler(BaseHandler):
    """``GET /queues``."""

    _etag: str | None = None

    async def get(self) -> None:
        """Jobs of the sessions named; without any, all jobs, anonymous but for their owner."""
        states = self._states()
        sessions = self.sessions
        if sessions == ():
            queue = await self.ask_at_length(lambda service: service.anonymous_queue_json(states))
        else:
            queue = await self.ask_at_length(lambda service: service.queue_json(sessions, states))
        self._etag = queue.etag
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", REVALIDATE)
        # As it is: it may have many megabytes, which `reply` would copy.
        self.finish(queue.text)

    def compute_etag(self) -> str | None:
        """Of a long queue by its number: to digest all of it would take long."""
        return self._etag or super().compute_etag()

    def _states(self) -> set[State]:
        names = [n for text in self.get_query_arguments("state") for n in text.split(",") if n]
        try:
            return {State(name.strip()) for name in names}
        except ValueError:
            choices = ", ".join(map(str, State))
            raise InvalidRequest(f"No state {names!r}; choose from: {choices}") from None


class SessionHandler(BaseHandler):
    """``DELETE /sessions/{session_id}``."""

    async def delete(self, session_id: str) -> None:
        """Erase everything of a session. What never was is erased as well."""
        await self.ask_in_slices(lambda room: room.sliced_delete_session(session_id))
        self.set_status(HTTPStatus.NO_CONTENT)


class SessionsHandler(BaseHandler):
    """``GET`` and ``DELETE /sessions``: capabilities in headers, where no log has them."""

    def get(self) -> None:
        """Whose the caller's jobs are: the owner's own session, the one named, or a new one."""
        service, named = self.rest.service, self.sessions
        own = service.session_id if self.owner else service.new_session()
        self.reply(shapes.SessionView(session_id=named[0] if named else own, owner=self.owner))

    async def delete(self) -> None:
        """Erase everything of the sessions named. Raises InvalidRequest without any."""
        sessions = self.sessions
        if not sessions:
            raise InvalidRequest("Name the session to erase: X-Session-Id, or ?session_id=")
        for session_id in sessions:
            await self.ask_in_slices(
                lambda room, gone=session_id: room.sliced_delete_session(gone)  # type: ignore[misc]
            )
        self.set_status(HTTPStatus.NO_CONTENT)
