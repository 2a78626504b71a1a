"""How a handler declares an operation, beside the method that does it, and how OpenAPI writes it.

::

    class JobHandler(BaseHandler):
        group, paths = "jobs", ("/jobs/{job_id}",)

        @operation("job", "Look at a job", answers={200: answer("The job.", JobView)})
        async def get(self, job_id: str) -> None:
            '''State, percentage, seconds left, and each recording with its own.'''

Addresses, methods and the document all come from there; the docstring is the description.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from hybrid_transcribe.errors import (
    HybridTranscribeError,
    InvalidRequest,
    NotAllowed,
    NoToken,
    RateLimited,
    ServiceClosed,
)
from hybrid_transcribe.rest.openapi.schemas import (
    TEXT,
    Schema,
    docstring_head,
    field_types,
    plain_text,
    ref,
)
from hybrid_transcribe.rest.problems import PROBLEM, STATUS
from hybrid_transcribe.rest.rate import counted
from hybrid_transcribe.wire import shapes

if TYPE_CHECKING:
    from hybrid_transcribe.rest.base_handler import BaseHandler

JSON = "application/json"
FORM = "multipart/form-data"
SSE = "text/event-stream"

METHODS = ("get", "head", "post", "put", "patch", "delete", "options")

Error = type[HybridTranscribeError]

_Method = TypeVar("_Method", bound=Callable[..., Any])

#: What every request may be answered with.
ALWAYS: tuple[Error, ...] = (InvalidRequest, NoToken, NotAllowed, ServiceClosed)

#: The parts of addresses.
_PATH_PARTS = {
    "job_id": "The job, as the answer to its submission says.",
    "recording_id": "One of the job's recordings.",
    "upload_id": "The upload: the last part of the `Location` it was given.",
    "session_id": "The session.",
    "engine": "The engine's name.",
    "model": "Its name, which may have slashes in it.",
    "file": "Its name.",
}


def parameter(
    name: str, where: str, about: str, schema: Schema | None = None, *, required: bool = False
) -> Schema:
    """Something in the path, the query or a header (``where``)."""
    return {
        "name": name,
        "in": where,
        "description": about,
        "required": required or where == "path",
        "schema": schema or TEXT,
    }


def query_parameters(cls: type[msgspec.Struct]) -> tuple[Schema, ...]:
    """The fields of a query, as `BaseHandler.query` reads them."""
    items = []
    for name, field in field_types(cls).items():
        about = field.pop("description", "")
        if field.get("default", 0) in (None, ""):
            del field["default"]
        kinds = [kind for kind in field.pop("anyOf", ()) if kind.get("type") != "null"]
        items.append(parameter(name, "query", about, {**field, **(kinds[0] if kinds else {})}))
    return tuple(items)


#: Whose jobs an operation is about.
SESSIONS = (
    parameter(
        "session_id",
        "query",
        "The session the job belongs to, or several with commas. A job's id alone opens it too; a "
        "request that names other sessions gets the answer for what never was.",
    ),
    parameter("X-Session-Id", "header", "The same, where addresses are written down."),
)


def content(media: Mapping[str, Schema], **examples: Any) -> Schema:
    """A body by media type; ``examples`` of its JSON, by what they show (``of_a_job``)."""
    entries: Schema = {kind: {"schema": schema} for kind, schema in media.items()}
    if examples:
        entries[JSON]["examples"] = {
            name: {"summary": name.capitalize().replace("_", " "), "value": value}
            for name, value in examples.items()
        }
    return entries


def body(about: str, media: Mapping[str, Schema], *, required: bool = True, **examples: Any) -> Any:
    """What is sent."""
    return {"description": about, "required": required, "content": content(media, **examples)}


def answer(
    about: str,
    media: Mapping[str, Schema] | type | None = None,
    headers: Mapping[str, str] | None = None,
    **examples: Any,
) -> Schema:
    """What comes back: JSON of a type, or other media; headers by name with what they say."""
    fields: Schema = {"description": about}
    if headers:
        fields["headers"] = {
            name: {"description": text, "schema": TEXT} for name, text in headers.items()
        }
    if media:
        by_kind = {JSON: ref(media)} if isinstance(media, type) else media
        fields["content"] = content(by_kind, **examples)
    return fields


#: An error, as RFC 9457 has it.
PROBLEM_CONTENT = content({PROBLEM: ref(shapes.ProblemView)})

#: Nothing is left.
GONE = answer("It is gone.")

#: The client has it already, by its ETag.
SAME = answer("It is as you have it (`If-None-Match`).")


def problem_status(error: Error) -> int:
    """The status of an error of ours."""
    return int(next(STATUS[cls] for cls in error.__mro__ if cls in STATUS))


@dataclass(frozen=True, slots=True)
class Declaration:
    """What `operation` says of a method; names and summaries are one for each of its paths."""

    names: tuple[str, ...]
    summaries: tuple[str, ...]
    about: str
    parameters: tuple[Schema, ...]
    body: Schema | None
    answers: Mapping[int, Schema]
    errors: tuple[Error, ...]


def operation(
    name: str | tuple[str, ...],
    summary: str | tuple[str, ...],
    *,
    query: type[msgspec.Struct] | None = None,
    parameters: Sequence[Schema] = (),
    body: Schema | None = None,
    answers: Mapping[int, Schema],
    errors: Sequence[Error] = (),
    about: str | None = None,
) -> Callable[[_Method], _Method]:
    """Declare what a method of a handler is asked and answers.

    ``name`` is unique, for those who generate clients; ``errors`` are what it may raise beside
    what every request may. Without ``about`` its docstring is the description.
    """
    names = (name,) if isinstance(name, str) else name
    summaries = (summary,) if isinstance(summary, str) else summary
    items = (*(query_parameters(query) if query else ()), *parameters)

    def declare(method: _Method) -> _Method:
        text = docstring_head(method) if about is None else plain_text(about)
        method.__dict__["declaration"] = Declaration(
            names, summaries, text, items, body, answers, tuple(errors)
        )
        return method

    return declare


@dataclass(frozen=True, slots=True)
class Operation:
    """A method of an address."""

    handler: type[BaseHandler]
    method: str
    path: str
    name: str
    summary: str
    declaration: Declaration

    @property
    def parameters(self) -> tuple[Schema, ...]:
        """Those of the path first."""
        names = re.findall(r"\{(\w+)\}", self.path)
        of_path = (parameter(name, "path", _PATH_PARTS[name]) for name in names)
        return (*of_path, *self.declaration.parameters)

    def plain(self) -> Schema:
        """As OpenAPI writes it."""
        said = self.declaration
        fields: Schema = {
            "tags": [self.handler.group],
            "operationId": self.name,
            "summary": self.summary,
        }
        if said.about and self.name in said.names:
            fields["description"] = said.about
        if self.parameters:
            fields["parameters"] = list(self.parameters)
        if said.body is not None:
            fields["requestBody"] = said.body
        if not self.handler.asks_for_token:
            fields["security"] = []
        answers = {**self._failures(), **said.answers}
        if self.method == "head":
            answers = {status: _without_content(entry) for status, entry in answers.items()}
        fields["responses"] = {str(status): answers[status] for status in sorted(answers)}
        return fields

    def _failures(self) -> dict[int, Schema]:
        handler = self.handler
        by_status: dict[int, list[Error]] = defaultdict(list)
        limited = (RateLimited,) if counted(self.method.upper(), self.path) else ()
        for error in dict.fromkeys((*ALWAYS, *self.declaration.errors, *limited)):
            if handler.asks_for_token or error is not NoToken:
                by_status[handler.error_status(error)].append(error)
        return {
            status: {
                "description": " ".join(f"`{e.code}`: {docstring_head(e)}" for e in errors),
                "content": handler.error_content,
            }
            for status, errors in by_status.items()
        }


def _without_content(entry: Schema) -> Schema:
    return {name: value for name, value in entry.items() if name != "content"}


def _declaration(handler: type[BaseHandler], method: str) -> Declaration | None:
    return getattr(getattr(handler, method, None), "declaration", None)


def operations_of(handler: type[BaseHandler]) -> Iterator[Operation]:
    """All that a handler declares; with each GET there is a HEAD."""
    for index, path in enumerate(handler.paths):
        for method in METHODS:
            said = _declaration(handler, method)
            of_get = _declaration(handler, "get") if method == "head" else None
            if hasattr(handler, method) and said is None:
                said = of_get
            if said is None:
                continue
            name, summary = said.names[index], said.summaries[index]
            if said is of_get:
                name, summary = f"{name}_head", f"Headers of: {summary}"
            yield Operation(handler, method, path, name, summary, said)
