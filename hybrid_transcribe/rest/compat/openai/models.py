"""What OpenAI's clients can name as a model here, and the list of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import UnknownModel
from hybrid_transcribe.models.catalogue import is_path
from hybrid_transcribe.registry import ENGINES
from hybrid_transcribe.rest.compat.openai.base_handler import OpenAIHandler
from hybrid_transcribe.rest.openapi.operation import answer, operation
from hybrid_transcribe.types import EngineInfo

#: OpenAI's own names: programs have them written into them. They mean our default.
ALIASES = (
    "whisper-1",
    "gpt-4o-transcribe",
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
        raise UnknownModel(f"No model {model!r}; GET /v1/models lists those there are")
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
