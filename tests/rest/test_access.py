"""Who may come in, and what each may see."""

from __future__ import annotations

from http import HTTPStatus

import pytest

from hybrid_transcribe.errors import InvalidRequest, NoToken
from hybrid_transcribe.rest.access import Access, Role
from tests.rest.conftest import OpenSite, Site

LOCAL = {"Host": "127.0.0.1:8888"}


@pytest.mark.parametrize(
    "host",
    ["localhost:1", "LOCALHOST", "127.0.0.1:80", "[::1]:9", "ok.com", "OK.com.:1", "10.0.0.7"],
)
def test_hosts_that_are_ours(host: str) -> None:
    """This machine by its names and addresses, and what the server was told it is called."""
    Access(hosts=frozenset({"ok.com"})).check({"Host": host}, None)


def test_our_own_page_and_no_page() -> None:
    """A request without an origin comes from no browser's page."""
    Access().check({**LOCAL, "Origin": "http://127.0.0.1:8888"}, None)
    Access().check(LOCAL, None)


@pytest.mark.parametrize("header", ["token s3cret", "Bearer s3cret", "bearer  s3cret"])
def test_tokens(header: str) -> None:
    """In the header, in either way of writing it, or in the address."""
    access = Access("s3cret")
    assert access.check({**LOCAL, "Authorization": header}, None) is Role.HOLDER
    assert access.check(LOCAL, "s3cret") is Role.HOLDER
    assert access.check({**LOCAL, "Origin": "https://a.b"}, "s3cret") is Role.HOLDER


def test_who_is_asking() -> None:
    """The token of one's own kernel is its owner's; a visitor's kernel is never more than that."""
    own = Access("s3cret", owner=True, visitor="v1sitor")
    assert own.check(LOCAL, "s3cret") is Role.OWNER
    assert own.check(LOCAL, "v1sitor") is Role.VISITOR
    assert Access(visitor="v1sitor").check(LOCAL, "v1sitor") is Role.VISITOR
    assert not Role.VISITOR.trusted


@pytest.mark.parametrize(
    "header", ["", "token", "token x", "Basic s3cret", "s3cret", "token s3cre"]
)
def test_no_token(header: str) -> None:
    """Nothing else opens."""
    with pytest.raises(NoToken):
        Access("s3cret").check({**LOCAL, "Authorization": header}, "wrong")


def test_open_servers_have_no_token_to_guess() -> None:
    """The empty token is none."""
    assert Access().check(LOCAL, "") is Role.ANYBODY


def test_a_token_is_needed_for_everything(site: Site) -> None:
    """401 as a problem, on every address, and nothing is uploaded."""
    with site.client(Accept="*/*") as client:
        for method, path in (("GET", "/queues"), ("GET", "/limits"), ("POST", "/jobs")):
            answer = client.request(method, path)
            assert answer.status_code == HTTPStatus.UNAUTHORIZED
            assert answer.json()["code"] == "no_token"
            assert answer.headers["www-authenticate"] == "Bearer"
        big = client.post("/jobs", files={"file": ("a.wav", b"x" * 100_000)})
        assert big.status_code == HTTPStatus.UNAUTHORIZED
    assert list(site.service.uploads_dir.iterdir()) == []


def test_strangers_learn_that_it_is_there(site: Site) -> None:
    """Load balancers have no token and use any name: they get the status and nothing else."""
    with site.client(Accept="*/*", Host="balanced.example") as client:
        for path, status in (("/health", "ok"), ("/health/ready", "ready")):
            answer = client.get(path)
            assert (answer.status_code, answer.json()) == (HTTPStatus.OK, {"status": status})
    with site.client(Authorization=f"token {site.server.token}") as client:
        assert set(client.get("/health").json()) == {"status", "version"}
        assert set(client.get("/health/ready").json()) == {"status", "default_model", "warnings"}


def test_f41_another_session_sees_nothing(open_site: OpenSite) -> None:
    """404 on every address, in the words for what never was; the id alone is a key."""
    site = open_site(open_to_all=True)
    with site.client() as client:
        job = site.post(client, "a", session_id="anas-secret")
        recording = job["recordings"][0]["recording_id"]
        base = f"/jobs/{job['job_id']}"
        for who in ({"session_id": "somebody"}, {"session_ids": "one,two"}):
            for method, path in (
                ("GET", base),
                ("DELETE", base),
                ("POST", f"{base}/cancel"),
                ("POST", f"{base}/retry"),
                ("POST", f"{base}/keep"),
                ("POST", f"{base}/recordings/{recording}/cancel"),
                ("GET", f"{base}/result"),
                ("GET", f"{base}/recordings/{recording}/result"),
            ):
                answer = client.request(method, path, params=who)
                never = client.request(method, path.replace(job["job_id"], "0" * 32), params=who)
                assert answer.status_code == never.status_code == HTTPStatus.NOT_FOUND, path
                message = answer.json()["detail"].replace(job["job_id"], "0" * 32)
                assert message == never.json()["detail"]
        mine = client.get(base, params={"session_id": "anas-secret"})
        assert mine.json()["state"] == "completed"
        assert client.get(base, headers={"X-Session-Id": "anas-secret"}).status_code == 200
        assert client.get(base).json()["state"] == "completed"
        assert (
            client.get(f"{base}/recordings/{recording}/result").text == "a.wav 0 a.wav 1 a.wav 2\n"
        )
        assert client.post(f"{base}/keep").json()["kept"] is True
        assert client.delete(base).status_code == HTTPStatus.NO_CONTENT
        assert client.get(base).status_code == HTTPStatus.NOT_FOUND


def test_a_session_is_erased_whole(open_site: OpenSite) -> None:
    """Its jobs and no others."""
    site = open_site(open_to_all=True)
    with site.client() as client:
        site.post(client, "a", session_id="one")
        site.post(client, "b", session_id="two")
        assert client.delete("/sessions/one").status_code == HTTPStatus.NO_CONTENT
        assert len(client.get("/queues").json()["jobs"]) == 1


def test_open_beyond_this_machine_is_refused(site: Site) -> None:
    """A server for the network has a token."""
    with pytest.raises(InvalidRequest, match="token"):
        site.service.serve("0.0.0.0", open_to_all=True)
    with pytest.raises(InvalidRequest, match="not both"):
        site.service.serve(open_to_all=True, token="x")
