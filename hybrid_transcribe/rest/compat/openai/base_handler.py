"""Errors in OpenAI's shape, with the statuses that its clients make exceptions of; its models."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal

import msgspec
from tornado.web import HTTPError

from hybrid_transcribe import errors
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import HybridTranscribeError, InvalidRequest, UnknownModel
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.models.catalogue import is_path
from hybrid_transcribe.registry import ENGINES
from hybrid_transcribe.rest.base_handler import BaseHandler
from hybrid_transcribe.rest.compat.synchronous import SHOULD_RETRY
from hybrid_transcribe.rest.openapi.operation import (
    JSON,
    answer,
    content,
    operation,
    problem_status,
)
from hybrid_transcribe.rest.openapi.schemas import ref
from hybrid_transcribe.types import EngineInfo

#: Where OpenAI's status is another than ours: a bad file is a bad request, a model not found.
_STATUS: Mapping[type[HybridTranscribeError], HTTPStatus] = {
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.TooMany: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.InputError: HTTPStatus.BAD_REQUEST,
    errors.UnknownModel: HTTPStatus.NOT_FOUND,
    errors.UnknownEngine: HTTPStatus.NOT_FOUND,
}

#: Codes that people's programs look for.
_CODES: Mapping[type[HybridTranscribeError], str] = {
    errors.NoToken: "invalid_api_key",
    errors.QueueFull: "rate_limit_exceeded",
    errors.UnknownModel: "model_not_found",
    errors.UnknownEngine: "model_not_found",
}

_TYPES = {
    HTTPStatus.FORBIDDEN: "permission_error",
    HTTPStatus.TOO_MANY_REQUESTS: "rate_limit_error",
}

# What does not change by itself within the seconds between a client's attempts.
_LASTING = (errors.EngineUnavailable, errors.ModelUnavailable)


class Unusable(InvalidRequest):
    """A field of the request cannot be used as it is. ``param`` names it."""

    def __init__(self, param: str, message: str) -> None:
        super().__init__(message)
        self.param = param


class OpenAIErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """What is wrong; ``param`` names the field that it is about."""

    message: str
    type: str
    param: str | None
    code: str | None


class OpenAIError(msgspec.Struct, frozen=True):
    """An error in OpenAI's shape."""

    error: OpenAIErrorBody


def openai_status(error: type[HybridTranscribeError]) -> int:
    """The status of a class of errors of ours, for OpenAI's clients."""
    return int(next((_STATUS[c] for c in error.__mro__ if c in _STATUS), problem_status(error)))


class OpenAIHandler(BaseHandler):
    """A door whose errors OpenAI's clients understand."""

    group = "OpenAI"
    error_content = content({JSON: ref(OpenAIError)})
    error_status = staticmethod(openai_status)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Every error, ours and Tornado's."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, HybridTranscribeError):
            status_code = openai_status(type(error))
            self._headers_of(error)
            if isinstance(error, _LASTING):
                self.set_header(SHOULD_RETRY, "false")
            body = error_body(error)
        else:
            phrase = HTTPStatus(status_code).phrase
            said = error.log_message if isinstance(error, HTTPError) else ""
            body = _body(status_code, said or phrase, None, phrase.lower().replace(" ", "_"))
        self.set_status(status_code)
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "no-store")
        self.finish(msgspec.json.encode(body))


class NoSuchAddress(OpenAIHandler):
    """Whatever else of OpenAI's somebody calls."""

    pattern = "/v1(?:/.*)?"

    def prepare(self) -> None:
        """Say it in words that the client shows."""
        super().prepare()
        raise HTTPError(
            HTTPStatus.NOT_FOUND,
            "Unknown address; here are /v1/audio/transcriptions, /v1/audio/translations and "
            "/v1/models",
        )


def error_body(error: HybridTranscribeError) -> OpenAIError:
    """The body that tells of an error of ours."""
    is_known = isinstance(error, errors.UnknownModel | errors.UnknownEngine)
    param = "model" if is_known else param_of(error)
    code = next((_CODES[c] for c in type(error).__mro__ if c in _CODES), error.code)
    return _body(openai_status(type(error)), str(error), param, code)


def param_of(error: HybridTranscribeError) -> str | None:
    """The field that an error is about, None where one cannot tell."""
    if isinstance(error, Unusable):
        return error.param
    if isinstance(error, errors.InputError):
        return "file"
    is_language = isinstance(error, errors.InvalidOption) and "anguage" in str(error)
    return "language" if is_language else None


def _body(status: int, message: str, param: str | None, code: str) -> OpenAIError:
    usual = (
        "server_error" if status >= HTTPStatus.INTERNAL_SERVER_ERROR else "invalid_request_error"
    )
    kind = _TYPES.get(HTTPStatus(status), usual)
    return OpenAIError(OpenAIErrorBody(message=message, type=kind, param=param, code=code))


#: OpenAI's own names: programs have them written into them. They mean our default.
ALIASES = (
    "whisper-1",
    "gpt-4o-transcribe",
    "gpt-4o-transcribe-diarize",
    "gpt-4o-mini-transcribe",
    "gpt-4o-mini-transcribe-2025-12-15",
    "gpt-transcribe",
)

#: Who "owns" the aliases.
_OWNER = "hybrid-transcribe"


def named(model: str, settings: Settings) -> dict[str, str]:
    """Engine and model, as `Service.submit` takes them; what is left out is the default.

    ``whisper-1``, ``tiny.en`` or ``faster-whisper/tiny.en``. Raises UnknownModel for a folder
    of this machine, which clients have no business to name.

    >>> named("whisper-1", Settings()), named("faster-whisper/tiny.en", Settings())
    ({}, {'engine': 'faster-whisper', 'model': 'tiny.en'})
    """
    if model in ALIASES:
        return {}
    engine, slash, rest = model.partition("/")
    if not slash or engine not in {*ENGINES.names(), *settings.engines}:
        engine, rest = "", model
    if not rest or is_path(rest):
        raise UnknownModel(UserMessage("openai_no_model", model=model))
    return {"engine": engine, "model": rest} if engine else {"model": rest}


class OpenAIModel(msgspec.Struct, frozen=True, kw_only=True):
    """A model. Nobody knows when it was made; the clients want a number."""

    id: str
    owned_by: str
    object: Literal["model"] = "model"
    created: int = 0


class OpenAIModels(msgspec.Struct, frozen=True, kw_only=True):
    """A list of models."""

    data: tuple[OpenAIModel, ...]
    object: Literal["list"] = "list"


class OpenAIModelsHandler(OpenAIHandler):
    """``GET /v1/models``."""

    paths = ("/v1/models",)

    @operation(
        "openai_models",
        "List the models, likewise",
        answers={200: answer("Every name that can be used here now.", OpenAIModels)},
    )
    async def get(self) -> None:
        """By the names that OpenAI's clients may send."""
        self.reply(OpenAIModels(data=tuple((await _listed(self)).values())))


class OpenAIModelHandler(OpenAIHandler):
    """``GET /v1/models/{model}``."""

    paths, pattern = ("/v1/models/{model}",), "/v1/models/(.+)"

    @operation(
        "openai_model",
        "Look at a model, likewise",
        answers={200: answer("The model.", OpenAIModel)},
        errors=(UnknownModel,),
    )
    async def get(self, model: str) -> None:
        """One of them. Raises UnknownModel."""
        result = await _listed(self)
        if model not in result:
            raise UnknownModel(model, tuple(result))
        self.reply(result[model])


async def _listed(handler: OpenAIHandler) -> dict[str, OpenAIModel]:
    # Importing engines reads the disk, so not on the loop.
    engines = await handler.ask_at_length(lambda service: service.engines())
    return {name: OpenAIModel(id=name, owned_by=owner) for name, owner in _names(engines)}


def _names(engines: Sequence[EngineInfo]) -> Iterator[tuple[str, str]]:
    """Names with their owners: the aliases, bare ones of the default engine, then all in full."""
    usable = [engine for engine in engines if engine.available]
    if any(engine.default for engine in usable):
        yield from ((alias, _OWNER) for alias in ALIASES)
    for engine in usable:
        models = dict.fromkeys((engine.default_model, *engine.models))
        if engine.default:
            yield from ((model, engine.name) for model in models)
        yield from ((f"{engine.name}/{model}", engine.name) for model in models)
