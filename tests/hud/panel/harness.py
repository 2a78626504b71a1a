"""A page with the panel in it and a kernel of JavaScript behind it: no server, no notebook."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybrid_transcribe.hud import assets

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page, Route

HERE = Path(__file__).parent

#: Nobody answers there: all of it comes from `serve`. A local name is a secure context.
URL = "http://localhost:9/panel/"

_TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css"}


def serve(context: BrowserContext) -> None:
    """Answer for the host of the page; what else is asked for finds nobody."""
    by_name: dict[str, Callable[[], str]] = {"panel.js": assets.esm, "panel.css": assets.css}

    def answer(route: Route) -> None:
        name = route.request.url.partition("?")[0].removeprefix(URL) or "page.html"
        body = by_name[name]() if name in by_name else (HERE / name).read_text(encoding="utf-8")
        route.fulfill(body=body, content_type=f"{_TYPES[Path(name).suffix]}; charset=utf-8")

    context.route(f"{URL}**", answer)


def show(page: Page, prepare: str = "", address: str = URL) -> None:
    """Open the panel; ``prepare`` is JavaScript run on ``fake`` before it starts."""
    page.add_init_script(f"globalThis.prepare = (fake) => {{ {prepare} }};")
    page.goto(address)
    page.wait_for_selector("body[data-ready]", state="attached")
    page.wait_for_selector(".ht-dot[data-line=up]")


def heard(page: Page, kind: str) -> list[dict[str, Any]]:
    """What the panel said of that type."""
    said: list[dict[str, Any]] = page.evaluate(
        "kind => fake.heard.filter(message => message.type === kind)", kind
    )
    return said
