"""What an error is in HTTP: one table of codes, and bodies as RFC 9457 has them."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from hybrid_transcribe import errors
from hybrid_transcribe.errors import HybridTranscribeError
from hybrid_transcribe.messages import message_info

#: The media type of an error's body.
PROBLEM = "application/problem+json"

#: The status of each class of error; a class that is not named has that of its parent.
STATUS: Mapping[type[HybridTranscribeError], HTTPStatus] = {
    errors.HybridTranscribeError: HTTPStatus.INTERNAL_SERVER_ERROR,
    errors.InvalidRequest: HTTPStatus.BAD_REQUEST,
    errors.InvalidTransition: HTTPStatus.CONFLICT,
    errors.EditConflict: HTTPStatus.CONFLICT,
    errors.PreconditionRequired: HTTPStatus.PRECONDITION_REQUIRED,
    errors.KeyReused: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.NotFound: HTTPStatus.NOT_FOUND,
    errors.InputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    errors.UnsafeInput: HTTPStatus.BAD_REQUEST,
    errors.UnsupportedMedia: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    errors.TooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.TooMany: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    errors.QueueFull: HTTPStatus.TOO_MANY_REQUESTS,
    errors.CloudForbidden: HTTPStatus.FORBIDDEN,
    errors.EngineUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.ModelUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.TooSlow: HTTPStatus.REQUEST_TIMEOUT,
    errors.JournalUnusable: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.JournalDamaged: HTTPStatus.GONE,
    errors.DiskFull: HTTPStatus.INSUFFICIENT_STORAGE,
    errors.JobCanceled: HTTPStatus.CONFLICT,
    errors.ServiceClosed: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.Unreachable: HTTPStatus.BAD_GATEWAY,
    errors.Overloaded: HTTPStatus.SERVICE_UNAVAILABLE,
    errors.NotAllowed: HTTPStatus.FORBIDDEN,
    errors.NoToken: HTTPStatus.UNAUTHORIZED,
}


def status_of(error: HybridTranscribeError) -> HTTPStatus:
    """The HTTP status of an error of ours."""
    return next(STATUS[cls] for cls in type(error).__mro__ if cls in STATUS)


def problem(code: str, detail: str, status: int) -> dict[str, Any]:
    """The body that tells of an error; with reason and params where ``detail`` is a message."""
    message = message_info(detail)
    reason = {"reason": message.code, "params": message.params} if message.code else {}
    return {
        "type": f"urn:hybrid-transcribe:{code.replace('_', '-')}",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "code": code,
        "detail": message.text,
        **reason,
    }
