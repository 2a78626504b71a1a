"""HEAD wherever GET is, Allow on every 405, and 400s that say what to send."""

from __future__ import annotations

import http.client
import json
from http import HTTPStatus
from urllib.parse import urlsplit

import pytest

from hybrid_transcribe.rest.routes import OPERATIONS, TABLE
from tests.rest.conftest import Site

#: Addresses that answer a GET with an empty server.
ADDRESSES = sorted(
    item.path
    for item in OPERATIONS
    if item.method == "get" and "{" not in item.path and "event" not in item.path
)


def asked(site: Site, method: str, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body as they come over the wire."""
    url = urlsplit(site.server.url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)
    token = {"Authorization": f"token {site.server.token}"}
    connection.request(method, f"{url.path}{path}", headers={**token, **headers})
    response = connection.getresponse()
    result = response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    connection.close()
    return result


@pytest.mark.parametrize("path", ADDRESSES)
def test_head_is_get_without_a_body(site: Site, path: str) -> None:
    """For uptime monitors, ``wget --spider`` and caches."""
    got, had = asked(site, "GET", path), asked(site, "HEAD", path)

    assert had[0] == got[0] == HTTPStatus.OK
    assert had[2] == b""
    assert had[1]["content-type"] == got[1]["content-type"]
    if path != "/metrics":
        assert had[1]["content-length"] == got[1]["content-length"]


def test_head_of_the_events_does_not_wait(site: Site) -> None:
    """It is how the stream would begin."""
    status, headers, _ = asked(site, "HEAD", "/queues/events")

    assert (status, headers["content-type"]) == (HTTPStatus.OK, "text/event-stream")


def test_head_of_a_result_and_of_what_is_not_there(site: Site) -> None:
    """The zip is not sent, and errors have their status."""
    with site.client() as client:
        job = site.post(client, "talk")
    for format in ("txt", "zip"):
        status, headers, body = asked(site, "HEAD", f"/jobs/{job['job_id']}/result?format={format}")
        assert (status, body) == (HTTPStatus.OK, b"")
        assert int(headers["content-length"]) > 0
    assert asked(site, "HEAD", "/jobs/none")[0] == HTTPStatus.NOT_FOUND
    assert asked(site, "HEAD", "/nothing")[0] == HTTPStatus.NOT_FOUND


@pytest.mark.parametrize(
    "path", [pattern for pattern, _ in TABLE if "(" not in pattern and "files" not in pattern]
)
def test_every_405_says_what_can_be_done(site: Site, path: str) -> None:
    """Also where errors have another shape, and for methods that nobody knows."""
    path = path.replace("\\", "")
    for method in ("PATCH", "BREW"):
        status, headers, _ = asked(site, method, path)
        assert status == HTTPStatus.METHOD_NOT_ALLOWED
        allowed = headers["allow"].split(", ")
        assert allowed
        assert method not in allowed
        assert ("GET" in allowed) == ("HEAD" in allowed)


FORM = "multipart/form-data; boundary=xx"


@pytest.mark.parametrize("path", ["/asr", "/detect-language", "/v1/audio/transcriptions"])
@pytest.mark.parametrize(
    ("content_type", "body", "words"),
    [
        ("application/json", b'{"model": "base"}', "The body is JSON"),
        ("", b'{"file": "talk.wav"}', "JSON without its Content-Type"),
        (
            "",
            b'--xx\r\nContent-Disposition: form-data; name="file"',
            "a form without its Content-Type",
        ),
        (
            FORM,
            b'--xx\r\nContent-Disposition: form-data; name="FIELD"\r\n\r\ntalk.wav\r\n--xx--\r\n',
            "a filename",
        ),
        (
            FORM,
            b'--xx\r\nContent-Disposition: form-data; name="FIELD"\r\n\r\n\xff\xfe\r\n--xx--\r\n',
            "a filename",
        ),
        ("application/x-www-form-urlencoded", b"\xff\xfb\x90\x00" * 9, "needs its own type"),
    ],
)
def test_a_body_that_cannot_be_is_a_400_that_helps(
    site: Site, path: str, content_type: str, body: bytes, words: str
) -> None:
    """What it is, and what to send instead."""
    field = b"file" if path.startswith("/v1") else b"audio_file"
    headers = {"Content-Type": content_type} if content_type else {}
    url = urlsplit(site.server.url)
    connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)
    connection.putrequest("POST", path)
    body = body.replace(b"FIELD", field)
    for name, value in {
        **headers,
        "Authorization": f"token {site.server.token}",
        "Content-Length": str(len(body)),
    }.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    response = connection.getresponse()
    payload = json.loads(response.read())
    connection.close()

    assert response.status == HTTPStatus.BAD_REQUEST, payload
    assert words in json.dumps(payload).replace('\\"', '"')
