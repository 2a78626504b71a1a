"""How late an event is on the screen, and how a long table moves."""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hybrid_transcribe.testing import Script, tone, write_wav
from tests.benchmarks.harness import spread, table
from tests.benchmarks.serving import PATIENCE_S, Rows, served, until_at_rest
from tests.benchmarks.speed import Scale
from tests.hud.page.visiting import Visit, visit
from tests.rest.hosts.running import Running

if TYPE_CHECKING:
    from playwright.sync_api import Browser

#: Segments of a recording that is watched: each moves its percentage by another 2.5.
N_WATCHED = 40

# --------------------------------------------------------------------------------- delays

# Both clocks are the machine's own. What is written to the document is painted in that frame.
_WATCH = """
() => {
  window.seen = { text: [], rows: [] };
  const see = (changes) => {
    const now = Date.now() / 1000;
    for (const { type, target, addedNodes } of changes) {
      if (type === "attributes") {
        const name = target.closest(".ht-body .ht-row")?.querySelector(".ht-name").textContent;
        if (name) window.seen.rows.push([name, Number(target.ariaValueNow), now]);
      }
      for (const node of addedNodes)
        if (node.matches?.(".ht-segment"))
          window.seen.text.push([Number(node.querySelector("p").textContent), now]);
    }
  };
  const what = { subtree: true, childList: true, attributeFilter: ["aria-valuenow"] };
  new MutationObserver(see).observe(document.querySelector(".ht-hud"), what);
}
"""


def delays(browser: Browser, folder: Path, scale: Scale) -> str:
    """From a segment in the engine to its line, and to its recording's row, on the screen."""
    lines, bars, crowded = [], [], []
    with served(folder) as site, visit(browser, site) as guest:
        guest.page.evaluate(_WATCH)
        for n in range(max(round(2 * scale.share), 1)):
            result = _watched(site, guest, folder, f"now-and-then-{n}", Script(delay_s=0.25))
            lines += result[0]
            bars += result[1]
        n_crowd = round(400 * max(scale.share, 0.25))
        crowded += _watched(site, guest, folder, "crowd", Script(delay_s=0.025), n_crowd)[0]
    rows = [
        *_late("one in 0.25 s: to its row's percentage", bars),
        *_late("one in 0.25 s: to its line of text", lines),
        *_late("40 a second: to its line of text", crowded),
    ]
    return table("From a segment in the engine's process to the screen", rows)


def _late(name: str, seconds: Sequence[float]) -> Rows:
    lines = sorted(1e3 * s for s in seconds)
    within = lines[int(0.95 * len(lines))]
    return [(f"{name}, ms", f"{spread(lines, 0)}, 95 of 100 within {within:.0f}")]


def _watched(
    site: Running, guest: Visit, folder: Path, name: str, script: Script, n: int = N_WATCHED
) -> tuple[list[float], list[float]]:
    """A recording of so many segments, followed: delays of its lines, and of its row."""
    gate = folder / f"{name}.go"
    path = write_wav(folder / f"{name}.wav", tone(n))
    _post(site, guest, replace(script, gate=str(gate)), {path.name: path.read_bytes()})
    _follow(guest, path.name)
    gate.touch()
    guest.until(path.name, "completed", 1e3 * PATIENCE_S)
    guest.until_text(n)
    return _seen(guest, path.name)


def _post(site: Running, guest: Visit, script: Script, files: Mapping[str, bytes]) -> None:
    """A job of that guest's session, by another way than the page."""
    with site.client() as client:
        answer = client.post(
            "/jobs",
            files=[("file", (name, content)) for name, content in files.items()],
            data={"engine": "timed", "model": script.model, "session_id": guest.session_id},
        )
    answer.raise_for_status()


def _follow(guest: Visit, name: str) -> None:
    guest.row(name).get_by_role("button", name=name, exact=True).click()
    guest.page.wait_for_selector(".ht-transcript:not([hidden])")


def _seen(guest: Visit, name: str) -> tuple[list[float], list[float]]:
    """Delays, in seconds, of the lines since the last time, and of the row of that name."""
    fields: dict[str, Any] = guest.page.evaluate("() => window.seen")
    guest.page.evaluate("() => { seen.text.length = seen.rows.length = 0; }")
    said = [when for when, _ in fields["text"]]
    lines = [now - when for when, now in fields["text"]]
    bars = [
        now - said[round((percentage + 0.5) * N_WATCHED / 100) - 1]
        for of, percentage, now in fields["rows"]
        if of == name and 0 < percentage < 100
    ]
    return lines, bars


# ----------------------------------------------------------------------------- long table

_FRAMES = """
const frame = () => new Promise(requestAnimationFrame);
const painted = async () => {
  await frame();
  const { port1, port2 } = new MessageChannel();
  await new Promise((then) => { port1.onmessage = then; port2.postMessage(0); });
};
"""

_SHOWN = """
(n) => document.querySelectorAll(".ht-body .ht-row").length === n
  && document.querySelector(".ht-body .ht-name") && performance.now()
"""

# Down the whole table, and then back to its middle in one leap.
_SCROLL = f"""
async () => {{
  {_FRAMES}
  const scroll = document.querySelector(".ht-scroll");
  scroll.scrollIntoView({{ block: "center" }});
  const {{ left, top, width, height }} = scroll.getBoundingClientRect();
  const empty = () => {{
    const row = document.elementFromPoint(left + width / 2, top + height / 2).closest(".ht-row");
    return row !== null && row.childElementCount === 0;
  }};
  scroll.scrollTop = 0;
  await painted();
  const frames = [];
  let [last, blank] = [await frame(), 0];
  while (scroll.scrollTop + scroll.clientHeight < scroll.scrollHeight - 1) {{
    scroll.scrollTop += 300;
    const now = await frame();
    blank += empty();
    frames.push(now - last);
    last = now;
  }}
  const began = performance.now();
  scroll.scrollTop = scroll.scrollHeight / 2;
  do await painted(); while (empty());
  return [frames, blank, performance.now() - began];
}}
"""

_FILTER = f"""
async (text) => {{
  {_FRAMES}
  const field = document.querySelector(".ht-filter");
  const began = performance.now();
  field.value = text;
  field.dispatchEvent(new Event("input"));
  await painted();
  return performance.now() - began;
}}
"""

_SORT = f"""
async () => {{
  {_FRAMES}
  const began = performance.now();
  document.querySelector(".ht-head [data-key=name] button").click();
  await painted();
  return performance.now() - began;
}}
"""

_LONGEST = """
() => new Promise((told) => {
  const of = (list) => Math.max(0, ...list.getEntries().map((one) => one.duration));
  new PerformanceObserver((list) => told(of(list))).observe({ type: "longtask", buffered: true });
  setTimeout(() => told(0), 1000);
})
"""


def long_table(browser: Browser, folder: Path, scale: Scale) -> str:
    """Many recordings on the page: until they are there, and how it moves then."""
    n = round(1000 * scale.share)
    gate = folder / "go"
    with served(folder, WARM_PAGES="2") as site, visit(browser, site) as guest:
        _post(site, guest, Script(delay_s=0.25, gate=str(gate)), {"all.zip": _many(n)})
        display_name, longest = [], []
        for _ in range(max(round(3 * scale.share), 1)):
            until_at_rest(site)
            guest.page.reload()
            handle = guest.page.wait_for_function(_SHOWN, arg=n)
            display_name.append(handle.json_value() / 1e3)
            longest.append(guest.page.evaluate(_LONGEST))
        still = guest.page.evaluate(_SCROLL)
        item, all_, sorts = [], [], []
        for _ in range(scale.groups):
            item.append(guest.page.evaluate(_FILTER, f"row-{n - 1:04}"))
            all_.append(guest.page.evaluate(_FILTER, ""))
            sorts.append(guest.page.evaluate(_SORT))
        lines, bars = _watched_among(guest, gate)
        moving = guest.page.evaluate(_SCROLL)
    rows = [
        ("shown after the page was asked for, s", spread(display_name, 2)),
        ("longest task until then, ms (0: none over 50)", spread(longest, 0)),
        *_late("a segment to its row's percentage", bars),
        *_late("a segment to its line of text", lines),
        *_scrolled("scrolling", still),
        *_scrolled("scrolling while rows change", moving),
        ("filter down to one row, ms", spread(item, 0)),
        ("filter taken away, ms", spread(all_, 0)),
        ("sort, ms", spread(sorts, 0)),
    ]
    return table(f"A table of {n} recordings", rows)


def _many(n: int) -> bytes:
    """A zip of one recording to watch, and of others that wait for it."""
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder, zipfile.ZipFile(packed, "w") as archive:
        archive.write(write_wav(Path(folder) / "long.wav", tone(N_WATCHED)), "watched.wav")
        short = write_wav(Path(folder) / "short.wav", tone(0.1)).read_bytes()
        for number in range(1, n):
            archive.writestr(f"row-{number:04}.wav", short)
    return packed.getvalue()


def _watched_among(guest: Visit, gate: Path) -> tuple[list[float], list[float]]:
    name = "watched.wav"
    guest.page.locator(".ht-filter").fill("watched")
    _follow(guest, name)
    guest.page.locator(".ht-filter").fill("")
    guest.page.evaluate(_WATCH)
    gate.touch()
    guest.until_text(N_WATCHED)
    guest.until(name, "completed")
    return _seen(guest, name)


def _scrolled(name: str, found: tuple[list[float], int, float]) -> Rows:
    frames, blank, leap = found
    return [
        (f"{name}: a frame, ms", f"{spread(frames, 0)}, {blank} of {len(frames)} blank"),
        (f"{name}: blank after a leap, ms", f"{leap:.0f}"),
    ]
