"""Where things stand and how large they are, as the browser computes it, at every width."""

from __future__ import annotations

import io
import wave
from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest

from tests.hud.panel.harness import HERE, heard, serve, show

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

expect.set_options(timeout=20_000)

FILES = "input[type=file] >> nth=0"

#: Looks are the same product everywhere: language, colour scheme.
LOOKS = list(product(("en-US", "pt-BR"), ("light", "dark")))

#: A busy queue with every kind of row, long names and all the buttons that a row can have.
BUSY = (
    "fake.rows = scenes.rows(fake).concat(scenes.troubles(fake).slice(2));"
    "fake.rows = fake.rows.map(row => ({...row, model: row.model + '-a-long-name',"
    " actions: row.state === 'completed' ? ['retry', 'keep', 'delete', 'open'] : row.actions}));"
    "for (let n = 0; n < 14; n += 1) fake.rows.push(fake.row({id: `more${n}`,"
    " state: 'completed', attempt: 2, duration_s: 4000, language: 'pt'}));"
    "for (const row of fake.rows)"
    " fake.texts[row.id] = {...scenes.conversation(fake), complete: true};"
)


def sound(seconds: int = 10) -> bytes:
    """Silence as a WAV file."""
    bytes_io = io.BytesIO()
    with wave.open(bytes_io, "wb") as out:
        out.setparams((1, 1, 4000, 0, "NONE", ""))
        out.writeframes(b"\x80" * 4000 * seconds)
    return bytes_io.getvalue()


@pytest.fixture(params=LOOKS, ids=["-".join(look) for look in LOOKS])
def page(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Page]:
    """A page in each language and colour scheme."""
    language, scheme = request.param
    context = browser.new_context(
        viewport={"width": 1600, "height": 900}, locale=language, color_scheme=scheme
    )
    serve(context)
    yield context.new_page()
    context.close()


def open_player(page: Page) -> None:
    """Open the first completed recording and have its sound fetched."""
    page.evaluate(
        "bytes => fake.blobs.audio = {name: 'a', media_type: 'audio/wav', bytes}", list(sound())
    )
    page.locator(".ht-row[data-state=completed] .ht-name").first.click()
    page.locator(".ht-player .ht-button").click()
    expect(page.locator(".ht-player audio")).to_be_visible()


def sweep(page: Page, first: int, last: int, step: int = 1) -> list[str]:
    """What sticks out at these widths of the panel."""
    page.add_script_tag(content=(HERE / "layout.js").read_text(encoding="utf-8"))
    result: list[str] = page.evaluate(
        "widths => sweep(widths)", {"from": first, "to": last, "step": step}
    )
    return result


def test_nothing_is_outside_its_card_at_any_width(page: Page) -> None:
    """From 320 to 1600 pixels, each of them: buttons, fields, cards, and the player's size."""
    show(page, BUSY + "fake.failUpload = 'tape.wav';")
    page.set_input_files(
        FILES,
        [
            {"name": name, "mimeType": "audio/wav", "buffer": b"12"}
            for name in ("a-very-long-name-" * 8 + ".wav", "tape.wav", "b.wav")
        ],
    )
    expect(page.locator(".ht-file[data-state=failed]")).to_be_visible()
    page.evaluate("fake.tell({type: 'notice', code: 'disk_full', message: 'x'.repeat(200)})")
    page.locator(".ht-more summary").first.click()
    open_player(page)

    language, dark = page.evaluate(
        "[navigator.language, matchMedia('(prefers-color-scheme: dark)').matches]"
    )
    # Every width in both languages; the other scheme of each changes colours alone.
    step = 1 if (language == "pt-BR") == dark else 7
    assert sweep(page, 320, 1600, step) == []


@pytest.mark.parametrize("action", ["change", "delete", "retry"])
def test_nothing_is_outside_a_dialog_at_any_width(page: Page, action: str) -> None:
    """Every 20 pixels, on a screen that is not tall: what does not fit scrolls downwards."""
    show(page, BUSY)
    page.add_script_tag(content=(HERE / "layout.js").read_text(encoding="utf-8"))
    page.locator(f".ht-row[data-state=completed] [data-action={action}]").first.click()
    for summary in page.locator(".ht-dialog summary").all():
        summary.click()

    outside: list[str] = []
    for width in range(320, 1601, 20):
        page.set_viewport_size({"width": width, "height": 600})
        outside += page.evaluate("outsideDialog()")
    assert outside == []


def test_who_speaks_has_room_at_any_width(page: Page) -> None:
    """The switch and its number in the form, a name and its dot in the text; both wrap."""
    show(page, BUSY)
    page.select_option("[name=engine]", "assemblyai")
    page.check("[name=diarize]")
    page.locator(".ht-row[data-state=completed] .ht-name").first.click()
    expect(page.locator(".ht-speaker")).to_have_count(5)
    for width in range(320, 1601, 40):
        page.set_viewport_size({"width": width, "height": 900})
        sizes = page.evaluate(
            """() => {
              const box = (node) => node.getBoundingClientRect();
              const card = box(document.querySelector(".ht-compose"));
              const frame = box(document.querySelector(".ht-text"));
              const inside = (node, outer) =>
                box(node).left >= outer.left && box(node).right <= outer.right;
              const who = document.querySelector(".ht-who");
              const dots = [...document.querySelectorAll(".ht-speaker > i")].map(box);
              return {
                field: [who, ...who.children].every((node) => inside(node, card)),
                number: box(who.querySelector("select")).width,
                height: box(who.querySelector("select")).height,
                dots: dots.map((dot) => [dot.width, dot.height]),
                names: [...document.querySelectorAll(".ht-speaker-name")].every((node) =>
                  inside(node, frame) && node.scrollWidth <= node.clientWidth + 1),
                wide: document.querySelector(".ht-text").scrollWidth
                  - document.querySelector(".ht-text").clientWidth,
              };
            }"""
        )
        assert sizes["field"], width
        assert sizes["number"] >= 120, width
        assert sizes["height"] >= 30, width
        assert sizes["dots"] == [[10, 10]] * 5, width
        assert sizes["names"], width
        assert sizes["wide"] == 0, width


def test_the_title_is_whole_from_360_pixels_on(page: Page) -> None:
    """A phone has room for the name of the panel."""
    show(page)
    for width in (360, 390, 560, 848):
        page.set_viewport_size({"width": width, "height": 800})
        title = page.locator(".ht-header h1")
        assert title.evaluate("it => it.scrollWidth <= it.clientWidth"), width


def test_the_player_can_be_used(page: Page) -> None:
    """It has room for its buttons and its time line, and stays in sight while one reads on."""
    show(page, BUSY)
    open_player(page)
    player = page.locator(".ht-player audio")
    for width in (320, 550, 570, 848, 1108, 1280, 1600):
        page.set_viewport_size({"width": width, "height": 700})
        box = player.bounding_box()
        assert box is not None
        assert box["width"] >= 200, width
        assert box["height"] >= 30, width
        page.evaluate("document.querySelector('.ht-saves').scrollIntoView({block: 'end'})")
        top = player.evaluate("it => it.getBoundingClientRect().top")
        assert 0 <= top < 700, width


def test_a_line_plays_though_nothing_was_fetched_yet(page: Page) -> None:
    """A click on the words is enough: it fetches the sound and goes there."""
    show(page, BUSY)
    page.evaluate(
        "bytes => fake.blobs.audio = {name: 'a', media_type: 'audio/wav', bytes}", list(sound())
    )
    page.locator(".ht-row[data-state=completed] .ht-name").first.click()

    page.locator(".ht-segment p").nth(1).click()

    page.wait_for_function("document.querySelector('.ht-hud audio').currentTime >= 6.4")
    assert heard(page, "fetch")[0]["what"] == "audio"


def test_overall_progress_is_shown_and_moves(page: Page) -> None:
    """The bar has a width of its own, and the page's title says the same."""
    show(
        page,
        "fake.rows = [1, 2, 3, 4].map(n => fake.row({id: `r${n}`, job_id: 'j', of: 4,"
        " state: n < 3 ? 'completed' : n < 4 ? 'running' : 'queued',"
        " percentage: n < 3 ? 100 : n < 4 ? 20 : 0, eta_s: n < 3 ? null : 125, duration_s: 60}));",
    )
    whole = page.locator(".ht-whole")

    expect(whole).to_be_visible()
    expect(whole.locator(".ht-number")).to_contain_text("55%")
    expect(whole.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "55")
    page.wait_for_function(
        "(([all, part]) => Math.abs(part / all - 0.55) < 0.01)([...document.querySelectorAll("
        "'.ht-whole .ht-bar, .ht-whole i')].map(it => it.getBoundingClientRect().width))"
    )
    page.wait_for_function("document.title.startsWith('(55%') && document.title.endsWith('Panel')")

    page.evaluate("fake.change('r3', {percentage: 60})")
    expect(whole.locator(".ht-number")).to_contain_text("65%")
    page.wait_for_function("document.title.startsWith('(65%')")
    page.evaluate(
        "['r3', 'r4'].forEach(id => fake.change(id, {state: 'completed', percentage: 100}))"
    )
    expect(whole).to_be_hidden()
    page.wait_for_function("document.title === 'Panel'")


SILENCE = {
    "en": "No speech was found in this recording.",
    "pt-BR": "Nenhuma fala foi encontrada nesta gravação.",
}
FAILED = {
    "en": "It failed before any text came.",
    "pt-BR": "Falhou antes de chegar algum texto.",
}
CANCELED = {
    "en": "It was canceled before any text came.",
    "pt-BR": "Foi cancelada antes de chegar algum texto.",
}


@pytest.mark.parametrize(
    ("state", "words"), [("completed", SILENCE), ("failed", FAILED), ("canceled", CANCELED)]
)
def test_silence_is_said_of_completed_recordings_only(
    page: Page, state: str, words: dict[str, str]
) -> None:
    """What failed or was canceled was never heard to its end: nobody knows what is in it."""
    show(
        page,
        f"fake.rows = [fake.row({{id: 'a', state: '{state}'}})];"
        " fake.texts.a = {segments: [], complete: true};",
    )
    page.locator(".ht-name").click()

    language = page.evaluate("document.querySelector('.ht-hud').lang")
    expect(page.locator(".ht-transcript .ht-empty")).to_have_text(words[language])


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (360, 800)])
def test_an_opened_transcript_is_in_sight_and_has_the_focus(
    page: Page, width: int, height: int
) -> None:
    """However long the queue; closing it goes back to the row that it was opened from."""
    page.set_viewport_size({"width": width, "height": height})
    show(page, BUSY)
    name = page.locator(".ht-body .ht-name", has_text="more7.wav")
    name.scroll_into_view_if_needed()
    name.click()
    expect(page.locator(".ht-segment").first).to_be_visible()

    title = page.locator(".ht-transcript h2")
    expect(title).to_be_focused()
    assert _in_sight(title, height)
    assert _in_sight(page.locator(".ht-segment").first, height)

    page.keyboard.press("Escape")
    expect(page.locator(".ht-transcript")).to_be_hidden()
    expect(name).to_be_focused()


@pytest.mark.parametrize(
    ("width", "height"), [(360, 800), (560, 800), (848, 700), (1280, 800), (1600, 900)]
)
def test_a_new_job_is_in_sight_and_has_the_focus(page: Page, width: int, height: int) -> None:
    """Its first row, also where it waits for its file; the focus is never lost meanwhile."""
    page.set_viewport_size({"width": width, "height": height})
    show(page, BUSY + "fake.holding = true;")
    page.set_input_files(FILES, [{"name": "new.wav", "mimeType": "audio/wav", "buffer": b"12"}])
    start, stop = page.locator(".ht-foot .ht-primary"), page.locator(".ht-foot .ht-plain")
    start.click()
    expect(stop).to_be_focused()
    page.evaluate("fake.release()")

    name = page.locator(".ht-body .ht-name", has_text="new.wav")
    expect(name).to_be_focused()
    assert _in_sight(page.locator(".ht-body .ht-row", has_text="new.wav"), height)


def test_a_new_job_leaves_people_where_they_are(page: Page) -> None:
    """Who looks for something else meanwhile goes on with that, and the page stays there."""
    page.set_viewport_size({"width": 360, "height": 800})
    show(page, BUSY + "fake.holding = true;")
    page.set_input_files(FILES, [{"name": "new.wav", "mimeType": "audio/wav", "buffer": b"12"}])
    page.locator(".ht-foot .ht-primary").click()
    page.locator(".ht-filter").fill("wav")
    before = page.evaluate("window.scrollY")
    page.evaluate("fake.release()")

    expect(page.locator(".ht-body .ht-name", has_text="new.wav")).to_be_attached()
    expect(page.locator(".ht-filter")).to_be_focused()
    assert page.evaluate("window.scrollY") == before


def _in_sight(locator: Any, height: int) -> bool:
    box = locator.bounding_box()
    return bool(box) and box["y"] >= 0 and box["y"] + min(box["height"], 40) <= height


def test_the_whole_row_opens_its_transcript(page: Page) -> None:
    """Not its name alone; its buttons do what they say, and nothing else."""
    show(page, BUSY)
    line = page.locator(".ht-row[data-state=completed]").first
    line.locator("[data-action=keep]").click()
    expect(page.locator(".ht-transcript")).to_be_hidden()

    line.locator(".ht-c-state").click()

    expect(page.locator(".ht-segment").first).to_be_visible()


def test_a_finished_text_is_not_transcribed_anew_without_a_question(page: Page) -> None:
    """Back changes nothing; yes asks once. What failed is retried at once."""
    show(
        page,
        "fake.rows = ['completed', 'failed']"
        ".map((state, n) => fake.row({id: 'ab'[n], name: `${'ab'[n]}.wav`, state}));",
    )
    page.locator("[data-row=a] [data-action=retry]").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("a.wav")
    dialog.get_by_role("button").first.click()
    expect(dialog).to_have_count(0)
    assert heard(page, "retry") == []

    page.locator("[data-row=a] [data-action=retry]").click()
    dialog.get_by_role("button").last.click()
    page.wait_for_function("fake.heard.filter(it => it.type === 'retry').length === 1")
    page.locator("[data-row=b] [data-action=retry]").click()
    page.wait_for_function("fake.heard.filter(it => it.type === 'retry').length === 2")


def test_a_file_that_was_sent_is_not_removed_without_a_question(page: Page) -> None:
    """Back leaves it there; and leaving the page with it asks too."""
    show(page)
    page.set_input_files(FILES, [{"name": "a.wav", "mimeType": "audio/wav", "buffer": b"12"}])
    expect(page.locator(".ht-file[data-state=complete]")).to_have_count(1)
    remove = page.locator(".ht-file button").last
    remove.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("button").first.click()
    expect(page.locator(".ht-file")).to_have_count(1)
    assert heard(page, "upload_cancel") == []
    requested = page.evaluate(
        "(() => { const e = new Event('beforeunload', {cancelable: true});"
        " window.dispatchEvent(e); return e.defaultPrevented; })()"
    )
    assert requested

    remove.click()
    dialog.get_by_role("button").last.click()
    expect(page.locator(".ht-file")).to_have_count(0)
