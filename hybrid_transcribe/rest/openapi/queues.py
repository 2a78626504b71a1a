"""The queue, and sessions."""

from __future__ import annotations

from hybrid_transcribe.rest.openapi import examples
from hybrid_transcribe.rest.openapi.operation import (
    TEXT,
    MediaSpec,
    Operation,
    ParameterSpec,
    ResponseSpec,
)
from hybrid_transcribe.rest.openapi.parts import GONE, JSON, SAME, SESSIONS, SSE, json_answer
from hybrid_transcribe.rest.openapi.schemas import name_of, ref
from hybrid_transcribe.types import State
from hybrid_transcribe.wire import shapes

_IDS = ParameterSpec("session_ids", "query", "The sessions, with commas.")
_STATE = ParameterSpec(
    "state",
    "query",
    f"Only jobs in these states, with commas: {', '.join(State)}.",
    {"type": "string", "examples": ["queued,running"]},
)

#: The shape of each event's data.
_TOLD = {
    "snapshot": (shapes.SnapshotEvent, shapes.AnonymousQueue),
    "job": (shapes.JobEvent,),
    "segment": (shapes.SegmentEvent,),
    "deleted": (shapes.DeletedEvent,),
    "model": (shapes.ModelEvent,),
    "warning": (shapes.WarningEvent,),
}

_EVENTS = (
    "Server-sent events, whose data is JSON of these schemas: "
    + ", ".join(
        f"`{name}` " + " or ".join(f"`{name_of(cls)}`" for cls in message)
        for name, message in _TOLD.items()
    )
    + ". Who may see what is the rule of `/queues`: strangers get anonymous snapshots only."
)

OPERATIONS = (
    Operation(
        "get",
        "/queues",
        "queue",
        "queue",
        "Look at the queue",
        "The jobs of the sessions you name in full. Without any: everybody's, which tells where "
        "each stands and nothing of whose it is. The owner of a private server sees all in full.",
        (_IDS, *SESSIONS, _STATE),
        answers={
            200: ResponseSpec(
                "The jobs, oldest first.",
                {
                    JSON: MediaSpec(
                        {"anyOf": [ref(shapes.OwnQueue), ref(shapes.AnonymousQueue)]},
                        {"Own": examples.own_queue(), "Strangers": examples.anonymous_queue()},
                    )
                },
                {"ETag": "Of this very answer."},
            ),
            304: SAME,
        },
    ),
    Operation(
        "get",
        "/queues/events",
        "queue",
        "events",
        "Hear what happens",
        _EVENTS,
        (
            _IDS,
            *SESSIONS,
            ParameterSpec("Last-Event-ID", "header", "The last event you saw: what came after it."),
            ParameterSpec("last_event_id", "query", "The same, where no header can be set."),
        ),
        answers={
            200: ResponseSpec("Server-sent events, until one side ends it.", {SSE: MediaSpec(TEXT)})
        },
    ),
    Operation(
        "get",
        "/sessions",
        "sessions",
        "session",
        "Whose are my jobs?",
        "The owner's own session, the one you name, or a new one for you.",
        SESSIONS,
        answers={200: json_answer("The session.", shapes.SessionView)},
    ),
    Operation(
        "delete",
        "/sessions",
        "sessions",
        "delete_sessions",
        "Erase the sessions named",
        "As below, with the session where no log has it.",
        SESSIONS,
        answers={204: GONE},
    ),
    Operation(
        "delete",
        "/sessions/{session_id}",
        "sessions",
        "delete_session",
        "Erase a session",
        "All its jobs with everything they left. What never was is erased as well.",
        (ParameterSpec("session_id", "path", "The session."),),
        answers={204: GONE},
    ),
)
