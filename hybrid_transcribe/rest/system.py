"""What there is, what is allowed, and whether it works."""

from __future__ import annotations

import asyncio
from http import HTTPStatus

import msgspec

from hybrid_transcribe._version import __version__
from hybrid_transcribe.catalogue import EngineInfo, list_engines
from hybrid_transcribe.errors import UnknownEngine
from hybrid_transcribe.rest.door import Door


class Engines(Door):
    """``GET /engines``."""

    async def get(self) -> None:
        """Every engine, whether it can run here, and who gets the audio."""
        found = await _engines(self)
        self.reply({"engines": [msgspec.to_builtins(engine) for engine in found.values()]})


class Models(Door):
    """``GET /engines/{engine}/models``."""

    async def get(self, engine: str) -> None:
        """The models of an engine by name."""
        found = await _engines(self)
        if engine not in found:
            raise UnknownEngine(engine, tuple(found))
        one = found[engine]
        self.reply({"engine": engine, "default": one.default_model, "models": one.models})


async def _engines(handler: Door) -> dict[str, EngineInfo]:
    """By name. Importing engines reads the disk, so not on the loop."""
    settings = handler.rest.service.settings
    loop = asyncio.get_running_loop()
    return {e.name: e for e in await loop.run_in_executor(None, list_engines, settings)}


class Limits(Door):
    """``GET /limits``."""

    def get(self) -> None:
        """What a submission may hold, and how long results stay."""
        settings = self.rest.service.settings
        self.reply(
            {
                "max_file_bytes": settings.max_file_bytes,
                "max_files": settings.max_files,
                "max_duration_s": settings.max_duration_s,
                "max_queued": settings.max_queued,
                "archive_max_entries": settings.archive_max_entries,
                "archive_max_bytes": settings.archive_max_bytes,
                "retention_s": settings.retention_s,
            }
        )


class Health(Door):
    """``GET /health``: this process answers."""

    def get(self) -> None:
        """Says which version, too."""
        self.reply({"status": "ok", "version": __version__})


class Ready(Door):
    """``GET /health/ready``: it takes jobs."""

    async def get(self) -> None:
        """503 once the service is closing; with what people should know, if anything."""
        warnings = await self.ask(lambda room: tuple(room.warnings))
        told = [{"code": code, "message": message} for code, message in warnings]
        self.reply({"status": "ready", "warnings": told}, HTTPStatus.OK)
