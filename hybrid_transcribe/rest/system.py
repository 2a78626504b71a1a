"""What there is, what is allowed, and whether it works."""

from __future__ import annotations

import ipaddress
import math
from typing import Annotated

import msgspec

from hybrid_transcribe._version import __version__
from hybrid_transcribe.errors import (
    InvalidOption,
    InvalidRequest,
    NotAllowed,
    NotFound,
    NoToken,
    UnknownEngine,
)
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.rest.access import Role
from hybrid_transcribe.rest.base_handler import BaseHandler
from hybrid_transcribe.rest.openapi.operation import answer, operation
from hybrid_transcribe.rest.openapi.schemas import TEXT
from hybrid_transcribe.types import EngineInfo, ModelAdvice
from hybrid_transcribe.wire import shapes


class EnginesHandler(BaseHandler):
    """The engines."""

    group, paths = "system", ("/engines",)

    @operation(
        "engines",
        "List the engines",
        answers={200: answer("Every engine, the default first.", shapes.EnginesView)},
    )
    async def get(self) -> None:
        """What each can do, whether it can run here (and why not), and who gets the audio."""
        result = await _engines(self)
        self.reply(shapes.EnginesView(engines=tuple(result.values())))


class PostProcessorsHandler(BaseHandler):
    """The post-processors."""

    group, paths = "system", ("/postprocessors",)

    @operation(
        "postprocessors",
        "List the post-processors",
        answers={200: answer("Every post-processor, by name.", shapes.PostProcessorsView)},
    )
    async def get(self) -> None:
        """What can be done with a text after its engine, and whether it can be done here."""
        infos = await self.ask_at_length(lambda service: service.postprocessors())
        self.reply(shapes.PostProcessorsView(postprocessors=tuple(infos)))


class ModelsQuery(msgspec.Struct, frozen=True, kw_only=True):
    """What the models are to be judged by.

    Attributes:
        language: what is spoken, for `speaks`, `wer_percent` and `recommended`.
        duration_s: how long the recordings are in all, for `expected_s`.
    """

    language: str | None = None
    duration_s: Annotated[float, msgspec.Meta(ge=0)] | None = None


class ModelsHandler(BaseHandler):
    """The models of an engine."""

    group, paths = "system", ("/engines/{engine}/models",)

    @operation(
        "models",
        "List the models of an engine",
        query=ModelsQuery,
        answers={200: answer("Its models by name.", shapes.ModelsView)},
        errors=(UnknownEngine, InvalidOption),
    )
    async def get(self, engine: str) -> None:
        """With size, published word error rate, expected time on this machine and memory."""
        result = await _engines(self)
        if engine not in result:
            raise UnknownEngine(engine, tuple(result))
        item = result[engine]
        details = await self._details(engine)
        self.reply(
            shapes.ModelsView(
                engine=engine, default=item.default_model, models=item.models, details=details
            )
        )

    async def _details(self, engine: str) -> tuple[ModelAdvice, ...]:
        query = self.query(ModelsQuery)
        language, duration_s = query.language, query.duration_s
        if duration_s is not None and not math.isfinite(duration_s):
            raise InvalidRequest(UserMessage("duration_seconds", value=repr(duration_s)))
        # It reads the disk.
        return await self.ask_at_length(
            lambda service: service.models(engine, language=language, duration_s=duration_s)
        )


async def _engines(handler: BaseHandler) -> dict[str, EngineInfo]:
    """By name. Importing engines reads the disk, so not on the loop."""
    return {e.name: e for e in await handler.ask_at_length(lambda service: service.engines())}


class LimitsHandler(BaseHandler):
    """What a submission may hold, and how long results stay."""

    group, paths = "system", ("/limits",)

    @operation(
        "limits",
        "What a submission may hold",
        about="",
        answers={200: answer("The limits of this server.", shapes.LimitsView)},
    )
    def get(self) -> None:
        """As the settings have them."""
        settings = self.rest.service.settings
        names = shapes.LimitsView.__struct_fields__
        self.reply(shapes.LimitsView(**{name: getattr(settings, name) for name in names}))


class _Status(BaseHandler):
    """Answers load balancers and container checks, which have no token and use any name."""

    group, open_to_strangers, asks_for_token = "system", True, False

    def identify(self) -> Role:
        """A stranger where others are turned away."""
        try:
            return super().identify()
        except (NoToken, NotAllowed):
            return Role.STRANGER


class HealthHandler(_Status):
    """This process answers. It says which version, too, to whoever may know."""

    paths = ("/health",)
    stranger_status = "ok"

    @operation(
        "health", "Does this process answer?", answers={200: answer("It does.", shapes.HealthView)}
    )
    def get(self) -> None:
        """Without a token the status alone."""
        if self.who is Role.STRANGER:
            self.reply(shapes.HealthView(status=self.stranger_status))
            return
        self.reply(shapes.HealthView(status="ok", version=__version__))


class ReadyHandler(_Status):
    """It takes jobs: 503 once the service is closing."""

    paths = ("/health/ready",)
    stranger_status = "ready"

    @operation("ready", "Does it take jobs?", answers={200: answer("It does.", shapes.ReadyView)})
    async def get(self) -> None:
        """Without a token the status alone."""
        health = await self.ask(lambda service: service.health())
        if self.who is Role.STRANGER:
            self.reply(shapes.ReadyView(status=self.stranger_status))
            return
        # What they say may name files of this machine, or another's recording.
        lines = tuple(
            shapes.WarningEvent.of(code, text if self.owner else "")
            for code, text in health.warnings
        )
        model = health.default_model
        self.reply(shapes.ReadyView(status="ready", default_model=model, warnings=lines))


#: Headers that a proxy adds: the address it calls from is not the client's.
_FORWARDED = ("X-Forwarded-For", "X-Real-Ip", "Forwarded")


class MetricsHandler(BaseHandler):
    """Figures for whoever shows the token, and on open servers for this machine."""

    group, paths = "system", ("/metrics",)

    @operation(
        "metrics",
        "Figures for Prometheus",
        answers={
            200: answer(
                "Figures, in the format that `Accept` prefers.",
                {"text/plain": TEXT, "application/openmetrics-text": TEXT},
            )
        },
    )
    async def get(self) -> None:
        """For whoever shows the token; on a server without one, for its own machine."""
        # The kernels of visitors call from here as well.
        visits = self.who is Role.VISITOR
        if not self.trusted and (visits or not self._from_here()):
            raise NotAllowed(UserMessage("metrics_private"))
        figures = await self.ask(lambda service: service.figures())
        text, media_type = self.rest.meter.text(figures, self.request.headers.get("Accept", ""))
        self.set_header("Content-Type", media_type)
        self.set_header("Cache-Control", "no-store")
        self.finish(text)

    def _from_here(self) -> bool:
        if any(name in self.request.headers for name in _FORWARDED):
            return False
        try:
            return ipaddress.ip_address(self.request.remote_ip or "").is_loopback
        except ValueError:
            return False


#: Where strangers are answered.
OPEN_PATHS = (*HealthHandler.paths, *ReadyHandler.paths)


class Nowhere(BaseHandler):
    """Every address below the prefix at which there is nothing."""

    def prepare(self) -> None:
        """A problem, as every other error."""
        super().prepare()
        raise NotFound(UserMessage("nothing_at", path=self.request.path))
