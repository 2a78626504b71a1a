"""The page at /docs: its files over HTTP, and the page itself in a real browser."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import TYPE_CHECKING

import pytest

from hybrid_transcribe.rest.openapi.document import _STATIC, FILES
from tests.browser import listen
from tests.rest.conftest import OpenSite, Site
from tests.services import wavs

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SUBMIT = "#operations-jobs-submit"


@pytest.mark.parametrize("name", FILES)
def test_its_files(site: Site, name: str) -> None:
    """Each with its type, as it is on disk, packed or not, and only once."""
    with site.client(Accept="*/*") as client:
        answer = client.get(f"/docs/{name}")
        assert answer.headers["content-type"] == FILES[name]
        assert answer.headers["content-encoding"] == "gzip"
        assert answer.content == (_STATIC / name).read_bytes()
        plain = client.get(f"/docs/{name}", headers={"Accept-Encoding": "identity"})
        assert plain.content == answer.content
        assert plain.headers["x-content-type-options"] == "nosniff"
        same = client.get(f"/docs/{name}", headers={"If-None-Match": answer.headers["etag"]})
        assert same.status_code == HTTPStatus.NOT_MODIFIED
        head = client.head(f"/docs/{name}")
        assert (head.status_code, head.content) == (HTTPStatus.OK, b"")


def test_swagger_ui_is_as_published() -> None:
    """What its note says of the files' contents is true, and its licence is beside them."""
    note = (_STATIC / "README.md").read_text(encoding="utf-8")
    for name in ("swagger-ui-bundle.js", "swagger-ui.css"):
        assert f"{hashlib.sha256((_STATIC / name).read_bytes()).hexdigest()}  {name}" in note
    assert "Apache License" in (_STATIC / "LICENSE").read_text(encoding="utf-8")


def test_scripts_are_files_of_ours(site: Site) -> None:
    """The page runs nothing that stands in it, and nothing of another host."""
    with site.client(Accept="*/*") as client:
        page = client.get("/docs")
    rules = dict(rule.split(" ", 1) for rule in page.headers["content-security-policy"].split("; "))
    assert rules["default-src"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert "http" not in page.text
    assert page.headers["referrer-policy"] == "no-referrer"


@pytest.mark.browser
@pytest.mark.parametrize("name", ["talk.wav", "<img src=x onerror=window.pwned=1>.wav"])
def test_submitting_from_the_page(site: Site, browser_page: Page, name: str) -> None:
    """Attach a recording, execute, see 202 and the job; nothing is asked of another host.

    200 where the job has ended already.
    """
    event = listen(browser_page)
    browser_page.goto(f"{site.server.url}/docs?token={site.server.token}")
    tried(browser_page)
    upload(browser_page, site, name)

    status = browser_page.inner_text(f"{SUBMIT} .live-responses-table tbody .response-col_status")
    assert status.split()[0] in ("202", "200")
    (job,) = site.service.snapshots()
    assert job.job_id in browser_page.inner_text(f"{SUBMIT} .live-responses-table")
    assert job.recordings[0].name == name
    assert event.complaints == []
    assert event.strangers(site.server.url) == set()
    assert browser_page.evaluate("window.pwned") is None


@pytest.mark.browser
def test_the_token_leaves_the_address(site: Site, browser_page: Page) -> None:
    """It is kept in the page's memory alone, and works."""
    browser_page.goto(f"{site.server.url}/docs?token={site.server.token}#/jobs/submit")
    browser_page.wait_for_selector(".btn.authorize.locked")
    assert site.server.token not in browser_page.url
    assert browser_page.url.endswith("#/jobs/submit")
    assert site.server.token not in browser_page.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
    )


@pytest.mark.browser
def test_a_token_typed_in(site: Site, browser_page: Page) -> None:
    """Without one the page is shown all the same, and requests go once it was entered."""
    browser_page.goto(f"{site.server.url}/docs")
    browser_page.click(".btn.authorize")
    browser_page.fill("#auth-bearer-value", site.server.token or "")
    browser_page.click(".auth-container:has(#auth-bearer-value) .btn.authorize")
    browser_page.click(".btn-done")
    tried(browser_page)
    upload(browser_page, site, "talk.wav")
    assert len(site.service.snapshots()) == 1


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone(open_site: OpenSite, browser: Browser, scheme: str) -> None:
    """Nothing is wider than a narrow screen, and the page is as dark as its system."""
    url = open_site(open_to_all=True).server.url
    size = {"width": 400, "height": 800}
    with browser.new_context(viewport=size, color_scheme=scheme) as context:  # type: ignore[arg-type]
        page = context.new_page()
        page.goto(f"{url}/docs")
        tried(page)
        assert page.evaluate("document.documentElement.scrollWidth") == size["width"]
        shade = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/)[0]")
        assert (int(shade) < 100) == (scheme == "dark")


def tried(page: Page) -> None:
    """Open the form of a submission."""
    page.click(f"{SUBMIT} .opblock-summary-control >> visible=true")
    page.click(f"{SUBMIT} .try-out__btn")
    page.wait_for_selector(f"{SUBMIT} input[type=file]")


def upload(page: Page, site: Site, name: str) -> None:
    """Send a tone of that name."""
    (wav,) = wavs(site.folder, "tone", seconds=1.0)
    recording = {"name": name, "mimeType": "audio/wav", "buffer": wav.read_bytes()}
    page.set_input_files(f"{SUBMIT} input[type=file]", recording)  # type: ignore[arg-type]
    page.click(f"{SUBMIT} .execute")
    page.wait_for_selector(f"{SUBMIT} .live-responses-table tbody .response-col_status")
