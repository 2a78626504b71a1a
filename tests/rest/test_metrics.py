"""``/metrics`` is read with Prometheus' own parsers."""

from __future__ import annotations

import re
from http import HTTPStatus

import httpx
from prometheus_client import parser
from prometheus_client.openmetrics import parser as openmetrics_parser

from hybrid_transcribe.testing import Script
from tests.rest.conftest import OpenSite, Site

NAME = "hybrid_transcribe"


def _figures(client: httpx.Client) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample by its name and labels."""
    answer = client.get("/metrics")
    assert answer.status_code == HTTPStatus.OK, answer.text
    families = parser.text_string_to_metric_families(answer.text)
    return {
        (s.name.removeprefix(f"{NAME}_"), frozenset(s.labels.items())): s.value
        for family in families
        for s in family.samples
    }


def _key(name: str, **labels: str) -> tuple[str, frozenset[tuple[str, str]]]:
    return name, frozenset(labels.items())


def test_what_happened_is_counted(site: Site) -> None:
    """Jobs, recordings, seconds, failures, bytes and requests, after a run of each kind."""
    with site.client() as client:
        site.post(client, "a", "b")
        site.post(client, "c", model=Script(fault="raise").model)
        client.get("/jobs/0123456789abcdef")
        result = _figures(client)
        sent = sum(p.stat().st_size for p in site.folder.iterdir())

    assert result[_key("jobs", state="completed")] == 1
    assert result[_key("jobs", state="failed")] == 1
    assert result[_key("recordings", state="completed")] == 2
    assert result[_key("recordings_ended_total", state="completed")] == 2
    assert result[_key("failures_total", code="engine_failed")] == 1
    assert result[_key("audio_seconds_total")] == 6.0
    assert result[_key("transcription_seconds_total")] > 0
    assert result[_key("queue_length", lane="local")] == 0
    assert result[_key("workers", lane="local")] == 1
    assert result[_key("worker_deaths_total", lane="local")] == 0
    assert result[_key("upload_bytes_total")] > sent
    assert result[_key("event_listeners")] == 0
    by_name = {"method": "POST", "route": "/jobs"}
    assert result[_key("http_requests_total", status="200", **by_name)] == 2
    missing = _key("http_requests_total", method="GET", route="/jobs/{id}", status="404")
    assert result[missing] == 1
    assert result[_key("http_request_duration_seconds_count", **by_name)] == 2
    assert any(name == "build_info" and value == 1 for (name, _), value in result.items())
    assert any(name == "process_resident_memory_bytes" for name, _ in result)


def test_no_figure_tells_whose_anything_is(site: Site) -> None:
    """Neither ids nor names nor addresses are labels, whatever people ask for."""
    with site.client() as client:
        job = site.post(client, "segredo", session_id="anas-secret")
        recording = job["recordings"][0]["recording_id"]
        client.get(f"/jobs/{job['job_id']}/recordings/{recording}/result?session_id=anas-secret")
        client.post(f"/jobs/{job['job_id']}/keep")
        client.request("BREW", "/queues")
        text = client.get("/metrics").text
    for secret in ("segredo", "anas-secret", job["job_id"], recording, "steady", "BREW"):
        assert secret not in text
    routes = set(re.findall(r'route="([^"]*)"', text))
    assert "/jobs/{id}/recordings/{id}/result" in routes
    assert "/jobs/{id}/keep" in routes


def test_openmetrics_for_those_who_ask_for_it(site: Site) -> None:
    """The format is the client's choice, and both are valid."""
    with site.client() as client:
        site.post(client, "a")
        plain = client.get("/metrics")
        accept = "application/openmetrics-text; version=1.0.0"
        required = client.get("/metrics", headers={"Accept": accept})
    assert plain.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert required.headers["content-type"].startswith(
        "application/openmetrics-text; version=1.0.0"
    )
    families = list(openmetrics_parser.text_string_to_metric_families(required.text))
    assert f"{NAME}_http_requests" in {family.name for family in families}


def test_who_may_read_them(open_site: OpenSite) -> None:
    """Whoever shows the token; on an open server this machine, not those behind a proxy."""
    with open_site().client(Accept="*/*") as stranger:
        assert stranger.get("/metrics").status_code == HTTPStatus.UNAUTHORIZED


def test_an_open_server_tells_this_machine_alone(open_site: OpenSite) -> None:
    """What a proxy hands on comes from elsewhere."""
    with open_site(open_to_all=True).client() as client:
        assert client.get("/metrics").status_code == HTTPStatus.OK
        handed_on = client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"})
        assert handed_on.status_code == HTTPStatus.FORBIDDEN
        assert handed_on.json()["code"] == "not_allowed"
