"""``GET /metrics``: figures for Prometheus."""

from __future__ import annotations

import ipaddress

from hybrid_transcribe.errors import NotAllowed
from hybrid_transcribe.rest.access import Role
from hybrid_transcribe.rest.base_handler import BaseHandler
from hybrid_transcribe.rest.metrics import Now

#: Headers that a proxy adds: the address it calls from is not the client's.
_FORWARDED = ("X-Forwarded-For", "X-Real-Ip", "Forwarded")


class MetricsHandler(BaseHandler):
    """``GET /metrics``: for whoever shows the token, and on open servers for this machine."""

    async def get(self) -> None:
        """Text as Prometheus reads it, or OpenMetrics."""
        # The kernels of visitors call from here as well.
        visits = self.who is Role.VISITOR
        if not self.trusted and (visits or not self._from_here()):
            raise NotAllowed("Metrics are for this machine alone, or for a server with a token")
        now = await self.ask(Now.of)
        text, media_type = self.rest.meter.text(now, self.request.headers.get("Accept", ""))
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
