"""The queue: one's own jobs in full, everybody's without their names."""

from __future__ import annotations

from http import HTTPStatus
from operator import methodcaller

from hybrid_transcribe.errors import InvalidRequest
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.rest.base_handler import REVALIDATE, BaseHandler
from hybrid_transcribe.rest.openapi import examples
from hybrid_transcribe.rest.openapi.operation import (
    GONE,
    JSON,
    SAME,
    SESSIONS,
    answer,
    operation,
    parameter,
)
from hybrid_transcribe.rest.openapi.schemas import ref
from hybrid_transcribe.service_protocol import LAST_EVENT_HEADER
from hybrid_transcribe.types import State
from hybrid_transcribe.wire import shapes

#: Of which sessions.
OF_SESSIONS = (parameter("session_ids", "query", "The sessions, with commas."), *SESSIONS)


class QueuesHandler(BaseHandler):
    """The queue as it stands."""

    group, paths = "queue", ("/queues",)
    _etag: str | None = None

    @operation(
        "queue",
        "Look at the queue",
        parameters=(
            *OF_SESSIONS,
            parameter(
                "state",
                "query",
                f"Only jobs in these states, with commas: {', '.join(State)}.",
                {"type": "string", "examples": ["queued,running"]},
            ),
        ),
        answers={
            200: answer(
                "The jobs, oldest first.",
                {JSON: {"anyOf": [ref(shapes.OwnQueue), ref(shapes.AnonymousQueue)]}},
                {
                    "ETag": "Of this very answer.",
                    LAST_EVENT_HEADER: "The number of the last event before it.",
                },
                own=examples.own_queue(),
                strangers=examples.anonymous_queue(),
            ),
            304: SAME,
        },
    )
    async def get(self) -> None:
        """The jobs of the sessions you name in full.

        Without any: everybody's, which tells where each stands and nothing of whose it is. The
        owner of a private server sees all in full.
        """
        states = self._states()
        sessions = self.sessions
        if sessions == ():
            queue = await self.ask_at_length(lambda service: service.anonymous_queue_json(states))
        else:
            queue = await self.ask_at_length(lambda service: service.queue_json(sessions, states))
        self._etag = queue.etag
        self.set_header(LAST_EVENT_HEADER, str(queue.seq))
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
            raise InvalidRequest(
                UserMessage("no_state", names=repr(names), choices=choices)
            ) from None


class SessionHandler(BaseHandler):
    """One session."""

    group, paths = "sessions", ("/sessions/{session_id}",)

    @operation("delete_session", "Erase a session", answers={204: GONE})
    async def delete(self, session_id: str) -> None:
        """All its jobs with everything they left. What never was is erased as well."""
        await self.ask_at_length(lambda service: service.delete_session(session_id))
        self.set_status(HTTPStatus.NO_CONTENT)


class SessionsHandler(BaseHandler):
    """Sessions, which are capabilities, in headers: no log has those."""

    group, paths = "sessions", ("/sessions",)

    @operation(
        "session",
        "Whose are my jobs?",
        parameters=SESSIONS,
        answers={200: answer("The session.", shapes.SessionView)},
    )
    def get(self) -> None:
        """The owner's own session, the one you name, or a new one for you."""
        service, named = self.rest.service, self.sessions
        own = service.session_id if self.owner else service.new_session()
        self.reply(shapes.SessionView(session_id=named[0] if named else own, owner=self.owner))

    @operation(
        "delete_sessions",
        "Erase the sessions named",
        parameters=SESSIONS,
        answers={204: GONE},
    )
    async def delete(self) -> None:
        """As for one, with the session where no log has it. Raises InvalidRequest without any."""
        sessions = self.sessions
        if not sessions:
            raise InvalidRequest(UserMessage("name_session"))
        for session_id in sessions:
            await self.ask_at_length(methodcaller("delete_session", session_id))
        self.set_status(HTTPStatus.NO_CONTENT)
