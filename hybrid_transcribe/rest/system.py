"""What there is, what is allowed, and whether it works."""

from __future__ import annotations

import asyncio
import math

from hybrid_transcribe._version import __version__
from hybrid_transcribe.engines.listing import list_engines
from hybrid_transcribe.errors import (
    InvalidRequest,
    NotAllowed,
    NotFound,
    NoToken,
    ServiceClosed,
    UnknownEngine,
)
from hybrid_transcribe.jobs.languages import make_language
from hybrid_transcribe.jobs.manager import JobManager
from hybrid_transcribe.jobs.model_advice import advise_models
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.rest.access import Role
from hybrid_transcribe.rest.base_handler import BaseHandler
from hybrid_transcribe.types import EngineInfo, ModelAdvice
from hybrid_transcribe.wire import shapes


class EnginesHandler(BaseHandler):
    """``GET /engines``."""

    async def get(self) -> None:
        """Every engine, whether it can run here, and who gets the audio."""
        result = await _engines(self)
        self.reply(shapes.EnginesView(engines=tuple(result.values())))


class ModelsHandler(BaseHandler):
    """``GET /engines/{engine}/models``."""

    async def get(self, engine: str) -> None:
        """The models of an engine by name, with size, fitness, time and memory."""
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
        language = make_language(self.get_query_argument("language", None))
        duration_s = _seconds(self.get_query_argument("duration_s", None))
        speeds = await self.ask(lambda room: room.speeds())
        settings = self.rest.service.settings
        loop = asyncio.get_running_loop()
        # It reads the disk.
        return await loop.run_in_executor(
            None, lambda: advise_models(engine, settings, speeds, language, duration_s)
        )


def _seconds(text: str | None) -> float | None:
    """A length of sound. Raises InvalidRequest for what is none."""
    if text is None:
        return None
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds >= 0):
        raise InvalidRequest(f"duration_s={text!r}: it must be a number of seconds")
    return seconds


async def _engines(handler: BaseHandler) -> dict[str, EngineInfo]:
    """By name. Importing engines reads the disk, so not on the loop."""
    settings = handler.rest.service.settings
    loop = asyncio.get_running_loop()
    return {e.name: e for e in await loop.run_in_executor(None, list_engines, settings)}


class LimitsHandler(BaseHandler):
    """``GET /limits``."""

    def get(self) -> None:
        """What a submission may hold, and how long results stay."""
        settings = self.rest.service.settings
        names = shapes.LimitsView.__struct_fields__
        self.reply(shapes.LimitsView(**{name: getattr(settings, name) for name in names}))


#: Where `_Status` answers.
OPEN_PATHS = ("/health", "/health/ready")


class _Status(BaseHandler):
    """Answers load balancers and container checks, which have no token and use any name."""

    open_to_strangers = True

    def identify(self) -> Role:
        """A stranger where others are turned away."""
        try:
            return super().identify()
        except (NoToken, NotAllowed):
            return Role.STRANGER


class HealthHandler(_Status):
    """``GET /health``: this process answers."""

    stranger_status = "ok"

    def get(self) -> None:
        """Says which version, too, to whoever may know."""
        if self.who is Role.STRANGER:
            self.reply(shapes.HealthView(status=self.stranger_status))
            return
        self.reply(shapes.HealthView(status="ok", version=__version__))


class ReadyHandler(_Status):
    """``GET /health/ready``: it takes jobs."""

    stranger_status = "ready"

    async def get(self) -> None:
        """503 once the service is closing; with what people should know, if anything."""
        warnings, model = await self.ask(_look)
        if self.who is Role.STRANGER:
            self.reply(shapes.ReadyView(status=self.stranger_status))
            return
        # What they say may name files of this machine, or another's recording.
        lines = tuple(
            shapes.WarningEvent(code=code, message=text if self.owner else "")
            for code, text in warnings
        )
        self.reply(shapes.ReadyView(status="ready", default_model=model, warnings=lines))


def _look(room: JobManager) -> tuple[tuple[tuple[str, str], ...], str]:
    if room.closing:
        raise ServiceClosed(UserMessage("service_closing"))
    return tuple(room.warnings), room.default_model()


class Nowhere(BaseHandler):
    """Every address below the prefix at which there is nothing."""

    def prepare(self) -> None:
        """A problem, as every other error."""
        super().prepare()
        raise NotFound(f"Nothing at {self.request.path!r}; /openapi.json lists all there is")
