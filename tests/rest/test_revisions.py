"""A text that is revised over HTTP: read, edited, listed, brought back."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import httpx
import pytest

from hybrid_transcribe.testing import Script
from tests.rest.conftest import Site

FIRST = {"op": "replace-text", "segment_id": "1.0", "text": "Bom dia"}
DELETION = {"op": "delete-segments", "segment_ids": ["1.2"]}


@pytest.fixture
def client(site: Site) -> Iterator[httpx.Client]:
    with site.client() as instance:
        yield instance


@pytest.fixture
def job(site: Site, client: httpx.Client) -> dict[str, Any]:
    return site.post(client, "talk")


@pytest.fixture
def at(job: dict[str, Any]) -> str:
    """The address of the job's one recording."""
    return f"/jobs/{job['job_id']}/recordings/{job['recordings'][0]['recording_id']}"


def edit(client: httpx.Client, at: str, *operations: Any, base: str = "*", **more: Any) -> Any:
    body = {"operations": operations, **more} if more else list(operations)
    return client.patch(f"{at}/transcript", json=body, headers={"If-Match": base})


def test_a_text_is_read_with_its_revision(client: httpx.Client, at: str) -> None:
    """The ETag is the revision; whoever has it is told so."""
    answer = client.get(f"{at}/transcript")
    assert (answer.status_code, answer.headers["ETag"]) == (HTTPStatus.OK, '"0"')
    assert answer.headers["Cache-Control"] == "private, no-cache"
    text = answer.json()
    assert (text["revision"], text["complete"]) == (0, True)
    assert [(s["id"], s["text"]) for s in text["segments"]] == [
        ("1.0", "talk.wav 0"),
        ("1.1", "talk.wav 1"),
        ("1.2", "talk.wav 2"),
    ]
    same = client.get(f"{at}/transcript", headers={"If-None-Match": '"0"'})
    assert (same.status_code, same.content) == (HTTPStatus.NOT_MODIFIED, b"")
    head = client.head(f"{at}/transcript")
    assert (head.headers["ETag"], head.content) == ('"0"', b"")


def test_an_edit_answers_with_its_revision(client: httpx.Client, at: str) -> None:
    """A list of operations, or an object that says who and what for."""
    answer = edit(client, at, FIRST, DELETION, base='"0"')
    assert (answer.status_code, answer.headers["ETag"]) == (HTTPStatus.OK, '"1"')
    info = answer.json()
    assert (info["revision"], info["kind"], info["base"]) == (1, "person", 0)
    assert (info["n_changed"], info["author"], info["label"]) == (2, "", "")
    assert info["created_at"].endswith("Z")
    second = edit(client, at, DELETION | {"segment_ids": ["1.1"]}, author="Ana", label="short")
    assert (second.json()["author"], second.json()["label"]) == ("Ana", "short")
    text = client.get(f"{at}/transcript")
    assert (text.headers["ETag"], text.json()["text"]) == ('"2"', "Bom dia")
    changed = client.get(f"{at}/transcript", headers={"If-None-Match": '"1"'})
    assert changed.status_code == HTTPStatus.OK


def test_an_edit_says_of_which_revision(client: httpx.Client, at: str) -> None:
    """428 without a condition, 400 for what is none; weak ones, as proxies write them, will do."""
    without = client.patch(f"{at}/transcript", json=[FIRST])
    assert without.status_code == HTTPStatus.PRECONDITION_REQUIRED
    assert without.json()["code"] == "precondition_required"
    for odd in ("3", '"three"', '"1", "2"', "", '"-1"'):
        answer = edit(client, at, FIRST, base=odd)
        assert answer.status_code == HTTPStatus.BAD_REQUEST, odd
    assert edit(client, at, FIRST, base='W/"0"').status_code == HTTPStatus.OK
    assert edit(client, at, FIRST, base='"9"').json()["code"] == "unknown_revision"


def test_a_stale_edit_that_touches_nothing_is_done(client: httpx.Client, at: str) -> None:
    """One that touches what was changed is 409, with the ids and the current revision."""
    assert edit(client, at, FIRST, base='"0"').json()["revision"] == 1
    assert edit(client, at, DELETION, base='"0"').json()["revision"] == 2
    conflict = edit(client, at, FIRST | {"text": "Olá"}, base='"0"')
    assert conflict.status_code == HTTPStatus.CONFLICT
    problem = conflict.json()
    assert problem["code"] == "edit_conflict"
    assert (problem["params"]["segments"], problem["params"]["revision"]) == (["1.0"], 2)
    assert client.get(f"{at}/transcript").json()["text"] == "Bom dia talk.wav 1"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_request"),
        (b"{}", "invalid_request"),
        (b'[{"op": "explode"}]', "invalid_request"),
        (b'[{"op": "replace-text", "segment_id": "1.0"}]', "invalid_request"),
        (
            b'[{"op": "replace-text", "segment_id": "1.0", "text": "a", "txt": 1}]',
            "invalid_request",
        ),
        (b'{"operations": [], "auther": "Ana"}', "invalid_request"),
        (b"[" * 100_000, "invalid_request"),
        (b'[{"op": "replace-text", "segment_id": "1.0", "text": "\\ud800"}]', "invalid_request"),
        (b'[{"op": "replace-text", "segment_id": "1.0", "text": ""}]', "invalid_edit"),
        (b'[{"op": "delete-segments", "segment_ids": ["7.7"]}]', "unknown_segment"),
        (b'[{"op": "rename-speaker", "speaker": "S1", "name": "Ana"}]', "unknown_speaker"),
        (
            b'[{"op": "replace-all", "find": "(", "replacement": "", "regex": true}]',
            "invalid_edit",
        ),
        (b'[{"op": "set-times", "segment_id": "1.0", "start_s": -1, "end_s": 1}]', "invalid_edit"),
    ],
)
def test_nonsense_is_told(client: httpx.Client, at: str, body: bytes, code: str) -> None:
    """As a problem; nothing is changed."""
    answer = client.patch(f"{at}/transcript", content=body, headers={"If-Match": "*"})
    assert answer.json()["code"] == code, answer.text
    assert client.get(f"{at}/transcript").headers["ETag"] == '"0"'


def test_revisions_are_listed(client: httpx.Client, at: str) -> None:
    """The engine's first."""
    edit(client, at, FIRST, author="Ana")
    listed = client.get(f"{at}/revisions").json()["revisions"]
    assert [(r["revision"], r["kind"], r["author"]) for r in listed] == [
        (0, "engine", "scripted"),
        (1, "person", "Ana"),
    ]
    assert (listed[0]["base"], listed[0]["run"], listed[0]["restored"]) == (None, 1, None)


def test_an_earlier_revision_is_brought_back(client: httpx.Client, at: str) -> None:
    """By its number; one that is not there is 404, none at all is 400."""
    edit(client, at, FIRST)
    answer = client.post(f"{at}/restore", json={"revision": 0, "author": "Ana", "label": "back"})
    assert answer.headers["ETag"] == '"2"'
    info = answer.json()
    assert (info["kind"], info["restored"], info["author"], info["label"]) == (
        "restore",
        0,
        "Ana",
        "back",
    )
    assert client.get(f"{at}/transcript").json()["text"] == "talk.wav 0 talk.wav 1 talk.wav 2"
    assert client.post(f"{at}/restore", json={"revision": 9}).status_code == 404
    assert client.post(f"{at}/restore", json={}).status_code == 400
    assert client.post(f"{at}/restore", json={"revision": -1}).status_code == 400
    assert client.post(f"{at}/restore", json={"revision": 0, "x": 1}).status_code == 400


@pytest.mark.parametrize("name", ["txt", "srt", "vtt", "tsv", "json"])
def test_every_result_has_its_revisions(
    client: httpx.Client, job: dict[str, Any], at: str, name: str
) -> None:
    """Of the recording and of the job: the current text, or the one that is named."""
    edit(client, at, FIRST)
    for address in (f"{at}/result", f"/jobs/{job['job_id']}/result"):
        current = client.get(address, params={"format": name})
        assert "Bom dia" in current.text
        first = client.get(address, params={"format": name, "revision": 0})
        assert "talk.wav 0" in first.text
        assert "Bom dia" not in first.text
        absent = client.get(address, params={"format": name, "revision": 5})
        assert absent.json()["code"] == "unknown_revision"
        assert client.get(address, params={"revision": "x"}).status_code == 400
    zipped = client.get(f"/jobs/{job['job_id']}/result", params={"format": "zip", "revision": 0})
    with zipfile.ZipFile(io.BytesIO(zipped.content)) as archive:
        assert b"talk.wav 0" in archive.read("talk.txt")
    both = client.get(f"{at}/result", params={"run": 1, "revision": 0})
    assert both.status_code == HTTPStatus.BAD_REQUEST
    engine = client.get(f"{at}/result", params={"run": 1})
    assert "talk.wav 0" in engine.text


def test_the_job_says_that_it_is_edited(client: httpx.Client, job: dict[str, Any], at: str) -> None:
    """Its recording has the revision; it is kept until somebody says otherwise."""
    edit(client, at, FIRST)
    after = client.get(f"/jobs/{job['job_id']}").json()
    (recording,) = after["recordings"]
    assert (recording["revision"], recording["revision_run"], recording["edited"]) == (1, 1, True)
    assert (after["kept"], after["expires_at"]) == (True, None)
    let_go = client.post(f"/jobs/{job['job_id']}/keep", json={"keep": False}).json()
    assert let_go["expires_at"] is not None


def test_streams_tell_of_revisions(client: httpx.Client, job: dict[str, Any], at: str) -> None:
    """As `transcript-revised`, to those who may see the job and to nobody else."""
    session = {"X-Session-Id": job["session_id"]}
    with client.stream("GET", "/queues/events", headers=session) as stream:
        lines = stream.iter_lines()
        assert next(line for line in lines if line.startswith("event:")) == "event: snapshot"
        edit(client, at, FIRST, author="Ana")
        assert next(line for line in lines if line == "event: transcript-revised")
        event = json.loads(next(lines).removeprefix("data: "))
    assert (event["job_id"], event["session_id"]) == (job["job_id"], job["session_id"])
    assert event["recording_id"] == job["recordings"][0]["recording_id"]
    listed = client.get(f"{at}/revisions").json()["revisions"]
    assert event["revision"] == listed[1]


def test_a_text_under_way_has_no_revision(site: Site, client: httpx.Client, at: str) -> None:
    """It is read with `partial`, without an ETag, and cannot be edited."""
    job = site.post(client, "bad", model=Script(fault="raise", at_s=1).model)
    place = f"/jobs/{job['job_id']}/recordings/{job['recordings'][0]['recording_id']}"
    assert client.get(f"{place}/transcript").status_code != HTTPStatus.OK
    answer = client.get(f"{place}/transcript", params={"partial": "true"})
    assert (answer.status_code, "ETag" in answer.headers) == (HTTPStatus.OK, False)
    assert "revision" not in answer.json()
    assert answer.json()["segments"][0]["id"] == "1.0"
    assert edit(client, place, FIRST).json()["code"] == "engine_failed"
    assert client.get(f"{place}/revisions").json() == {"revisions": []}


def test_sessions_are_held_to(site: Site, client: httpx.Client, at: str) -> None:
    """Whoever names others gets the answer for what never was, and changes nothing."""
    never = at.replace(at.split("/")[2], "0" * 32)
    with site.client(**dict(client.headers), **{"X-Session-Id": "another"}) as other:

        def answers(address: str) -> list[tuple[int, str]]:
            asked = (
                other.get(f"{address}/transcript"),
                other.get(f"{address}/revisions"),
                other.get(f"{address}/result", params={"revision": 0}),
                edit(other, address, FIRST),
                other.post(f"{address}/restore", json={"revision": 0}),
            )
            return [(a.status_code, a.text.replace(address.split("/")[2], "ID")) for a in asked]

        assert answers(at) == answers(never)
        assert {status for status, _ in answers(at)} == {HTTPStatus.NOT_FOUND}
    assert client.get(f"{at}/transcript").headers["ETag"] == '"0"'


def test_a_body_that_is_no_list_names_what_may_be(client: httpx.Client, at: str) -> None:
    """The message says where in the body it is wrong."""
    answer = edit(client, at, FIRST, {"op": "explode"})
    assert "$[1]" in answer.json()["detail"]
