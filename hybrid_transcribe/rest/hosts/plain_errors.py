"""Errors of Jupyter's handlers, in a line.

Jupyter Server renders a page for each, from templates that this server has not, and logs the
stacks of both errors: of the refusal and of the template that is missing.
"""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import Any

import msgspec
from tornado.web import HTTPError

from hybrid_transcribe.rest.base_handler import TellsMethods
from hybrid_transcribe.rest.problems import PROBLEM, problem

log = logging.getLogger(__name__)


class PlainErrors(TellsMethods):
    """Goes before a handler of Jupyter's: errors are problems, as everywhere else."""

    def write_error(self, status_code: int, **named: Any) -> None:
        """Every error; what it says goes to the log, too, where it is a refusal."""
        phrase = HTTPStatus(status_code).phrase
        error = named.get("exc_info", (None, None, None))[1]
        detail = (error.log_message or "") if isinstance(error, HTTPError) else ""
        if status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
            log.info("%s refused: %d %s", self.request.method, status_code, detail or phrase)
        self.set_header("Content-Type", PROBLEM)
        self.set_header("Cache-Control", "no-store")
        code = phrase.lower().replace(" ", "_")
        self.finish(msgspec.json.encode(problem(code, detail, status_code)))

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """What nobody expected is logged with its stack; a refusal has its line."""
        if not isinstance(value, HTTPError):
            log.error("%s failed", self.request.method, exc_info=(typ, value, tb))
