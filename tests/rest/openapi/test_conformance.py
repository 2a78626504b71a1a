"""The running service answers as its document says, whatever is sent."""

from __future__ import annotations

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import checks
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi import checks as of_openapi

from hybrid_transcribe.rest.openapi.operation import Operation
from hybrid_transcribe.rest.routes import OPERATIONS
from tests.rest.conftest import OpenSite

pytestmark = pytest.mark.slow

# Pieces of an upload are bytes as others are.
schemathesis.serializer.alias(["application/offset+octet-stream"], "application/octet-stream")

CHECKS = [
    checks.not_a_server_error,
    of_openapi.status_code_conformance,
    of_openapi.content_type_conformance,
    of_openapi.response_schema_conformance,
]

#: These do not end while somebody listens.
ENDLESS = ("events",)

BOUNDED = settings(
    max_examples=5,
    deadline=None,
    database=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
    derandomize=True,
)


@pytest.mark.parametrize("shown", [True, False], ids=["token", "no token"])
def test_answers_are_as_described(open_site: OpenSite, shown: bool) -> None:
    """No undocumented status, no other form, no error of the server's own."""
    site = open_site()
    headers = {"Authorization": f"Bearer {site.server.token}"} if shown else {}
    document = schemathesis.openapi.from_url(f"{site.server.url}/openapi.json")
    items = [_failure(document, item, headers) for item in OPERATIONS if item.name not in ENDLESS]
    lines = [failure for failure in items if failure]
    assert not lines, "\n".join(lines)


def _failure(document: schemathesis.BaseSchema, one: Operation, headers: dict[str, str]) -> str:
    try:
        _check(document, one, headers)
    except FailureGroup as group:
        return f"{one.name}: " + " ".join(f"{e}" for e in group.exceptions)
    return ""


def _check(document: schemathesis.BaseSchema, one: Operation, headers: dict[str, str]) -> None:
    operation = document[one.path][one.method.upper()]

    @BOUNDED
    @given(data=st.data())
    def holds(data: st.DataObject) -> None:
        case = data.draw(operation.as_strategy())
        # What a client's library adds by itself is not the question.
        case.headers.pop("Authorization", None)
        case.call_and_validate(headers=headers, checks=CHECKS, timeout=20)

    holds()
