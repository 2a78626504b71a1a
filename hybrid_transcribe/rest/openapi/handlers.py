"""``GET /openapi.json``."""

from __future__ import annotations

from hybrid_transcribe.rest.access import ANY_HOST, Role
from hybrid_transcribe.rest.base_handler import BaseHandler
from hybrid_transcribe.rest.openapi.document import text


class Open(BaseHandler):
    """What holds no secret: no token is needed, but the server must be called by its name."""

    def identify(self) -> Role:
        """Anybody. Where Jupyter vouches for people, they are logged in all the same."""
        self.rest.access.check_host(self.request.headers.get("Host", ""))
        return Role.ANYBODY

    def send(self, body: bytes, media_type: str) -> None:
        """Answer with that, or 304 where the client has it: Tornado makes and checks the ETag."""
        self.set_header("Content-Type", media_type)
        self.set_header("Cache-Control", "no-cache")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.finish(body)


class OpenApi(Open):
    """The document."""

    def get(self) -> None:
        """With this server's prefix, and its way to ask for a token."""
        access = self.rest.access
        # A server that is called by any name is Jupyter's, which asks for its own token.
        asks = access.token is not None or ANY_HOST in access.hosts
        self.send(text(self.rest.prefix, asks), "application/json")
