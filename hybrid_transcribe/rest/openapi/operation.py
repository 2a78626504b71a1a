"""What an operation is made of, and how OpenAPI writes it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from hybrid_transcribe.errors import (
    HybridTranscribeError,
    InvalidRequest,
    NotAllowed,
    NoToken,
    RateLimited,
    ServiceClosed,
)
from hybrid_transcribe.rest.openapi import docstrings
from hybrid_transcribe.rest.openapi.schemas import Schema, ref
from hybrid_transcribe.rest.problems import PROBLEM, STATUS
from hybrid_transcribe.rest.rate import counted
from hybrid_transcribe.wire import shapes

TEXT: Schema = {"type": "string"}

Error = type[HybridTranscribeError]

#: What every request may be answered with.
ALWAYS: tuple[Error, ...] = (InvalidRequest, NoToken, NotAllowed, ServiceClosed)


@dataclass(frozen=True, slots=True)
class ParameterSpec:
    """Something in the path, the query or a header (``where``)."""

    name: str
    where: str
    about: str
    schema: Schema = field(default_factory=lambda: TEXT)
    required: bool = False

    def plain(self) -> Schema:
        """As OpenAPI writes it."""
        return {
            "name": self.name,
            "in": self.where,
            "description": self.about,
            "required": self.required or self.where == "path",
            "schema": self.schema,
        }


@dataclass(frozen=True, slots=True)
class MediaSpec:
    """A body of one media type; ``examples`` by what they show."""

    schema: Schema
    examples: Mapping[str, Any] = field(default_factory=dict)

    def plain(self) -> Schema:
        """As OpenAPI writes it."""
        fields = {"_".join(k.lower().split()): _example(k, v) for k, v in self.examples.items()}
        return {"schema": self.schema, **({"examples": fields} if fields else {})}


def _example(summary: str, value: Any) -> Schema:
    return {"summary": summary, "value": value}


@dataclass(frozen=True, slots=True)
class BodySpec:
    """What is sent."""

    about: str
    media: Mapping[str, MediaSpec]
    required: bool = True

    def plain(self) -> Schema:
        """As OpenAPI writes it."""
        return {
            "description": self.about,
            "required": self.required,
            "content": {kind: media.plain() for kind, media in self.media.items()},
        }


@dataclass(frozen=True, slots=True)
class ResponseSpec:
    """What comes back; ``headers`` by name, with what they say."""

    about: str
    media: Mapping[str, MediaSpec] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def plain(self) -> Schema:
        """As OpenAPI writes it."""
        said: Schema = {"description": self.about}
        if self.headers:
            said["headers"] = {
                name: {"description": about, "schema": TEXT} for name, about in self.headers.items()
            }
        if self.media:
            said["content"] = {kind: media.plain() for kind, media in self.media.items()}
        return said


def _status(error: Error) -> int:
    return int(next(STATUS[cls] for cls in error.__mro__ if cls in STATUS))


#: An error, as RFC 9457 has it.
PROBLEM_MEDIA: Mapping[str, MediaSpec] = {PROBLEM: MediaSpec(ref(shapes.ProblemView))}


@dataclass(frozen=True, slots=True)
class Operation:
    """A method of an address.

    Attributes:
        name: unique, for those who generate clients.
        group: which part of the service it belongs to, see `document`.
        errors: what it may raise beside what every request may.
        open: no token is needed.
        fails_as: the body of its errors.
        status: what an error's status is.
    """

    method: str
    path: str
    group: str
    name: str
    summary: str
    about: str = ""
    parameters: tuple[ParameterSpec, ...] = ()
    body: BodySpec | None = None
    answers: Mapping[int, ResponseSpec] = field(default_factory=dict)
    errors: tuple[Error, ...] = ()
    open: bool = False
    fails_as: Mapping[str, MediaSpec] = field(default_factory=lambda: PROBLEM_MEDIA)
    status: Callable[[Error], int] = _status

    def head(self) -> Operation:
        """The same without a body, as every GET can be asked for."""
        answers = {status: replace(answer, media={}) for status, answer in self.answers.items()}
        name, summary = f"{self.name}_head", f"Headers of: {self.summary}"
        return replace(
            self, method="head", name=name, summary=summary, about="", answers=answers, fails_as={}
        )

    def plain(self) -> Schema:
        """As OpenAPI writes it."""
        said: Schema = {"tags": [self.group], "operationId": self.name, "summary": self.summary}
        if self.about:
            said["description"] = self.about
        if self.parameters:
            said["parameters"] = [parameter.plain() for parameter in self.parameters]
        if self.body is not None:
            said["requestBody"] = self.body.plain()
        if self.open:
            said["security"] = []
        answers = {**self._failures(), **self.answers}
        said["responses"] = {str(status): answers[status].plain() for status in sorted(answers)}
        return said

    def _failures(self) -> dict[int, ResponseSpec]:
        by_status: dict[int, list[Error]] = defaultdict(list)
        limited = (RateLimited,) if counted(self.method.upper(), self.path) else ()
        for error in dict.fromkeys((*ALWAYS, *self.errors, *limited)):
            if not (self.open and error is NoToken):
                by_status[self.status(error)].append(error)
        return {
            status: ResponseSpec(" ".join(_error_line(e) for e in errors), self.fails_as)
            for status, errors in by_status.items()
        }


def _error_line(error: Error) -> str:
    return f"`{error.code}`: {docstrings.head(error)}"
