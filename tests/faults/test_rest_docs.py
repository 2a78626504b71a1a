"""FAULTS 38 on the page at /docs: what is in file names and transcripts stays text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from hybrid_transcribe.testing import Script
from tests.browser import listen
from tests.services import service, wavs

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Page

HOSTILE = "<img src=x onerror=window.pwned=1>"


@pytest.mark.browser
@pytest.mark.parametrize(
    ("operation", "shown"), [("jobs-job", HOSTILE), ("results-job_result", "Download file")]
)
def test_f38_a_hostile_name_and_text_are_inert(
    tmp_path: Path, browser_page: Page, operation: str, shown: str
) -> None:
    """In an answer on the page they are letters, and a transcript is a file to download."""
    event = listen(browser_page)
    with service(tmp_path / "state") as jobs, jobs.serve() as server:
        (wav,) = wavs(tmp_path / "sent", "tone", seconds=1.0)
        hostile = wav.rename(wav.with_name(f"{HOSTILE}.wav"))
        job = jobs.submit([hostile], model=Script(says=(HOSTILE,)).model)
        job.wait(30)
        browser_page.goto(f"{server.url}/docs?token={server.token}")
        here = f"#operations-{operation}"
        browser_page.click(f"{here} .opblock-summary-control >> visible=true")
        browser_page.click(f"{here} .try-out__btn")
        browser_page.fill(f"{here} [data-param-name=job_id] input", job.job_id)
        browser_page.click(f"{here} .execute")
        browser_page.wait_for_selector(f"{here} .live-responses-table tbody .response-col_status")
        assert shown in browser_page.inner_text(f"{here} .live-responses-table tbody")
        assert browser_page.evaluate("window.pwned") is None
        assert event.complaints == []
        assert event.strangers(server.url) == set()
