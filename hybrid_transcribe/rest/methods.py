"""HTTP methods: HEAD wherever GET is, and what can be done where something else was tried."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from tornado.web import RequestHandler

if TYPE_CHECKING:
    from tornado.web import RequestHandler as _Base
else:
    _Base = object


class TellsMethods(_Base):
    """HEAD is answered as GET, without the body; every 405 says what can be done (RFC 9110)."""

    def __init_subclass__(cls, **named: Any) -> None:
        """Each handler with a GET gets a HEAD: Tornado leaves out the body."""
        super().__init_subclass__(**named)
        if "get" in vars(cls) and "head" not in vars(cls):
            cls.head = cls.get

    def set_status(self, status_code: int, reason: str | None = None) -> None:
        """As Tornado's."""
        super().set_status(status_code, reason)
        if status_code == HTTPStatus.METHOD_NOT_ALLOWED:
            self.set_header("Allow", ", ".join(self.methods()))

    def methods(self) -> list[str]:
        """What can be done here."""
        no = RequestHandler._unimplemented_method
        return [m for m in self.SUPPORTED_METHODS if getattr(type(self), m.lower(), no) is not no]
