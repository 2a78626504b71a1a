"""People at the page: what they do, and what they then see."""

from __future__ import annotations

import base64
import hashlib
import json
import wave
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import httpx
import psutil

from tests.browser import PATIENCE_MS, Heard, listen
from tests.processes import command_of
from tests.rest.hosts.running import Running

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Locator, Page

_DROP = """
([name, text]) => {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], name));
  const zone = document.querySelector(".ht-drop");
  const how = { dataTransfer: transfer, bubbles: true, cancelable: true };
  for (const type of ["dragenter", "dragover", "drop"])
    zone.dispatchEvent(new DragEvent(type, how));
}
"""


class Visit:
    """One page in a browser, with the panel up."""

    def __init__(self, page: Page, address: str) -> None:
        self.page, self.address = page, address
        self.heard: Heard = listen(page)
        page.goto(address)
        self.ready()

    def ready(self) -> None:
        """Until the panel may be used."""
        self.page.wait_for_selector(".ht-dot[data-line=up]")

    @property
    def session_id(self) -> str:
        """The session that the page's address names."""
        return parse_qs(urlsplit(self.page.url).fragment)["session"][0]

    def send(self, *paths: Path) -> None:
        """Choose files and have them transcribed."""
        self.page.set_input_files(".ht-drop input:not([webkitdirectory])", list(paths))
        self.start()

    def drop(self, name: str, content: bytes) -> None:
        """Drop a file of that name on the page."""
        self.page.evaluate(_DROP, [name, base64.b64encode(content).decode()])

    def start(self) -> None:
        """Press the button that makes the job."""
        self.page.get_by_role("button", name="Transcribe", exact=True).click()

    def change(self, name: str, model: str) -> None:
        """Transcribe a recording again, with another model."""
        self.row(name).locator("[data-action=change]").click()
        dialog = self.page.get_by_role("dialog")
        dialog.locator("[name=model]").select_option(label="Another…")
        dialog.locator("[name=other_model]").fill(model)
        dialog.get_by_role("button").last.click()

    def row(self, name: str) -> Locator:
        """The row of the recording of that name."""
        display_name = self.page.get_by_role("button", name=name, exact=True)
        return self.page.locator(".ht-body .ht-row").filter(has=display_name)

    def until(self, name: str, state: str, timeout_ms: float = PATIENCE_MS) -> Locator:
        """Wait for a recording's state."""
        row = self.row(name)
        result = self.page.locator(f".ht-row[data-state={state}]").filter(
            has=self.page.get_by_role("button", name=name, exact=True)
        )
        result.wait_for(timeout=timeout_ms)
        return row

    def until_percentage(self, name: str, least: int) -> int:
        """Wait until a recording is as far as that, and how far it is."""
        bar = self.row(name).get_by_role("progressbar")
        handle = bar.element_handle()
        self.page.wait_for_function(
            "([bar, least]) => Number(bar.ariaValueNow) >= least", arg=[handle, least]
        )
        return int(bar.get_attribute("aria-valuenow") or 0)

    def names(self) -> list[str]:
        """Those of the rows, in their order."""
        return self.page.locator(".ht-body .ht-row .ht-name").all_inner_texts()

    def text(self) -> list[str]:
        """The lines of the transcript that is shown."""
        return self.page.locator(".ht-segment p").all_inner_texts()

    def until_text(self, least: int) -> None:
        """Wait for so many lines of the transcript that is shown."""
        self.page.locator(".ht-segment").nth(least - 1).wait_for()

    def save(self, form: str) -> bytes:
        """Press a button that saves something, and what the browser got."""
        with self.page.expect_download() as coming:
            self.page.locator(f".ht-saves button[data-format={form}]").click()
        return Path(coming.value.path()).read_bytes()

    def kernel(self, site: Running) -> psutil.Process:
        """The process behind this page."""
        payload = json.loads(self.page.locator("#kernel").text_content() or "")
        mine = psutil.Process(site.process.pid).children()
        return next(item for item in mine if payload["kernel"] in _command(item))

    def close(self) -> None:
        """Close the page, as people do."""
        self.page.close(run_before_unload=True)


@contextmanager
def visit(browser: Browser, site: Running, **how: Any) -> Iterator[Visit]:
    """A visitor with a browser of their own."""
    context: BrowserContext = browser.new_context(
        **{"viewport": {"width": 1280, "height": 800}, **how}
    )
    context.set_default_timeout(PATIENCE_MS)
    try:
        yield Visit(context.new_page(), f"{site.url}/ui")
    finally:
        context.close()


def jobs(client: httpx.Client, session_id: str) -> list[dict[str, Any]]:
    """A session's jobs, as REST tells them."""
    answer = client.get("/queues", params={"session_ids": session_id})
    result: list[dict[str, Any]] = answer.raise_for_status().json()["jobs"]
    return result


def write_long(path: Path, size: int) -> None:
    """A wave file of about so many bytes, each second of which differs."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(2)
        file.setsampwidth(2)
        file.setframerate(48_000)
        for second in range(size // 192_000):
            file.writeframes(second.to_bytes(2, "little") * 96_000)


def digest(path: Path) -> str:
    """The SHA-256 of a file."""
    result = hashlib.sha256()
    with path.open("rb") as file:
        while piece := file.read(1 << 20):
            result.update(piece)
    return result.hexdigest()


def digest_of(client: httpx.Client, job: dict[str, Any], session_id: str, below: str = "") -> str:
    """The SHA-256 of a job's only recording, as the server has it."""
    (recording,) = job["recordings"]
    address = f"{below}/jobs/{job['job_id']}/recordings/{recording['recording_id']}/audio"
    result = hashlib.sha256()
    with client.stream("GET", address, params={"session_id": session_id}) as answer:
        assert answer.status_code == 200
        for piece in answer.iter_bytes():
            result.update(piece)
    return result.hexdigest()


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(command_of(process))
    except psutil.Error:
        return ""
