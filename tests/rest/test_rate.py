"""How often one client may ask for work."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from hybrid_transcribe.errors import RateLimited
from hybrid_transcribe.rest import rate
from hybrid_transcribe.rest.rate import Rates, counted
from hybrid_transcribe.testing import ManualClock
from tests.rest.conftest import OpenSite


def test_a_bucket_fills_again() -> None:
    """A minute's calls at once, then one for each part of the minute that passes."""
    clock = ManualClock()
    rates = Rates(4, clock.monotonic)
    for remaining in (3, 2, 1, 0):
        assert f"r={remaining};" in rates.take("192.0.2.1")["RateLimit"]
    with pytest.raises(RateLimited) as refused:
        rates.take("192.0.2.1")
    assert refused.value.retry_after_s == 15.0
    assert rates.take("192.0.2.2")
    clock.advance(15.0)
    rates.take("192.0.2.1")
    with pytest.raises(RateLimited):
        rates.take("192.0.2.1")
    clock.advance(3600.0)
    assert "r=3;" in rates.take("192.0.2.1")["RateLimit"]


def test_clients_are_not_remembered_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has not asked for longest is forgotten; nobody who still asks."""
    monkeypatch.setattr(rate, "CLIENTS", 3)
    rates = Rates(2, ManualClock().monotonic)
    rates.take("busy")
    for n in range(10):
        rates.take(f"192.0.2.{n}")
        assert len(rates._buckets) <= 3
    rates.take("192.0.2.9")
    with pytest.raises(RateLimited):
        rates.take("192.0.2.9")


def test_one_household_is_one_client() -> None:
    """Of IPv6 everybody has very many addresses."""
    rates = Rates(1, ManualClock().monotonic)
    rates.take("2001:db8:1:2::1")
    with pytest.raises(RateLimited):
        rates.take("2001:db8:1:2:ffff::2")
    rates.take("2001:db8:1:3::1")
    rates.take("192.0.2.1")
    with pytest.raises(RateLimited):
        rates.take("::ffff:192.0.2.1")


@pytest.mark.parametrize(
    ("call", "is_counted"),
    [
        ("POST /jobs", True),
        ("PUT /jobs", True),
        ("POST /jobs/1/retry", True),
        ("POST /jobs/1/cancel", False),
        ("GET /jobs/1", False),
        ("GET /jobs/1/retry", False),
        ("POST /files", True),
        ("PATCH /files/1", False),
        ("POST /v1/audio/transcriptions", True),
        ("POST /asr", True),
        ("POST /detect-language", True),
        ("GET /queues", False),
        ("GET /queues/events", True),
        ("DELETE /jobs/1", False),
    ],
)
def test_what_is_counted(call: str, is_counted: bool) -> None:
    """New work and long connections; never what ends, erases or looks."""
    assert counted(*call.split()) == is_counted


def test_429_tells_when_to_come_again(open_site: OpenSite) -> None:
    """As a problem with Retry-After and RateLimit headers; looking stays free."""
    site = open_site(open_to_all=True, rate_limit_per_min=2)
    with site.client() as client:
        items = [client.post("/jobs").headers["ratelimit"] for _ in range(1)]
        site.post(client, "a")
        refused = client.post("/jobs")
        assert client.get("/queues").status_code == HTTPStatus.OK
        assert client.get("/limits").json()["rate_limit_per_min"] == 2
    assert items[0].startswith('"work";r=1;')
    assert refused.status_code == HTTPStatus.TOO_MANY_REQUESTS
    assert refused.json()["code"] == "rate_limited"
    assert 1 <= int(refused.headers["retry-after"]) <= 30
    assert refused.headers["ratelimit"].startswith('"work";r=0;')
    assert refused.headers["ratelimit-policy"] == '"work";q=2;w=60'


def test_the_owner_and_servers_without_a_limit(open_site: OpenSite) -> None:
    """One's own kernel is nobody else's."""
    site = open_site(rate_limit_per_min=1)
    with site.client() as client:
        for _ in range(3):
            assert client.post("/jobs").status_code == HTTPStatus.BAD_REQUEST


def test_no_limit(open_site: OpenSite) -> None:
    """0 turns it off, and says nothing."""
    site = open_site(open_to_all=True, rate_limit_per_min=0)
    with site.client() as client:
        answer = client.post("/jobs")
    assert answer.status_code == HTTPStatus.BAD_REQUEST
    assert "ratelimit" not in answer.headers
