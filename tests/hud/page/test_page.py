"""The page of `hybrid-transcribe serve`, as visitors use it in a real browser."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from hybrid_transcribe.testing import Script
from tests.hud.page.visiting import Visit, jobs, visit
from tests.processes import command_of
from tests.rest.hosts.running import TOKEN, Running, serve
from tests.services import wavs

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.browser, pytest.mark.slow]


def test_a_recording_becomes_text(browser: Browser, site: Running, tmp_path: Path) -> None:
    """Dropped, watched, read and saved; what is saved is what REST gives, byte for byte."""
    (path,) = wavs(tmp_path, "talk", seconds=12.0)
    with visit(browser, site) as guest, site.client() as client:
        guest.drop("talk.wav", path.read_bytes())
        guest.start()
        seen = guest.until_percentage("talk.wav", 20)
        assert 20 <= seen < 100
        guest.until_text(1)
        assert 0 < len(guest.text()) < 12
        guest.until("talk.wav", "completed")
        guest.until_text(12)
        assert guest.text() == [f"talk.wav {second}" for second in range(12)]
        (job,) = jobs(client, guest.session_id)
        for form in ("txt", "srt", "vtt", "tsv", "json"):
            address = (
                f"/jobs/{job['job_id']}/recordings/{job['recordings'][0]['recording_id']}/result"
            )
            fields = {"format": form, "session_id": guest.session_id}
            assert guest.save(form) == client.get(address, params=fields).content, form
        assert guest.heard.complaints == []
        assert guest.heard.strangers(site.url) == set()


def test_many_files_and_a_zip_with_a_broken_entry(
    browser: Browser, site: Running, tmp_path: Path
) -> None:
    """One job: what can be read is, what cannot is named, and text and zip are as REST's."""
    first, second, packed = wavs(tmp_path, "first", "second", "packed", seconds=2.0)
    archive = tmp_path / "more.zip"
    with zipfile.ZipFile(archive, "w") as instance:
        instance.write(packed, "packed.wav")
        instance.writestr("broken.wav", b"RIFF and no more")
    with visit(browser, site) as guest, site.client() as client:
        guest.send(first, second, archive)
        for name in ("first.wav", "second.wav", "packed.wav"):
            guest.until(name, "completed")
        broken = guest.page.locator(".ht-body .ht-row").filter(has_text="broken.wav")
        broken.locator(".ht-row-error").wait_for()
        assert broken.get_attribute("data-state") in ("failed", "rejected")
        guest.page.locator(".ht-saves button[data-format=zip]").wait_for()
        (job,) = jobs(client, guest.session_id)
        fields = {"session_id": guest.session_id, "partial": "true"}
        address = f"/jobs/{job['job_id']}/result"
        merged = client.get(address, params={**fields, "format": "txt"}).content
        assert guest.save("merged") == merged
        assert b"packed.wav 1" in merged
        theirs = client.get(address, params={**fields, "format": "zip"}).content
        assert _entries(guest.save("zip")) == _entries(theirs)


def _entries(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def test_cancel_keeps_what_was_heard(browser: Browser, site: Running, tmp_path: Path) -> None:
    """The text so far stays on the page and can be saved."""
    (path,) = wavs(tmp_path, "long", seconds=100.0)
    with visit(browser, site) as guest:
        guest.send(path)
        guest.until_text(3)
        guest.row("long.wav").locator("[data-action=cancel]").click()
        guest.until("long.wav", "canceled")
        saved = guest.save("txt").decode()
        assert saved.startswith("long.wav 0")
        assert "long.wav 99" not in saved


def test_a_finished_text_stays_whatever_comes_of_another_run(
    browser: Browser, site: Running, tmp_path: Path
) -> None:
    """Where that fails or is canceled, the recording is as it was, and a warning says why."""
    (path,) = wavs(tmp_path, "talk", seconds=3.0)
    lines = [f"talk.wav {second}" for second in range(3)]
    with visit(browser, site) as guest:
        guest.send(path)
        guest.until("talk.wav", "completed")
        guest.until_text(3)
        saved = guest.save("txt")

        guest.change("talk.wav", Script(fault="raise", at_s=1.0).model)
        guest.row("talk.wav").filter(has_text="1 warning").wait_for()
        guest.until("talk.wav", "completed")
        assert guest.text() == lines
        assert guest.page.locator(".ht-warnings li").count() == 1
        assert guest.save("txt") == saved

        guest.change("talk.wav", Script(delay_s=2.0).model)
        guest.until_percentage("talk.wav", 20)
        assert guest.text() == lines
        guest.row("talk.wav").locator("[data-action=cancel]").click()
        guest.until("talk.wav", "completed")
        assert guest.text() == lines
        assert guest.save("txt") == saved

        guest.page.reload()
        guest.ready()
        guest.row("talk.wav").locator(".ht-name").click()
        guest.until_text(3)
        assert guest.text() == lines


def test_the_queue_survives_its_page(browser: Browser, site: Running, tmp_path: Path) -> None:
    """Loaded again at 30 %, closed, opened by its link elsewhere: the same job, going on.

    A closed page takes its kernel with it.
    """
    (path,) = wavs(tmp_path, "going", seconds=400.0)
    with visit(browser, site) as guest, site.client() as client:
        guest.send(path)
        before = guest.until_percentage("going.wav", 30)
        (job,) = jobs(client, guest.session_id)
        guest.page.reload()
        guest.ready()
        assert guest.until_percentage("going.wav", before) >= before
        assert guest.names() == ["going.wav"]
        link = guest.page.url
        kernel = guest.kernel(site)
        guest.close()
        kernel.wait(15)
        with visit(browser, site) as stranger:
            assert stranger.names() == []
            stranger.close()
        context = browser.new_context()
        elsewhere = Visit(context.new_page(), link)
        elsewhere.row("going.wav").wait_for()
        (same,) = jobs(client, elsewhere.session_id)
        assert same["job_id"] == job["job_id"]
        assert same["recordings"][0]["attempt"] == 1
        assert same["state"] == "running"
        elsewhere.row("going.wav").locator("[data-action=cancel]").click()
        elsewhere.until("going.wav", "canceled")
        context.close()


def test_the_address_does_not_keep_the_token(browser: Browser, site: Running) -> None:
    """Who starts the server comes by an address with its token: what they then share has none."""
    context = browser.new_context()
    guest = Visit(context.new_page(), f"{site.url}/ui?token={site.token}")
    assert guest.page.url == f"{site.url}/ui#session={guest.session_id}"
    # Still known to whom it helps: the way to the page for programs.
    about = guest.page.locator("#about").get_attribute("href") or ""
    assert about.endswith(f"?token={site.token}")
    context.close()


def test_a_drop_beside_the_zone_is_taken(browser: Browser, site: Running) -> None:
    """The browser does not leave the page for the file, and the file is in the list."""
    with visit(browser, site) as guest:
        remaining = guest.page.evaluate(
            "() => { const transfer = new DataTransfer();"
            " transfer.items.add(new File(['abc'], 'beside.wav'));"
            " const how = { dataTransfer: transfer, bubbles: true, cancelable: true };"
            " return ['dragover', 'drop'].map((type) =>"
            " document.querySelector('h1').dispatchEvent(new DragEvent(type, how))); }"
        )
        assert remaining == [False, False]
        guest.page.locator(".ht-file", has_text="beside.wav").wait_for()


def test_five_visitors_share_one_model(browser: Browser, site: Running, tmp_path: Path) -> None:
    """Each sees their own jobs alone, and there is one worker for all."""
    paths = wavs(tmp_path, *(f"guest-{n}" for n in range(5)), seconds=2.0)
    contexts = [browser.new_context() for _ in paths]
    try:
        guests = [Visit(context.new_page(), f"{site.url}/ui") for context in contexts]
        for guest, path in zip(guests, paths, strict=True):
            guest.send(path)
        for guest, path in zip(guests, paths, strict=True):
            guest.until(path.name, "completed")
            assert guest.names() == [path.name]
        assert len({guest.session_id for guest in guests}) == 5
    finally:
        for context in contexts:
            context.close()
    children = psutil.Process(site.process.pid).children(recursive=True)
    workers = [item for item in children if "hybrid_transcribe.worker" in command_of(item)]
    assert len(workers) == 1


def test_a_page_without_its_kernel_says_so(browser: Browser, site: Running) -> None:
    """In the reader's language, with a button that brings all of it back."""
    with visit(browser, site, locale="pt-BR") as guest:
        session = guest.session_id
        guest.page.evaluate(
            """async () => {
              const { base, kernel } = JSON.parse(document.getElementById("kernel").textContent);
              const form = new FormData();
              form.append("_xsrf", document.cookie.match(/_xsrf=([^;]*)/)[1]);
              await fetch(`${base}voila/api/shutdown/${kernel}`, { method: "POST", body: form });
            }"""
        )
        button = guest.page.get_by_role("button", name="Recarregar")
        button.wait_for()
        assert "perdeu a ligação" in guest.page.get_by_role("alert").first.inner_text()
        button.click()
        guest.ready()
        assert guest.session_id == session


@pytest.mark.model
def test_real_speech(browser: Browser, tmp_path: Path, sample: Path) -> None:
    """What was said is on the page, in times to click, and in the file that is saved."""
    engine = {"HYBRID_TRANSCRIBE_ENGINE": "faster-whisper", "HYBRID_TRANSCRIBE_MODEL": "tiny.en"}
    with serve(tmp_path, "--token", TOKEN, **engine) as running, visit(browser, running) as guest:
        guest.send(sample)
        guest.until(sample.name, "completed", 60_000)
        guest.until_text(1)
        assert "what your country can do for you" in " ".join(guest.text()).lower()
        assert guest.save("srt").startswith(b"1\n00:00:0")
        guest.page.get_by_role("button", name="Listen").click()
        guest.page.wait_for_function("() => document.querySelector('audio').duration > 10")
        assert guest.heard.complaints == []


def test_no_more_pages_than_there_is_room_for(tmp_path: Path) -> None:
    """Whoever comes then is told so, and when to come again."""
    with serve(tmp_path, HYBRID_TRANSCRIBE_MAX_PAGES="0") as full, full.client() as client:
        answer = client.get("/ui", headers={"Accept-Language": "pt"})
    assert answer.status_code == 503
    assert answer.headers["retry-after"] == "60"
    assert "Há páginas demais abertas aqui." in answer.text


def test_the_page_shows_no_code_and_needs_no_other_host(site: Running) -> None:
    """Nothing of its notebook, strict rules for what it may load, and no secret in it."""
    with site.client(Accept="text/html") as client:
        answer = client.get("/ui", params={"token": site.token})
    assert answer.status_code == 200
    assert "from_environment" not in answer.text
    assert str(site.token) not in answer.text
    assert not re.findall(r"(?:src|href)=[\"']?(?:https?:)?//", answer.text)
    policy = answer.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"].startswith("no-cache, no-store")
