"""What goes wrong on the way, in a real browser: lost answers, links, half-read folders."""

from __future__ import annotations

import os
from typing import Any

import pytest

from tests.hud.panel.harness import URL, heard, show
from tests.hud.panel.test_panel import FILES, TALK, _tone, arrived, file, row

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser

OWN, OTHER = "o" * 32, "x" * 32


def kept_session(page: Page) -> Any:
    return page.evaluate("localStorage.getItem('hybrid-transcribe.session')")


# ------------------------------------------------------------------------------ whose queue


def test_the_token_is_in_no_link(page: Page) -> None:
    """Who starts the server comes with its token: the link they share is without it."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    show(page, address=URL + "?token=secret&theme=dark")

    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Link copied")).to_be_visible()

    assert page.evaluate("navigator.clipboard.readText()") == (
        f"{URL}?theme=dark#session={'s' * 32}"
    )
    assert "secret" not in page.url


def test_a_link_does_not_cost_the_reader_their_own_queue(page: Page) -> None:
    """Somebody's link counts for its tab; the way back to one's own queue is a button."""
    show(page, f"fake.welcome.session_id = '{OWN}';")
    assert kept_session(page) == OWN
    expect(page.get_by_role("button", name="Back to my queue")).to_be_hidden()

    page.goto("about:blank")
    page.goto(f"{URL}#session={OTHER}")
    page.wait_for_selector(".ht-dot[data-line=up]")
    assert heard(page, "hello")[0]["session_id"] == OTHER
    assert kept_session(page) == OWN

    page.get_by_role("button", name="Back to my queue").click()
    page.wait_for_url(f"{URL}#session={OWN}")
    page.wait_for_selector(".ht-dot[data-line=up]")
    page.wait_for_function(f"fake.heard[0]?.session_id === '{OWN}'")
    expect(page.get_by_role("button", name="Back to my queue")).to_be_hidden()


def test_a_link_is_remembered_where_there_was_no_queue(page: Page) -> None:
    """Who comes by a link alone finds the same queue without it."""
    show(page, address=f"{URL}#session={OTHER}")

    assert kept_session(page) == OTHER


# ------------------------------------------------------------------------------ lost answers

# The kernel makes the job; its answer is lost on the way.
LOSE_ANSWER = (
    "const tell = fake.tell; fake.tell = (told, more) =>"
    " told.type === fake.lost ? (fake.lost = null) : tell(told, more); fake.lost = 'submitted';"
)
CUT = "fake.tell({type: 'connection', up: false})"
MEND = "fake.tell({type: 'connection', up: true})"


def test_a_lost_answer_is_asked_for_again(page: Page) -> None:
    """A job whose answer the line swallowed is made once, and the page goes on."""
    show(page, LOSE_ANSWER)
    page.set_input_files(FILES, [file("a.wav", b"12")])
    page.get_by_role("button", name="Transcribe").click()
    page.wait_for_function("fake.lost === null")

    page.evaluate(CUT)
    page.evaluate(MEND)

    expect(page.locator(".ht-file")).to_have_count(0)
    expect(page.locator(".ht-body .ht-row")).to_have_count(1)
    first, second = heard(page, "submit")
    assert first["key"] == second["key"]
    assert first["ref"] != second["ref"]
    page.set_input_files(FILES, [file("b.wav", b"12")])
    expect(page.get_by_role("button", name="Transcribe")).to_be_enabled()


def test_other_lost_answers_are_told(page: Page) -> None:
    """Whether it was done nobody knows: people are told to look."""
    show(page, "fake.rows = [fake.row({id: 'a', state: 'running'})];")
    page.evaluate("fake.mute = true")
    row(page, "a.wav").get_by_role("button", name="Cancel").click()
    page.evaluate(f"fake.mute = false; {CUT}")

    expect(page.get_by_role("alert").filter(has_text="before an answer came")).to_be_visible()


def test_a_kernel_that_went_without_a_word_is_noticed(page: Page) -> None:
    """Nobody asks anything, and rows that should move do not: the panel does not look current."""
    page.clock.install()
    show(page, "fake.rows = [fake.row({id: 'a', state: 'running'})];")
    page.evaluate("fake.mute = true")
    for _ in range(20):
        page.clock.run_for(1_000)
    expect(page.locator(".ht-dot")).to_have_attribute("data-line", "waiting")
    expect(page.get_by_role("alert").filter(has_text="does not answer")).to_be_visible()

    page.evaluate("fake.mute = false")
    for _ in range(40):
        page.clock.run_for(1_000)
    expect(page.locator(".ht-dot")).to_have_attribute("data-line", "up")


def test_a_queue_at_rest_asks_nothing(page: Page) -> None:
    """Where nothing moves, silence is no news, and a busy kernel is left alone."""
    page.clock.install()
    show(page, "fake.rows = [fake.row({id: 'a', state: 'completed'})];")
    for _ in range(60):
        page.clock.run_for(1_000)
    assert len(heard(page, "hello")) == 1


def test_a_kernel_that_began_anew_is_told(page: Page) -> None:
    """The panel does not look current, says what to do, and takes no more orders."""
    show(page, "fake.rows = [fake.row({id: 'a', state: 'running'})];")
    page.evaluate("fake.end()")

    expect(page.locator(".ht-dot")).to_have_attribute("data-line", "down")
    expect(page.get_by_role("alert").filter(has_text="Run this panel's cell")).to_be_visible()
    row(page, "a.wav").get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("alert").filter(has_text="before an answer came")).to_be_visible()
    assert heard(page, "cancel") == []


def test_an_upload_whose_chunks_are_lost_goes_on(page: Page) -> None:
    """Though everything else arrives, nobody has to reload for the rest of the file."""
    page.clock.install()
    body = os.urandom(9000)
    show(page, "fake.dropping = true; fake.rows = [fake.row({id: 'r', state: 'running'})];")
    page.set_input_files(FILES, [file("a.wav", body)])
    page.clock.run_for(1_000)
    page.wait_for_function("fake.heard.filter((it) => it.type === 'upload_chunk').length === 4")

    page.evaluate("fake.dropping = false")
    for percentage in range(15):
        page.evaluate("percentage => fake.change('r', {percentage})", percentage)
        page.clock.run_for(1_000)

    expect(page.locator(".ht-file[data-state=complete]")).to_have_count(1)
    assert arrived(page, "a.wav") == body
    assert len(heard(page, "hello")) == 1


# The end of a download is lost on the way, so many times.
LOSE_ENDS = (
    "const tell = fake.tell; fake.lost = %d; fake.tell = (told, more) =>"
    " told.type === 'blob_chunk' && told.last && fake.lost > 0"
    " ? (fake.lost -= 1) : tell(told, more);"
    "fake.blobs.srt = {name: 'talk.srt', bytes: Array.from({length: 900}, (_, n) => n %% 256)};"
)


def test_a_download_whose_chunks_are_lost_is_asked_for_again(page: Page) -> None:
    """Though everything else arrives: nobody waits for ever, or has to press again."""
    page.clock.install()
    show(page, TALK + LOSE_ENDS % 2)
    page.click(".ht-name >> nth=0")
    with page.expect_download() as srt:
        page.get_by_role("button", name=".srt").click()
        for percentage in range(20):
            page.evaluate("percentage => fake.change(fake.rows[0].id, {percentage})", percentage)
            page.clock.run_for(1_000)

    assert srt.value.path().read_bytes() == bytes(n % 256 for n in range(900))
    assert len(heard(page, "fetch")) == 3
    assert len(heard(page, "hello")) == 1


def test_a_download_that_never_comes_ends_with_a_word(page: Page) -> None:
    """After some minutes, and not before."""
    page.clock.install()
    show(page, TALK + LOSE_ENDS % 1000)
    page.click(".ht-name >> nth=0")
    page.get_by_role("button", name=".srt").click()
    message = page.get_by_role("alert").filter(has_text="cut off")
    for percentage in range(40):
        page.evaluate("percentage => fake.change(fake.rows[0].id, {percentage})", percentage)
        page.clock.run_for(2_000)
    expect(message).to_have_count(0)
    for percentage in range(40, 99):
        page.evaluate("percentage => fake.change(fake.rows[0].id, {percentage})", percentage)
        page.clock.run_for(6_000)
    expect(message).to_be_visible()


def test_a_download_outlives_a_cut_line(page: Page) -> None:
    """What was on its way is asked for again as soon as the line is there."""
    show(page, TALK + LOSE_ENDS % 1)
    page.click(".ht-name >> nth=0")
    with page.expect_download() as srt:
        page.get_by_role("button", name=".srt").click()
        page.wait_for_function("fake.lost === 0")
        page.evaluate(CUT)
        page.evaluate(MEND)

    assert srt.value.path().read_bytes() == bytes(n % 256 for n in range(900))


def test_files_that_come_while_a_job_is_made_are_the_next(page: Page) -> None:
    """ "At once" holds for files that were added a moment too late, too."""
    show(page, LOSE_ANSWER)
    page.get_by_label("Start at once").check()
    page.set_input_files(FILES, [file("a.wav", b"12")])
    page.wait_for_function("fake.lost === null")
    page.set_input_files(FILES, [file("late.wav", b"12")])
    expect(page.locator(".ht-file[data-state=complete]")).to_have_count(2)

    page.evaluate(CUT)
    page.evaluate(MEND)

    expect(page.locator(".ht-body .ht-row")).to_have_count(2)
    expect(page.locator(".ht-file")).to_have_count(0)


# ------------------------------------------------------------------------------ files

# A folder as a browser hands it over, in which one file and one folder cannot be read.
FOLDER = """
() => {
  const file = (path) => ({
    isFile: true, fullPath: path,
    file: (done, failed) => path.includes("locked")
      ? failed(new DOMException("no", "NotReadableError"))
      : done(new File(["abc"], path.split("/").pop(), { lastModified: 5 })),
  });
  const folder = (path, children) => ({
    isDirectory: true, fullPath: path,
    createReader: () => ({
      readEntries(done, failed) {
        if (!children) failed(new DOMException("no", "NotReadableError"));
        else done(children.splice(0));
      },
    }),
  });
  const root = folder("/talks", [
    file("/talks/locked.wav"), folder("/talks/shut", null),
    folder("/talks/a", [file("/talks/a/x.wav")]), folder("/talks/b", [file("/talks/b/x.wav")]),
  ]);
  const event = new Event("drop", { bubbles: true, cancelable: true });
  const items = [{ kind: "file", webkitGetAsEntry: () => root }];
  Object.defineProperty(event, "dataTransfer", { value: { items } });
  document.querySelector(".ht-drop").dispatchEvent(event);
}
"""


def test_what_cannot_be_read_costs_nothing_else(page: Page) -> None:
    """The rest of a dropped folder is taken, and how much was skipped is told."""
    show(page)

    page.evaluate(FOLDER)

    message = page.locator(".ht-notice").filter(has_text="2 files or folders could not be read")
    expect(message).to_be_visible()
    # Of one name and size, but not of one folder.
    expect(page.locator(".ht-file[data-state=complete]")).to_have_count(2)


def test_the_browser_asks_before_it_leaves_files_that_are_of_no_job(page: Page) -> None:
    """Half sent or whole; a page without any is left without a question."""
    leave = (
        "() => { const it = new Event('beforeunload', {cancelable: true});"
        " dispatchEvent(it); return it.defaultPrevented; }"
    )
    show(page, "fake.holding = true;")
    assert page.evaluate(leave) is False

    page.set_input_files(FILES, [file("a.wav", os.urandom(2000))])
    page.wait_for_function("fake.held.length > 0")
    assert page.evaluate(leave) is True

    page.evaluate("fake.release()")
    expect(page.locator(".ht-file[data-state=complete]")).to_have_count(1)
    assert page.evaluate(leave) is True

    page.get_by_role("button", name="Transcribe").click()
    expect(page.locator(".ht-body .ht-row")).to_have_count(1)
    assert page.evaluate(leave) is False


def test_a_screen_reader_hears_begin_and_end_of_sending(page: Page) -> None:
    """Not every percent: what is read out by itself does not change with each chunk."""
    show(page, "fake.holding = true;")
    page.evaluate(
        "() => { globalThis.spoken = []; new MutationObserver((changes) =>"
        " changes.forEach(({target}) => { const live = (target.closest ? target"
        " : target.parentElement).closest('[role=status], [aria-live]');"
        " if (live) spoken.push(live.textContent); }))"
        ".observe(document.body, {subtree: true, childList: true, characterData: true}); }"
    )

    page.set_input_files(FILES, [file("a.wav", os.urandom(9000))])
    page.wait_for_function("fake.held.length === 4")
    page.evaluate("fake.release()")
    expect(page.locator(".ht-file[data-state=complete]")).to_have_count(1)

    spoken = page.evaluate("spoken")
    assert not any("%" in text for text in spoken), spoken
    assert "Files are being sent" in spoken
    assert "All files are here" in spoken


# ------------------------------------------------------------------------------ the transcript


def test_another_recording_can_be_heard_at_once(page: Page) -> None:
    """The one that is on its way is not waited for: it is called off."""
    show(page, TALK + "fake.rows[1].state = 'completed'; fake.texts.b = fake.texts.a;")
    names = page.locator(".ht-name")
    page.evaluate("fake.mute = true")
    names.nth(0).click()
    page.evaluate("fake.mute = false")
    names.nth(1).click()
    names.nth(0).click()
    page.evaluate("fake.mute = true")
    page.get_by_role("button", name="Listen").click()
    expect(page.get_by_role("button", name="Fetching")).to_be_disabled()
    names.nth(1).click()

    expect(page.get_by_role("button", name="Listen")).to_be_enabled()
    assert heard(page, "blob_cancel")[0]["ref"] == heard(page, "fetch")[0]["ref"]


def test_the_time_clicked_while_it_loads_is_where_it_begins(page: Page) -> None:
    """The last wish counts."""
    show(page, TALK)
    # Where it is put is where it stays.
    page.evaluate("HTMLMediaElement.prototype.play = async () => {}")
    page.click(".ht-name >> nth=0")
    page.evaluate("fake.mute = true")
    page.get_by_role("button", name="Listen").click()
    page.get_by_role("button", name="Hear it from 0:06").click()
    (fetch,) = heard(page, "fetch")
    page.evaluate(
        "([ref, bytes]) => { fake.tell({type: 'blob_begin', ref, name: 'a',"
        " media_type: 'audio/wav', size_bytes: bytes.length});"
        " fake.tell({type: 'blob_chunk', ref, offset: 0, last: true},"
        " [new DataView(new Uint8Array(bytes).buffer)]); }",
        [fetch["ref"], list(_tone())],
    )

    page.wait_for_function("document.querySelector('.ht-hud audio').currentTime >= 6.4")


def test_another_language_leaves_recording_and_search(page: Page) -> None:
    """What was fetched is not fetched again, nor is what was looked for typed again."""
    show(page, TALK)
    page.evaluate(
        "bytes => fake.blobs.audio = {name: 'a', media_type: 'audio/wav', bytes}", list(_tone())
    )
    page.click(".ht-name >> nth=0")
    page.get_by_role("button", name="Hear it from 0:06").click()
    page.wait_for_function("document.querySelector('.ht-hud audio').currentTime >= 6.4")
    page.fill("[name=search]", "BOAT")
    page.press("[name=search]", "Enter")

    page.get_by_role("button", name="PT, Português").click()

    expect(page.locator("[name=search]")).to_have_value("BOAT")
    expect(page.locator(".ht-counted")).to_have_text("2 de 2")
    page.wait_for_function("document.querySelector('.ht-hud audio').currentTime >= 6.4")
    assert page.evaluate("document.querySelector('.ht-hud audio').error") is None
    assert len(heard(page, "fetch")) == 1


def test_the_found_place_stays_while_text_comes(page: Page) -> None:
    """Live text is searched as it comes, and the hit one was at remains it."""
    show(page, TALK)
    page.click(".ht-name >> nth=0")
    page.fill("[name=search]", "boat")
    page.press("[name=search]", "Enter")
    expect(page.locator(".ht-hit.ht-current")).to_have_text("boat")

    page.evaluate("fake.text(fake.rows[0], 8, [fake.segment(50, 'One more boat.')])")

    expect(page.locator(".ht-counted")).to_have_text("2 of 3")
    expect(page.locator(".ht-hit.ht-current")).to_have_count(1)


def test_a_warning_goes_when_it_is_over(page: Page) -> None:
    """Nobody has to dismiss what has passed; other warnings stay."""
    show(page)
    for code in ("journal_behind", "disk_full"):
        page.evaluate(f"fake.tell({{type: 'notice', code: '{code}', message: '', over: false}})")
    expect(page.locator(".ht-notice:visible")).to_have_count(2)
    page.evaluate("fake.tell({type: 'notice', code: 'journal_behind', message: '', over: true})")
    expect(page.locator(".ht-notice:visible")).to_have_count(1)
    expect(page.locator(".ht-notice:visible")).to_contain_text("The disk is almost full.")
