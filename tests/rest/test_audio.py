"""Recordings are listened to in the browser, from any second on."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.rest.conftest import Site
from tests.services import wavs

if TYPE_CHECKING:
    from playwright.sync_api import Page


def _of(site: Site, client: httpx.Client, *names: str, seconds: float = 3) -> tuple[str, bytes]:
    """The address of a recording's audio, and what was sent."""
    files = wavs(site.folder, *(names or ("fala",)), seconds=seconds)
    sent = [("file", (p.name, p.read_bytes())) for p in files]
    job: dict[str, Any] = client.post("/jobs", files=sent).json()
    recording = job["recordings"][0]["recording_id"]
    return f"/jobs/{job['job_id']}/recordings/{recording}/audio", sent[0][1][1]


def test_all_of_it(site: Site) -> None:
    """The very bytes, with their type, a name, and nothing that a browser would run."""
    with site.client() as client:
        url, sent = _of(site, client, "reunião")
        got = client.get(url)
        assert got.content == sent
        assert got.headers["content-type"] == "audio/wav"
        assert got.headers["accept-ranges"] == "bytes"
        assert got.headers["content-disposition"].startswith("inline; filename=")
        assert "filename*=UTF-8''reuni%C3%A3o.wav" in got.headers["content-disposition"]
        assert got.headers["x-content-type-options"] == "nosniff"
        assert "sandbox" in got.headers["content-security-policy"]
        looked = client.head(url)
        assert (looked.status_code, looked.content) == (200, b"")
        assert looked.headers["content-length"] == str(len(sent))


def test_parts_of_it(site: Site) -> None:
    """One part at a time, from the front, the middle or the end; what is none is all."""
    with site.client() as client:
        url, sent = _of(site, client)
        n = len(sent)
        for requested, required in (
            ("bytes=0-0", range(1)),
            ("bytes=10-99", range(10, 100)),
            (f"bytes={n - 5}-", range(n - 5, n)),
            ("bytes=-7", range(n - 7, n)),
            (f"bytes=-{n * 2}", range(n)),
            (f"bytes=100-{n * 2}", range(100, n)),
        ):
            got = client.get(url, headers={"Range": requested})
            assert got.status_code == 206
            text = f"bytes {required.start}-{required.stop - 1}/{n}"
            assert got.headers["content-range"] == text
            assert got.content == sent[required.start : required.stop]
        for requested in (f"bytes={n}-", "bytes=-0"):
            none = client.get(url, headers={"Range": requested})
            assert (none.status_code, none.content) == (416, b"")
            assert none.headers["content-range"] == f"bytes */{n}"
        for requested in (
            "bytes=0-1,5-6",
            "bytes=5-4",
            "bytes=-",
            "bytes=x-",
            "lines=0-1",
            "bytes=²-",
        ):
            whole = client.get(url, headers={"Range": requested.encode()})  # type: ignore[dict-item]
            assert (whole.status_code, len(whole.content)) == (200, n)


def test_only_of_the_same_version(site: Site) -> None:
    """A part of another file is never put to the part that a player has."""
    with site.client() as client:
        url, sent = _of(site, client)
        etag = client.head(url).headers["etag"]
        part = {"Range": "bytes=0-9"}
        assert client.get(url, headers={**part, "If-Range": etag}).status_code == 206
        assert client.get(url, headers={**part, "If-Range": '"other"'}).content == sent
        assert client.get(url, headers={"If-None-Match": etag}).status_code == 304
        (stored,) = site.service.uploads_dir.iterdir()
        os.utime(stored, (0, 0))
        assert client.get(url, headers={**part, "If-Range": etag}).status_code == 200


def test_neither_anothers_nor_what_is_gone(site: Site) -> None:
    """404 in our words: another's session, an unknown id, a file that somebody deleted."""
    with site.client() as client:
        url, _ = _of(site, client)
        other = client.get(url, params={"session_id": "another"})
        assert (other.status_code, other.json()["code"]) == (404, "unknown_job")
        wrong = client.get(f"{url.rpartition('/recordings')[0]}/recordings/nope/audio")
        assert (wrong.status_code, wrong.json()["code"]) == (404, "unknown_recording")
        site.service.wait(url.split("/")[2], 20)
        (stored,) = site.service.uploads_dir.iterdir()
        stored.unlink()
        gone = client.get(url)
        assert (gone.status_code, gone.json()["code"]) == (404, "not_found")
        assert str(stored.parent) not in gone.text
        assert client.head(url).status_code == 404
    with httpx.Client(base_url=site.server.url, trust_env=False) as stranger:
        assert stranger.get(url).status_code == 401


def test_a_page_that_took_a_recordings_place_is_no_page(site: Site) -> None:
    """Whatever the bytes are by now: they are never named a type that runs scripts."""
    with site.client() as client:
        url, _ = _of(site, client, "talk.html")
        (stored,) = site.service.uploads_dir.iterdir()
        stored.write_bytes(b"<html><script>alert(1)</script></html>" * 50)
        got = client.get(url)
        assert got.headers["content-type"] == "application/octet-stream"
        assert got.headers["x-content-type-options"] == "nosniff"


def test_who_hangs_up_amid_it_holds_nothing(site: Site) -> None:
    """The server goes on for others, and closes the file."""
    with site.client() as client:
        url, _ = _of(site, client, seconds=600)
        for _ in range(3):
            with client.stream("GET", url) as answer:
                next(answer.iter_raw(1000))
        assert client.get(url, headers={"Range": "bytes=-4"}).status_code == 206
        (stored,) = site.service.uploads_dir.iterdir()
        _until_closed(stored)


def _until_closed(path: Path) -> None:
    folder, patience = Path("/proc/self/fd"), threading.Event()
    if not folder.exists():
        return
    for _ in range(500):
        if not any(_target(fd) == str(path) for fd in folder.iterdir()):
            return
        patience.wait(0.01)
    raise AssertionError("still open")


def _target(fd: Path) -> str:
    try:
        return str(fd.readlink())
    except OSError:
        return ""


@pytest.mark.browser
def test_a_browser_plays_it_and_seeks(site: Site, browser_page: Page) -> None:
    """The real element: it knows the length, and jumps near the end without the rest."""
    parts: list[str] = []
    browser_page.on("response", lambda r: parts.append(r.headers.get("content-range", "")))
    with site.client() as client:
        url, sent = _of(site, client, seconds=300)
    # An element can send no header: the token is in the address.
    query = f"token={site.server.token}"
    browser_page.goto(f"{site.server.url}/health?{query}")
    address = urlsplit(site.server.url)._replace(path=url, query=query).geturl()
    length_s, at_s = browser_page.evaluate(SEEK, address)
    assert length_s == pytest.approx(300)
    assert 290 <= at_s < 300
    starts = [int(p.split()[1].split("-")[0]) for p in parts if p]
    assert any(start > len(sent) // 2 for start in starts), parts


SEEK = """async (url) => {
    const audio = document.createElement("audio");
    document.body.append(audio);
    const once = (name) => new Promise((done, failed) => {
        audio.addEventListener(name, done, {once: true});
        audio.addEventListener("error", () => failed(audio.error.message), {once: true});
    });
    audio.preload = "metadata";
    audio.muted = true;
    const known = once("loadedmetadata");
    audio.src = url;
    await known;
    const sought = once("seeked");
    audio.currentTime = 290;
    await sought;
    const moves = once("timeupdate");
    await audio.play();
    await moves;
    return [audio.duration, audio.currentTime];
}"""
