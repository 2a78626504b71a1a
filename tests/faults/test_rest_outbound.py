"""Row 37: addresses that strangers name, for recordings and for callbacks."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any

import httpx
import pytest

from hybrid_transcribe import Service
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import InputMissing, InvalidOption, TooLarge, UnsafeInput
from hybrid_transcribe.outbound import call
from hybrid_transcribe.outbound.call import Caller, checked, is_public
from hybrid_transcribe.outbound.webhooks import WAITS_S, outbox_of
from hybrid_transcribe.testing import ManualClock
from tests.services import service, wavs

SECRET_BYTES = b"s" * 32
SECRET = "whsec_" + base64.b64encode(SECRET_BYTES).decode()


@dataclass
class Elsewhere:
    """Somebody else's server: what it was asked, and what it answers."""

    url: str = ""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    asked: Queue[tuple[str, dict[str, str], bytes]] = field(default_factory=Queue)
    answers: list[int] = field(default_factory=list)


@contextmanager
def _elsewhere(host: str = "127.0.0.1", port: int = 0) -> Iterator[Elsewhere]:
    it = Elsewhere()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            # Recorded first: a client that has its response may count the requests at once.
            headers = {name.lower(): value for name, value in self.headers.items()}
            it.asked.put((self.path, headers, body))
            status = it.answers.pop(0) if it.answers else it.status
            self.send_response(status)
            for name, value in it.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(it.body)))
            self.end_headers()
            self.wfile.write(it.body)

        do_POST = do_GET

        def log_message(self, *args: Any) -> None:
            """Nobody reads it."""

    with ThreadingHTTPServer((host, port), Handler) as server:
        it.url = f"http://{host}:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield it
        finally:
            server.shutdown()
            thread.join()


async def _fetched(caller: Caller, url: str, most_bytes: int = 1000) -> bytes:
    got = bytearray()
    await caller.fetch(url, got.extend, most_bytes=most_bytes, within_s=10.0)
    return bytes(got)


def _fetch(caller: Caller, url: str, most_bytes: int = 1000) -> bytes:
    return asyncio.run(_fetched(caller, url, most_bytes))


@pytest.mark.parametrize(
    "address",
    """127.0.0.1 127.9.9.9 10.0.0.1 172.16.0.1 192.168.1.1 169.254.169.254 0.0.0.0 100.64.0.1
    224.0.0.1 240.0.0.1 255.255.255.255 192.0.2.1 198.18.0.1 192.88.99.1 192.0.0.8
    ::1 :: fe80::1 fe80::1%eth0 fc00::1 fd12::1 fec0::1 ff02::1 2001:db8::1 2001::1 100::1
    ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::127.0.0.1 ::ffff:0:127.0.0.1
    64:ff9b::7f00:1 64:ff9b::a9fe:a9fe 64:ff9b:1::1 2002:7f00:1:: 2002:a9fe:a9fe::1
    2a00:1450::5efe:7f00:1 nonsense 1.2.3""".split(),
)
def test_f37_addresses_that_are_nobodys_business(address: str) -> None:
    """Of this machine, its network, the cloud's own, and all of these in disguise."""
    assert not is_public(address)


@pytest.mark.parametrize(
    "address",
    "1.1.1.1 93.184.216.34 2606:4700::1111 64:ff9b::101:101 ::ffff:1.1.1.1 2002:101:101::1".split(),
)
def test_addresses_of_the_open_internet(address: str) -> None:
    """Also behind a network that translates."""
    assert is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://2130706433/",
        "http://0x7f.1/",
        "http://127.1/",
        "http://0177.0.0.1/",
        "http://0x7f000001",
        "http://017700000001",
        "http://1.2.3.4.5/",
        "http://127.0.0.1./",
        "ftp://example.org/a",
        "file:///etc/passwd",
        "gopher://example.org",
        "//example.org/a",
        "http:///a",
        "http://user:pass@example.org/",
        "http://user@example.org/",
        "http://@example.org/",
        "http://example.org\\@127.0.0.1/",
        "http://exam ple.org/",
        "http://example.org/\r\nX: y",
        "http://１２７.0.0.1/",
        "http://example.org:99999/",
        "http://[::1",
        "http://" + "a" * 5000,
    ],
)
def test_f37_odd_ways_of_writing_an_address(url: str) -> None:
    """Are refused before anybody is asked where they lead."""
    with pytest.raises(UnsafeInput) as refused:
        checked(url)
    assert "user:pass" not in str(refused.value)


@pytest.mark.parametrize(
    "host", "127.0.0.1 [::1] 169.254.169.254 [64:ff9b::a9fe:a9fe] [::ffff:10.0.0.1]".split()
)
def test_f37_what_is_private_is_not_called(host: str) -> None:
    """Not by its address either."""
    with pytest.raises(UnsafeInput):
        _fetch(Caller(), f"http://{host}:1/")


def test_f37_one_private_address_among_several_is_enough() -> None:
    """A name with both is a trick."""
    caller = Caller(resolve=lambda host, port: ["93.184.216.34", "127.0.0.1"])
    with pytest.raises(UnsafeInput):
        _fetch(caller, "http://example.org/")


def test_f37_a_name_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection goes to the address that was checked, whatever is answered next time."""
    monkeypatch.setattr(call, "is_public", lambda address: address == "127.0.0.1")
    with _elsewhere() as public, _elsewhere("127.0.0.2", int(public.url.rpartition(":")[2])) as own:
        public.body, own.body = b"for all", b"secret"
        answers = [["127.0.0.1"], ["127.0.0.2"]]
        caller = Caller(resolve=lambda host, port: answers.pop(0))
        url = f"http://example.org:{public.url.rpartition(':')[2]}/a"
        assert _fetch(caller, url) == b"for all"
        assert len(answers) == 1
        # The name is the name, for servers of many names.
        _, headers, _ = public.asked.get(timeout=10)
        assert headers["host"].startswith("example.org")
        # Asked again it leads inside, and is refused.
        with pytest.raises(UnsafeInput):
            _fetch(caller, url)
        assert own.asked.empty()


@pytest.mark.parametrize(
    "to",
    [
        "http://127.0.0.2:1/",
        "http://169.254.169.254/latest/meta-data/",
        "file:///etc/passwd",
        "http://0x7f.1/",
        "http://name@127.0.0.1/",
    ],
)
def test_f37_every_redirect_is_checked(to: str) -> None:
    """A public page may send us anywhere; we do not go."""
    caller = Caller(frozenset({"127.0.0.1"}))
    with _elsewhere() as it:
        it.status, it.headers = 302, {"Location": to}
        with pytest.raises(UnsafeInput):
            _fetch(caller, it.url)
        assert it.asked.qsize() == 1


def test_redirects_end() -> None:
    """Followed a few times, then no more."""
    caller = Caller(frozenset({"127.0.0.1"}))
    with _elsewhere() as it:
        it.body, it.headers = b"here", {"Location": "/again"}
        it.answers = [302, 307]
        assert _fetch(caller, it.url) == b"here"
        it.answers = [302] * 9
        with pytest.raises(InputMissing, match="redirects"):
            _fetch(caller, it.url)
        assert it.asked.qsize() == 3 + 4


def test_no_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy would look the name up itself."""
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    with _elsewhere() as it:
        it.body = b"direct"
        assert _fetch(Caller.of("127.0.0.1"), it.url) == b"direct"


@pytest.mark.parametrize("told", [True, False])
def test_more_than_may_be(told: bool) -> None:
    """By the length that is told, or by what comes."""
    with _elsewhere() as it:
        it.body = b"x" * 2000
        if not told:
            it.headers = {"X-Filler": "1"}
        with pytest.raises(TooLarge):
            _fetch(Caller.of("127.0.0.1"), it.url, most_bytes=1000)


# ------------------------------------------------------------------------------- over HTTP


@contextmanager
def _served(tmp_path: Path, **settings: Any) -> Iterator[tuple[Service, httpx.Client]]:
    with (
        service(tmp_path / "state", preload_models=False, **settings) as s,
        s.serve(open_to_all=True) as server,
        httpx.Client(base_url=server.url, trust_env=False, timeout=30) as client,
    ):
        yield s, client


def test_f37_off_unless_switched_on(tmp_path: Path) -> None:
    """403, and nobody is called."""
    with _elsewhere() as it, _served(tmp_path) as (_, client):
        answer = client.post("/jobs", data={"source_url": it.url})
        assert answer.status_code == HTTPStatus.FORBIDDEN
        assert answer.json()["code"] == "not_allowed"
        assert client.get("/limits").json()["allow_source_urls"] is False
        assert it.asked.empty()


def test_f37_switched_on_it_still_calls_only_the_public(tmp_path: Path) -> None:
    """400 for each trick, in words that tell nothing of the network, and nothing is kept."""
    with _elsewhere() as it, _served(tmp_path, allow_source_urls=True) as (s, client):
        for url in (it.url, "http://169.254.169.254/", "http://2130706433/", "http://[::1]/"):
            answer = client.post("/jobs", json={"source_url": url})
            assert answer.status_code == HTTPStatus.BAD_REQUEST, answer.text
            assert answer.json()["code"] == "unsafe_input"
        assert it.asked.empty()
        assert list(s.uploads_dir.iterdir()) == []


def test_recordings_from_elsewhere(tmp_path: Path) -> None:
    """Several at once, beside a file that is sent; each is called what it is called there."""
    (path,) = wavs(tmp_path, "a")
    on = {"allow_source_urls": True, "fetch_private_hosts": "127.0.0.1"}
    with _elsewhere() as it, _served(tmp_path, **on) as (_, client):
        it.body = path.read_bytes()
        job = client.post(
            "/jobs",
            data={"source_url": [f"{it.url}/x/um.wav?k=1", f"{it.url}/dois.wav"]},
            files={"file": ("a.wav", path.read_bytes())},
            headers={"Prefer": "wait=30"},
        ).json()
        assert job["state"] == "completed"
        assert [r["name"] for r in job["recordings"]] == ["a.wav", "um.wav", "dois.wav"]


def test_what_cannot_be_fetched(tmp_path: Path) -> None:
    """An error of theirs, or nobody there: 422 in plain words, and nothing is kept."""
    on = {"allow_source_urls": True, "fetch_private_hosts": "127.0.0.1", "max_file_bytes": 1000}
    with _elsewhere() as it, _served(tmp_path, **on) as (s, client):
        it.status = 404
        for url in (it.url, "http://127.0.0.1:9/"):
            answer = client.post("/jobs", json={"source_url": [url]})
            assert answer.status_code == HTTPStatus.UNPROCESSABLE_ENTITY, answer.text
        it.status, it.body = 200, b"x" * 2000
        answer = client.post("/jobs", json={"source_url": [it.url]})
        assert answer.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        assert client.post("/jobs", json={"source_url": 7}).status_code == HTTPStatus.BAD_REQUEST
        assert list(s.uploads_dir.iterdir()) == []


# ------------------------------------------------------------------------------- callbacks


def _post(client: httpx.Client, path: Path, **fields: str) -> httpx.Response:
    return client.post("/jobs", files={"file": (path.name, path.read_bytes())}, data=fields)


def _check_signed(headers: dict[str, str], body: bytes) -> None:
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    digest = hmac.new(SECRET_BYTES, signed, hashlib.sha256).digest()
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


def test_a_job_calls_back_when_it_ends(tmp_path: Path) -> None:
    """Once, signed, with all of the job but its session."""
    (path,) = wavs(tmp_path, "a")
    on = {"webhook_secret": SECRET, "fetch_private_hosts": "127.0.0.1"}
    with _elsewhere() as it, _served(tmp_path, **on) as (s, client):
        answer = _post(client, path, callback_url=f"{it.url}/done", session_id="anas-secret")
        assert "callback" not in answer.text
        where, headers, body = it.asked.get(timeout=30)
        _check_signed(headers, body)
        payload = json.loads(body)
        assert (where, payload["type"]) == ("/done", "job.completed")
        assert payload["data"]["job_id"] == answer.json()["job_id"]
        assert [r["state"] for r in payload["data"]["recordings"]] == ["completed"]
        assert b"anas-secret" not in body
        # Asked for again, it ends again, and that is another message.
        s.retry(payload["data"]["job_id"], payload["data"]["recordings"][0]["recording_id"])
        _, again, _ = it.asked.get(timeout=30)
        assert again["webhook-id"] != headers["webhook-id"]
        assert it.asked.empty()


def test_f37_callbacks_go_only_to_the_public(tmp_path: Path) -> None:
    """Without a secret to sign with, or to an odd address: 400. To a private one: never."""
    (path,) = wavs(tmp_path, "a")
    with _elsewhere() as it, _served(tmp_path / "unsigned") as (s, client):
        answer = _post(client, path, callback_url=it.url)
        assert answer.status_code == HTTPStatus.BAD_REQUEST
        assert "webhook_secret" in answer.json()["detail"]
        assert s.snapshots() == ()
    with _elsewhere() as it, _served(tmp_path / "signed", webhook_secret=SECRET) as (s, client):
        answer = _post(client, path, callback_url="http://2130706433/")
        assert answer.json()["code"] == "unsafe_input"
        job = _post(client, path, callback_url=it.url).json()["job_id"]
        _until(s, lambda: _job(s, job).called_back_at is not None)
        assert it.asked.empty()


def _job(s: Service, job_id: str) -> Any:
    return s.call(lambda room: room.table.row(job_id).job).result()


def _until(s: Service, true: Callable[[], bool]) -> None:
    """What no event tells of is looked for."""
    until = time.monotonic() + 30
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)


def test_a_callback_is_tried_again(tmp_path: Path) -> None:
    """Later and later, under the same id; after the last try no more."""
    (path,) = wavs(tmp_path, "a")
    clock = ManualClock()
    on = {"webhook_secret": SECRET, "fetch_private_hosts": "127.0.0.1", "clock": clock}
    with _elsewhere() as it, _served(tmp_path, **on) as (s, client):
        it.status = 500
        job = _post(client, path, callback_url=it.url).json()["job_id"]
        ids = set()
        for wait_s in WAITS_S:
            ids.add(it.asked.get(timeout=30)[1]["webhook-id"])
            _until(s, lambda: _waits(s))
            s.call(partial(_turn, clock, 1.5 * wait_s)).result()
        ids.add(it.asked.get(timeout=30)[1]["webhook-id"])
        _until(s, lambda: _job(s, job).called_back_at is not None)
        assert len(ids) == 1
        assert it.asked.empty()


def _turn(clock: ManualClock, by_s: float, room: Any) -> None:
    clock.advance(by_s)


def _waits(s: Service) -> bool:
    return s.call(lambda room: bool(outbox_of(s)._timers)).result()


def test_a_callback_survives_a_restart(tmp_path: Path) -> None:
    """What was not told is told by the next process; what was told is not told again."""
    (path,) = wavs(tmp_path, "a")
    on = {"webhook_secret": SECRET, "fetch_private_hosts": "127.0.0.1"}
    with _elsewhere() as it:
        it.answers = [503]
        with _served(tmp_path, **on) as (s, client):
            job = _post(client, path, callback_url=it.url).json()["job_id"]
            it.asked.get(timeout=30)
            s.wait(job, 30)
        with _served(tmp_path, **on) as (s, client):
            _, headers, body = it.asked.get(timeout=30)
            _check_signed(headers, body)
            _until(s, lambda: _job(s, job).called_back_at is not None)
        with _served(tmp_path, **on) as (s, client):
            s.call(lambda room: None).result()
        assert it.asked.empty()


@pytest.mark.parametrize("secret", ["whsec_", "secret", "whsec_!!", "whsec_c2hvcnQ="])
def test_a_secret_that_cannot_be(secret: str) -> None:
    """Is said when the server starts, without showing it."""
    with service(webhook_secret=secret) as s, pytest.raises(InvalidOption) as refused:
        s.serve()
    assert "secret=…" in str(refused.value)
    assert SECRET not in repr(Settings.load(webhook_secret=SECRET))
