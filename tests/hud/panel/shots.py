"""Pictures of the panel in every state, language, scheme and width, for people to look at.

::

    HYBRID_TRANSCRIBE_TEST_SHOTS=/tmp/shots python -m tests.hud.panel.shots [part of a name]

Files are named state-language-scheme-width.png.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.browser import CHROMIUM
from tests.hud.panel.harness import serve, show

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

#: The folder that pictures go to.
SHOTS_VARIABLE = "HYBRID_TRANSCRIBE_TEST_SHOTS"

_FILES = "input[type=file] >> nth=0"
_BUSY = (
    "fake.rows = scenes.rows(fake);"
    "for (const id of ['a', 'd'])"
    " fake.texts[id] = {segments: scenes.talk(fake), complete: id === 'd'};"
)

#: What the kernel does before the panel starts, and which recording's text is opened.
STATES: dict[str, tuple[str, str | None]] = {
    "empty": ("", None),
    "uploading": (_BUSY + "fake.holding = true;", None),
    "busy": (_BUSY, "river-survey"),
    "done": (_BUSY, "standup"),
    "speakers": (
        _BUSY + "fake.texts.d = {...scenes.conversation(fake), complete: true};",
        "standup",
    ),
    "search": (_BUSY, "standup"),
    "cloud": (_BUSY, None),
    "options": ("", None),
    "change": (_BUSY, "standup"),
    "delete": (_BUSY, "river-survey"),
    "offline": (_BUSY, "river-survey"),
    "errors": ("fake.rows = scenes.troubles(fake); fake.failUpload = 'tape.wav';", None),
}


def _press(page: Page, action: str) -> None:
    page.locator(f".ht-transcript [data-action={action}]").click()
    page.wait_for_selector(".ht-dialog")


def _unfold(page: Page, place: str) -> None:
    for summary in page.locator(f"{place} summary").all():
        summary.click()


def _change(page: Page) -> None:
    _press(page, "change")
    page.select_option(".ht-dialog [name=engine]", "assemblyai")


def _tell_apart(page: Page) -> None:
    page.select_option("[name=engine]", "assemblyai")
    page.check("[name=diarize]")
    page.select_option("[name=speakers]", "3")


def _offline(page: Page) -> None:
    page.evaluate("fake.tell({type: 'connection', up: false})")
    page.wait_for_selector(".ht-dot[data-line=down]")


#: What a person does before the picture is taken.
_ACTS: dict[str, Callable[[Page], Any]] = {
    "search": lambda page: page.fill("[name=search]", "the"),
    "cloud": lambda page: page.select_option("[name=engine]", "assemblyai"),
    "speakers": _tell_apart,
    "options": lambda page: _unfold(page, ".ht-compose"),
    "change": _change,
    "delete": lambda page: _press(page, "delete"),
    "offline": _offline,
}


def shoot(browser: Browser, folder: Path, wanted: str = "") -> None:
    """Take all pictures whose name has ``wanted`` in it."""
    for state, language, scheme, width in product(
        STATES, ("en", "pt-BR"), ("light", "dark"), (1280, 400)
    ):
        name = f"{state}-{language}-{scheme}-{width}"
        if wanted in name:
            _shoot(browser, folder / f"{name}.png", state, language, scheme, width)


def _shoot(
    browser: Browser, path: Path, state: str, language: str, scheme: str, width: int
) -> None:
    prepare, opened = STATES[state]
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        color_scheme="dark" if scheme == "dark" else "light",
        locale=language,
    )
    serve(context)
    page = context.new_page()
    show(page, prepare)
    if state in ("uploading", "errors"):
        files = [("tape.wav", 40_000), ("Entrevista com a professora.mp3", 9_000)]
        page.set_input_files(
            _FILES,
            [{"name": n, "mimeType": "audio/wav", "buffer": bytes(size)} for n, size in files],
        )
        page.wait_for_selector(".ht-file")
    if state == "errors":
        fields = {
            "type": "notice",
            "code": "disk_full",
            "message": "No room left on this disk",
            "reason": "disk_full",
            "params": {},
        }
        page.evaluate("told => fake.tell(told)", fields)
        page.wait_for_selector(".ht-file[data-state=failed]")
    if opened:
        page.locator(".ht-name", has_text=opened).click()
        page.wait_for_selector(".ht-segment")
    _ACTS.get(state, lambda _: None)(page)
    # A picture of the whole page resizes it: what is drawn only in sight needs a frame or two.
    height = page.evaluate("document.documentElement.scrollHeight")
    page.set_viewport_size({"width": width, "height": max(height, 300)})
    page.mouse.move(0, 0)
    page.wait_for_timeout(400)
    page.screenshot(path=path)
    context.close()


def main() -> None:
    """Take the pictures."""
    from playwright.sync_api import sync_playwright

    folder = Path(os.environ[SHOTS_VARIABLE])
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        shoot(browser, folder, *sys.argv[1:2])
        browser.close()


if __name__ == "__main__":
    main()
