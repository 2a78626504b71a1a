"""The panel in a real browser, before a kernel that does as it is told."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.hud.panel.harness import HERE, URL, heard, serve, show
from tests.npm import install

pytest.importorskip("playwright.sync_api")
from playwright.sync_api import Browser, Page, expect

pytestmark = pytest.mark.browser

expect.set_options(timeout=20_000)

#: A folder with axe-core's axe.min.js, for the test that uses it.
AXE_VARIABLE = "HYBRID_TRANSCRIBE_TEST_AXE"

FILES = "input[type=file] >> nth=0"
HOSTILE = '<img src=x onerror="globalThis.hurt=1"><script>globalThis.hurt=1</script>.wav'


def file(name: str, data: bytes) -> dict[str, Any]:
    return {"name": name, "mimeType": "audio/wav", "buffer": data}


def arrived(page: Page, name: str) -> bytes:
    return bytes(page.evaluate("name => fake.bytes[name] ?? []", name))


def row(page: Page, name: str) -> Any:
    return page.locator(".ht-body .ht-row", has_text=name)


# ------------------------------------------------------------------------------ files up


def test_files_arrive_whole_and_become_one_job(page: Page) -> None:
    """Several files are sent side by side at once; the button makes one job of them."""
    show(page)
    data = {f"{n}.wav": os.urandom(3500 * n) for n in (1, 2, 3)}

    page.set_input_files(FILES, [file(name, body) for name, body in data.items()])
    expect(page.locator(".ht-file[data-state=complete]")).to_have_count(3)
    page.select_option("[name=language]", "pt")
    page.get_by_role("button", name="Transcribe").click()

    expect(page.locator(".ht-body .ht-row")).to_have_count(3)
    expect(page.locator(".ht-file")).to_have_count(0)
    assert {name: arrived(page, name) for name in data} == data
    (submit,) = heard(page, "submit")
    assert len(submit["upload_ids"]) == 3
    assert submit["how"] == {"engine": "faster-whisper", "device": "auto", "language": "pt"}


def test_no_more_chunks_than_the_window_are_on_their_way(page: Page) -> None:
    """A slow kernel is never flooded, however many files wait."""
    show(page, "fake.holding = true;")

    page.set_input_files(FILES, [file(f"{n}.wav", os.urandom(9000)) for n in range(5)])
    page.wait_for_function("fake.held.length === 4")
    page.wait_for_timeout(150)
    assert len(heard(page, "upload_chunk")) == 4

    page.evaluate("fake.release()")
    expect(page.locator(".ht-file[data-state=complete]")).to_have_count(5)


def test_an_upload_goes_on_where_it_was_cut_off(page: Page) -> None:
    """What came before is not sent again: after a lost line, and for a file known from before."""
    body = os.urandom(9000)
    show(page, "fake.partial['known.wav:9000'] = 4000; fake.holding = true;")

    page.set_input_files(FILES, [file("cut.wav", body)])
    page.wait_for_function("fake.held.length === 4")
    page.evaluate("fake.tell({type: 'connection', up: false})")
    expect(page.get_by_role("alert").filter(has_text="cannot be reached")).to_be_visible()
    page.evaluate(
        "fake.held.length = 0; fake.holding = false; fake.tell({type: 'connection', up: true})"
    )
    expect(page.locator(".ht-file[data-state=complete]")).to_have_count(1)
    page.set_input_files(FILES, [file("known.wav", body)])
    expect(page.locator(".ht-file[data-state=complete]")).to_have_count(2)

    assert arrived(page, "cut.wav") == body
    entry = heard(page, "upload_begin")[-1]["upload_id"]
    offsets = [m["offset"] for m in heard(page, "upload_chunk") if m["upload_id"] == entry]
    assert offsets == [4000, 5000, 6000, 7000, 8000]
    cut = [m["offset"] for m in heard(page, "upload_chunk") if m["upload_id"] != entry]
    assert sorted(cut) == [n * 1000 for n in range(9)]


def test_a_folder_says_where_its_files_lie(page: Page, tmp_path: Path) -> None:
    """Else two recordings of one name and size, in two folders, are taken for one another."""
    for day in ("monday", "tuesday"):
        (tmp_path / "talks" / day).mkdir(parents=True)
        (tmp_path / "talks" / day / "a.wav").write_bytes(day[:3].encode())
    show(page)

    page.set_input_files("input[type=file][webkitdirectory]", str(tmp_path / "talks"))
    expect(page.locator(".ht-file[data-state=complete]")).to_have_count(2)

    begun = {m["folder"]: m["name"] for m in heard(page, "upload_begin")}
    assert begun == {"talks/monday": "a.wav", "talks/tuesday": "a.wav"}


def test_a_lost_chunk_is_sent_again(page: Page) -> None:
    """The kernel says where to go on, and the panel does."""
    body = os.urandom(9500)
    show(page, "fake.loseNext = true;")

    page.set_input_files(FILES, [file("a.wav", body)])
    expect(page.locator(".ht-file[data-state=complete]")).to_have_count(1)

    assert arrived(page, "a.wav") == body


def test_what_cannot_be_taken_is_told_at_once(page: Page) -> None:
    """Too large and empty files are never sent; what the kernel refuses can be tried again."""
    show(page, "fake.failUpload = 'bad.wav'; fake.welcome.max_file_bytes = 5000;")

    page.set_input_files(
        FILES, [file("big.wav", b"1" * 5001), file("none.wav", b""), file("bad.wav", b"123")]
    )
    lines = page.locator(".ht-file")
    expect(lines.nth(0)).to_contain_text("Too large: at most 5 kB a file.")
    expect(lines.nth(1)).to_contain_text("The file is empty.")
    expect(lines.nth(2)).to_contain_text("The disk is full. bad.wav: no room left")
    assert [m["name"] for m in heard(page, "upload_begin")] == ["bad.wav"]
    expect(page.get_by_role("button", name="Transcribe")).to_be_disabled()

    page.evaluate("fake.failUpload = null")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".ht-file[data-state=complete]")).to_have_count(1)


def test_a_file_can_be_taken_back(page: Page) -> None:
    """Canceling one leaves the others, and its place is free for them."""
    show(page, "fake.holding = true;")
    page.set_input_files(FILES, [file("a.wav", os.urandom(9000)), file("b.wav", os.urandom(2000))])
    page.wait_for_function("fake.held.length > 0")

    page.get_by_role("button", name="Remove a.wav").click()
    page.evaluate("fake.release()")

    expect(page.locator(".ht-file")).to_have_count(1)
    expect(page.locator(".ht-file[data-state=complete]")).to_have_text("b.wav2 kB")
    assert len(heard(page, "upload_cancel")) == 1


def test_the_button_may_be_pressed_before_all_is_there(page: Page) -> None:
    """The job is made when the last file has come, with what was chosen when it was asked for."""
    show(page, "fake.holding = true;")
    page.set_input_files(FILES, [file("a.wav", os.urandom(9000))])
    page.wait_for_function("fake.held.length > 0")

    page.get_by_role("button", name="Transcribe").click()
    page.select_option("[name=device]", "cpu")
    expect(page.get_by_role("button", name="Do not start yet")).to_be_visible()
    assert heard(page, "submit") == []
    page.evaluate("fake.release()")

    expect(page.locator(".ht-body .ht-row")).to_have_count(1)
    assert heard(page, "submit")[0]["how"]["device"] == "auto"


def test_files_can_be_dropped(page: Page) -> None:
    """Drag and drop is as good as choosing."""
    show(page)
    transfer = page.evaluate_handle(
        "() => { const it = new DataTransfer(); it.items.add(new File(['abc'], "
        "'dropped.wav')); return it; }"
    )

    page.dispatch_event(".ht-drop", "drop", {"dataTransfer": transfer})

    expect(page.locator(".ht-file[data-state=complete]")).to_contain_text("dropped.wav")
    assert arrived(page, "dropped.wav") == b"abc"


def test_of_a_folder_the_recordings_are_taken(page: Page, tmp_path: Path) -> None:
    """Folders are gone through; what is no recording is left out, and that is told."""
    for name in ("a.wav", "deep/b.mp3", "deep/notes.txt", ".hidden"):
        (tmp_path / "talks" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "talks" / name).write_bytes(b"12")
    show(page)

    page.set_input_files("input[webkitdirectory]", tmp_path / "talks")

    expect(page.locator(".ht-file[data-state=complete]")).to_have_count(2)
    expect(page.locator(".ht-notice[data-kind=info]")).to_contain_text(
        "2 files in the folder are not recordings"
    )


# ------------------------------------------------------------------------------ choices


def test_choices_follow_the_engine(page: Page) -> None:
    """Each engine offers its own; who gets the audio is told before anything is sent."""
    show(page)
    absent = page.locator("[name=engine] option", has_text="transformers")
    assert absent.get_attribute("disabled") is not None
    page.get_by_text("1 engine cannot run here").click()
    expect(page.locator(".ht-reasons")).to_contain_text("torch is not installed")

    page.get_by_text("More options").click()
    page.fill("[name=beam_size]", "3")
    page.fill("[name=temperature]", "0, 0.4")
    page.select_option("[name=vad_filter]", "no")
    page.fill("[name=batch_size]", "many")
    expect(page.locator("[name=batch_size]")).to_have_attribute("aria-invalid", "")
    page.select_option("[name=model]", label="Another…")
    page.fill("[name=other_model]", "org/whisper-own")
    page.set_input_files(FILES, [file("a.wav", b"12")])
    page.get_by_role("button", name="Transcribe").click()
    expect(page.locator(".ht-body .ht-row")).to_have_count(1)

    page.select_option("[name=engine]", "assemblyai")
    expect(page.get_by_role("note")).to_have_text("Audio goes to AssemblyAI")
    expect(page.locator("[name=beam_size]")).to_have_count(0)
    expect(page.locator("[name=diarize]")).to_be_visible()
    assert heard(page, "submit")[0]["how"] == {
        "engine": "faster-whisper", "device": "auto", "model": "org/whisper-own",
        "beam_size": 3, "temperature": [0, 0.4], "vad_filter": False,
    }  # fmt: skip


def test_speakers_are_told_apart_where_the_engine_can(page: Page) -> None:
    """A switch, and a number where it is on; without the one nothing is said of the other."""
    show(page)
    expect(page.locator("[name=diarize]")).to_have_count(0)
    page.select_option("[name=engine]", "assemblyai")
    number = page.get_by_label("Number of speakers")
    expect(number).to_have_count(0)

    page.get_by_label("Tell speakers apart").check()
    expect(number).to_have_value("")
    assert number.locator("option").all_inner_texts()[:3] == [
        "Automatic number", "2 speakers", "3 speakers",
    ]  # fmt: skip
    number.focus()
    number.select_option("3")
    expect(number).to_be_focused()
    said = {"engine": "assemblyai", "device": "auto"}
    assert submitted(page, "a.wav") == {**said, "diarize": True, "speakers": 3}
    number.select_option("")
    assert submitted(page, "b.wav") == {**said, "diarize": True}
    number.select_option("2")
    page.get_by_label("Tell speakers apart").uncheck()
    expect(number).to_have_count(0)
    assert submitted(page, "c.wav") == said


def test_what_speakers_need_is_said(page: Page) -> None:
    """Where nothing here can tell them apart, the line that installs it; and one may look again."""
    show(
        page,
        "fake.choices.postprocessors = [{name: 'speakers', available: false, options: ['diarize'],"
        ' models: [], needs_words: true, why_not: "onnxruntime is not installed: pip install'
        " 'hybrid-transcribe'\", why_not_message: null}];",
    )
    expect(page.locator("[name=diarize]")).to_have_count(0)
    page.get_by_text("Speakers cannot be told apart here").click()
    expect(page.locator(".ht-who-not")).to_contain_text("pip install 'hybrid-transcribe'")
    page.evaluate(
        "fake.choices.postprocessors[0].available = true;"
        "fake.choices.engines[0].options.push('diarize', 'speakers')"
    )
    page.locator(".ht-who-not").get_by_role("button", name="Look again").click()
    expect(page.locator("[name=diarize]")).to_be_visible()
    expect(page.locator(".ht-who-not")).to_have_count(0)
    # A cloud that does it itself needs nothing here.
    page.evaluate("fake.choices.postprocessors[0].available = false; fake.tell(fake.choices)")
    page.select_option("[name=engine]", "assemblyai")
    expect(page.locator(".ht-who-not")).to_have_count(0)


def submitted(page: Page, name: str) -> Any:
    """What a new job of that file is asked to be."""
    before = len(heard(page, "submit"))
    page.set_input_files(FILES, [file(name, b"12")])
    page.get_by_role("button", name="Transcribe").click()
    page.wait_for_function(
        "n => fake.heard.filter(m => m.type === 'submit').length > n", arg=before
    )
    return heard(page, "submit")[-1]["how"]


def test_another_try_asks_for_the_same_speakers(page: Page) -> None:
    """However many there may be; voices go with their job, so that no page names them."""
    show(
        page,
        "fake.rows = [fake.row({id: 'a', engine: 'assemblyai', model: 'universal-2',"
        " state: 'completed', options: {diarize: true, min_speakers: 2, max_speakers: 12,"
        " voices: [{name: 'Ana'}]}})];",
    )
    page.locator(".ht-row [data-action=change]").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_label("Tell speakers apart")).to_be_checked()
    dialog.get_by_role("button", name="Transcribe again").click()
    page.wait_for_function("fake.heard.some(m => m.type === 'retry')")
    changes = heard(page, "retry")[0]["changes"]
    assert {name: value for name, value in changes.items() if name not in ("engine", "model")} == {
        "device": "auto", "diarize": True, "min_speakers": 2, "max_speakers": 12,
    }  # fmt: skip


# ------------------------------------------------------------------------------ the queue


def test_a_row_shows_how_it_goes(page: Page) -> None:
    """State, stage, percentage and time left are written as they come."""
    show(page, "fake.rows = [fake.row({id: 'a', ahead: 2})];")
    line = row(page, "a.wav")
    expect(line).to_contain_text("2 ahead")

    page.evaluate(
        "fake.change('a', {state: 'running', stage: 'transcribing', "
        "percentage: 41.7, eta_s: 125, ahead: 0})"
    )
    expect(line).to_contain_text("Running")
    expect(line).to_contain_text("41%")
    expect(line).to_contain_text("2 min")
    expect(line.get_by_role("progressbar")).to_have_attribute("aria-valuenow", "41")

    page.evaluate("fake.change('a', {percentage: null, eta_s: null})")
    expect(line.locator(".ht-guessing")).to_be_visible()
    page.evaluate(
        "fake.change('a', {state: 'failed', error: {code: 'out_of_memory', "
        "message: 'choose a smaller model'}})"
    )
    expect(line).to_contain_text("There is not enough memory. choose a smaller model")


def test_what_can_be_done_with_a_row(page: Page) -> None:
    """Cancel, retry with another engine, keep and delete ask for exactly that."""
    show(page, "fake.rows = [fake.row({id: 'a', state: 'running'}), fake.row({id: 'b'})];")
    line = row(page, "a.wav")

    line.get_by_role("button", name="Cancel").click()
    expect(line).to_contain_text("Canceled")
    line.get_by_role("button", name="Change engine…").click()
    dialog = page.get_by_role("dialog")
    dialog.locator("[name=engine]").select_option("assemblyai")
    expect(dialog).to_contain_text("Audio goes to AssemblyAI")
    dialog.get_by_role("button", name="Transcribe again").click()
    expect(line).to_contain_text("2 attempts")
    assert heard(page, "retry")[0]["changes"] == {
        "engine": "assemblyai", "device": "auto", "model": "universal-2"
    }  # fmt: skip

    page.evaluate(
        "fake.change('a', {state: 'completed', actions: ['retry', 'keep', 'delete', 'open']})"
    )
    line.get_by_role("button", name="Keep").click()
    expect(line).to_contain_text("kept")
    line.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.locator(".ht-body .ht-row")).to_have_count(1)


def offered(page: Page, place: str) -> list[list[Any]]:
    """Names of a form's controls, whether they may be used, and what they offer."""
    result: list[list[Any]] = page.locator(f"{place} .ht-choices").evaluate(
        "el => [...el.querySelectorAll('input, select')].map((it) => [it.name, it.disabled,"
        " [...(it.options ?? [])].map((one) => one.textContent)])"
    )
    return result


@pytest.mark.parametrize("engine", ["faster-whisper", "openai-whisper", "assemblyai"])
def test_a_change_offers_what_a_new_job_does(page: Page, engine: str) -> None:
    """Model, device, language, task, word times and options: whichever engine is chosen."""
    show(page, "fake.rows = [fake.row({id: 'a', state: 'failed'})];")
    row(page, "a.wav").get_by_role("button", name="Change engine…").click()
    dialog = page.get_by_role("dialog")

    dialog.locator("[name=engine]").select_option(engine)
    page.eval_on_selector(
        ".ht-compose [name=engine]",
        "(it, name) => { it.value = name; it.dispatchEvent(new Event('change')); }",
        engine,
    )

    names = {name for name, *_ in offered(page, ".ht-dialog")}
    assert {"model", "device", "language", "task", "word_timestamps", "hotwords"} <= names
    assert offered(page, ".ht-dialog") == offered(page, ".ht-compose")


def test_a_change_begins_with_what_was_asked(page: Page) -> None:
    """All of it is filled in and sent again; what is emptied takes its default."""
    items = (
        "{language: 'pt', task: 'translate', word_timestamps: true, beam_size: 3,"
        " temperature: [0, 0.4], silence_guard: false, context: 'full'}"
    )
    show(
        page,
        "fake.choices.engines[0].options.push('context'); fake.rows = [fake.row({id: 'a',"
        f" state: 'failed', model: 'org/own', asked_device: 'cpu', options: {items}}})];",
    )
    row(page, "a.wav").get_by_role("button", name="Change engine…").click()
    dialog = page.get_by_role("dialog")
    for name, value in {
        "other_model": "org/own", "device": "cpu", "language": "pt", "task": "translate",
        "beam_size": "3", "temperature": "0, 0.4",
    }.items():  # fmt: skip
        expect(dialog.locator(f"[name={name}]")).to_have_value(value)
    expect(dialog.locator("[name=word_timestamps]")).to_be_checked()
    expect(dialog.locator("[name=silence_guard]")).not_to_be_checked()

    dialog.locator("[name=language]").select_option("")
    dialog.get_by_text("More options").click()
    dialog.locator("[name=beam_size]").fill("")
    dialog.locator("[name=batch_size]").fill("4")
    dialog.get_by_role("button", name="Transcribe again").click()

    expect(row(page, "a.wav")).to_contain_text("2 attempts")
    assert heard(page, "retry")[0]["changes"] == {
        "engine": "faster-whisper", "device": "cpu", "model": "org/own", "task": "translate",
        "word_timestamps": True, "temperature": [0, 0.4], "silence_guard": False,
        "context": "full", "batch_size": 4,
    }  # fmt: skip


def test_a_change_that_is_not_made_leaves_the_form_of_new_jobs(page: Page) -> None:
    """Escape closes the dialog, the focus is where it was, and both forms are apart."""
    show(page, "fake.rows = [fake.row({id: 'a', state: 'failed'})];")
    button = row(page, "a.wav").get_by_role("button", name="Change engine…")
    button.click()
    page.get_by_role("dialog").locator("[name=engine]").select_option("assemblyai")

    page.keyboard.press("Escape")

    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(button).to_be_focused()
    expect(page.locator(".ht-compose [name=engine]")).to_have_value("faster-whisper")
    assert heard(page, "retry") == []


def test_what_one_engine_knows_is_not_asked_of_another(page: Page) -> None:
    """A device, a language and a task go along only where the form still shows them."""
    show(page, "fake.choices.engines[2].languages = ['en', 'es'];")
    page.select_option("[name=device]", "gpu")
    page.select_option("[name=language]", "pt")
    page.select_option("[name=task]", "translate")

    page.select_option("[name=engine]", "assemblyai")
    expect(page.locator("[name=device]")).to_have_value("auto")
    expect(page.locator("[name=language]")).to_have_value("")
    page.set_input_files(FILES, [file("a.wav", b"12")])
    page.get_by_role("button", name="Transcribe").click()

    expect(page.locator(".ht-body .ht-row")).to_have_count(1)
    assert heard(page, "submit")[0]["how"] == {"engine": "assemblyai", "device": "auto"}


def test_what_could_not_be_done_is_told(page: Page) -> None:
    """A problem has words of its own, the kernel's message, and can be dismissed."""
    show(
        page,
        "fake.rows = [fake.row({id: 'a', state: 'running'})]; fake.failNext = "
        "{code: 'unknown_job', message: 'No job 7'};",
    )

    row(page, "a.wav").get_by_role("button", name="Cancel").click()

    message = page.get_by_role("alert").filter(has_text="No job 7")
    expect(message).to_contain_text("The job is not there (any more).")
    message.get_by_role("button", name="Dismiss").click()
    expect(message).to_have_count(0)


def test_a_thousand_rows(page: Page) -> None:
    """All are there to sort and filter, few are drawn, and those in sight are right."""
    show(
        page,
        "fake.rows = Array.from({length: 1500}, (_, n) => fake.row({id: "
        "`r${n}`, state: n % 3 ? 'queued' : 'completed', percentage: n % "
        "100}));",
    )
    lines = page.locator(".ht-body .ht-row")
    expect(lines).to_have_count(1500)
    drawn = page.evaluate("document.querySelectorAll('.ht-body .ht-name').length")
    assert 5 < drawn < 200

    page.get_by_role("button", name="Progress").click()
    expect(lines.first).to_contain_text("99%")
    page.fill("[name=filter]", "r1234")
    expect(lines).to_have_count(1)
    page.fill("[name=filter]", "")
    page.select_option("[name=group]", "done")
    expect(lines).to_have_count(500)
    page.fill("[name=filter]", "no such")
    expect(page.get_by_text("No recording matches.")).to_be_visible()
    page.fill("[name=filter]", "")
    page.evaluate("fake.change('r3', {percentage: 77, name: 'fresh.wav'})")
    page.fill("[name=filter]", "fresh")
    expect(row(page, "fresh.wav")).to_contain_text("77%")


def test_an_end_is_announced(page: Page) -> None:
    """A result that goes soon says so, unless it is kept."""
    soon = "expires_at: Date.now() / 1000 + 725"
    show(
        page,
        f"fake.rows = [fake.row({{id: 'a', state: 'completed', {soon}}}), "
        f"fake.row({{id: 'b', state: 'completed', kept: true, {soon}}})];",
    )

    expect(row(page, "a.wav")).to_contain_text("expires in 12 min")
    expect(row(page, "b.wav")).to_contain_text("kept")


# ------------------------------------------------------------------------------ the transcript

TALK = (
    "fake.rows = scenes.rows(fake); fake.texts.a = {segments: scenes.talk(fake), complete: false};"
)


def test_the_text_comes_live_with_its_doubts(page: Page) -> None:
    """Segments appear as they are told, are replaced from where they are told, and are marked."""
    show(page, TALK)
    row(page, "river-survey").get_by_role("button", name="river-survey").click()
    segments = page.locator(".ht-segment")
    expect(segments).to_have_count(8)
    expect(page.locator(".ht-text .ht-doubt")).to_have_text(["Anke", "Vroom", "clay"])
    expect(page.locator(".ht-segment[data-doubtful]")).to_have_count(1)

    page.evaluate(
        "fake.text(fake.rows[0], 7, [fake.segment(45, 'Changed.'), fake.segment(50, 'New.')], true)"
    )
    expect(segments).to_have_count(9)
    expect(segments.nth(7)).to_contain_text("Changed.")
    page.get_by_role("button", name="Close the transcript").click()
    expect(page.locator(".ht-transcript")).to_be_hidden()
    assert heard(page, "follow")[-1].get("recording_id", "") == ""


def test_the_text_is_searched_and_copied(page: Page) -> None:
    """Hits are counted and gone through; all of it goes to the clipboard."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    show(page, TALK)
    page.click(".ht-name >> nth=0")

    page.fill("[name=search]", "BOAT")
    expect(page.locator(".ht-counted")).to_have_text("1 of 2")
    page.press("[name=search]", "Enter")
    expect(page.locator(".ht-counted")).to_have_text("2 of 2")
    expect(page.locator(".ht-hit.ht-current")).to_have_text("boat")
    page.fill("[name=search]", "zebra")
    expect(page.locator(".ht-counted")).to_have_text("Not found")

    page.get_by_role("button", name="Copy all").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.splitlines()[2] == "Doctor Anke Vroom will begin with the sediment cores."


def test_downloads_are_the_very_bytes(page: Page) -> None:
    """A format of one recording, and a zip of the job, come down as they were sent."""
    show(
        page,
        TALK + "fake.blobs.srt = {name: 'talk.srt',"
        " bytes: [...new TextEncoder().encode('1\\n00:00 é')]};"
        "fake.blobs['zip/vtt'] = {name: 'job.zip',"
        " bytes: Array.from({length: 1000}, (_, n) => n % 256)};",
    )
    page.click(".ht-name >> nth=0")

    with page.expect_download() as srt:
        page.get_by_role("button", name=".srt").click()
    page.select_option("[name=inside]", "vtt")
    with page.expect_download() as zipped:
        page.get_by_role("button", name=".zip of").click()
    page.get_by_role("button", name=".json").click()

    assert srt.value.suggested_filename == "talk.srt"
    assert srt.value.path().read_bytes() == "1\n00:00 é".encode()
    assert zipped.value.path().read_bytes() == bytes(n % 256 for n in range(1000))
    expect(page.get_by_role("alert").filter(has_text="no json")).to_be_visible()


def test_a_segment_is_heard_where_it_is(page: Page) -> None:
    """The recording comes over the line; a click goes to the segment's time."""
    show(page, TALK)
    page.evaluate(
        "bytes => fake.blobs.audio = {name: 'a', media_type: 'audio/wav', bytes}", list(_tone())
    )
    page.click(".ht-name >> nth=0")

    page.get_by_role("button", name="Hear it from 0:06").click()

    page.wait_for_function("document.querySelector('.ht-hud audio').currentTime >= 6.4")
    assert heard(page, "fetch")[0]["what"] == "audio"


def _tone() -> bytes:
    import io
    import wave

    bytes_io = io.BytesIO()
    with wave.open(bytes_io, "wb") as out:
        out.setparams((1, 1, 4000, 0, "NONE", ""))
        out.writeframes(b"\x80" * 4000 * 10)
    return bytes_io.getvalue()


# ------------------------------------------------------------------------------ people


def test_the_language_can_be_changed(page: Page) -> None:
    """All is in Portuguese at once, what was chosen stays, and the next visit remembers."""
    show(page, TALK)
    page.select_option("[name=device]", "cpu")

    page.get_by_role("button", name="PT, Português").click()

    expect(page.get_by_role("heading", name="Fila")).to_be_visible()
    expect(page.locator("[name=device]")).to_have_value("cpu")
    expect(row(page, "river-survey")).to_contain_text("Em andamento")
    expect(page.locator(":focus")).to_have_text("PT")
    page.wait_for_function("document.documentElement.lang === 'pt-BR'")
    page.reload()
    expect(page.get_by_role("heading", name="Fila")).to_be_visible()


def test_the_keyboard_is_enough(page: Page) -> None:
    """Tab reaches all in order, each shows where the focus is, and keys do the work."""
    show(page, TALK)
    page.set_input_files(FILES, [file("a.wav", b"12")])
    expect(page.locator(".ht-file[data-state=complete]")).to_have_count(1)
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        message = page.evaluate(
            "(() => { const it = document.activeElement; return [it.getAttribute('aria-label')"
            " || it.labels?.[0]?.textContent || it.textContent, "
            "getComputedStyle(it).outlineStyle]; })()"
        )
        assert message[1] != "none", message
        seen.append(message[0].strip())
        if seen[-1].startswith("river-survey"):
            break

    items = [
        "EN, English", "Choose files", "Choose a folder", "Remove a.wav", "Engine", "Model",
        "Device", "Spoken language", "Task", "More options", "Start at once", "Transcribe",
        "Filter by text", "Filter by state",
    ]  # fmt: skip
    places = [seen.index(name) if name in seen else -1 for name in items]
    result = dict(zip(items, places, strict=True))
    assert -1 not in places, result
    assert places == sorted(places), result
    page.keyboard.press("Enter")
    expect(page.locator(".ht-segment").first).to_be_visible()


#: Without a place to break it at.
LONG_MODEL = "fake.rows = fake.rows.map(row => ({...row, model: 'a_model'.repeat(20)}));"


@pytest.mark.parametrize("width", [360, 400, 760, 1000, 1280])
def test_nothing_sticks_out(page: Page, width: int) -> None:
    """From 360 pixels on nothing has to be pushed sideways."""
    page.set_viewport_size({"width": width, "height": 800})
    show(page, TALK + "fake.rows.push(...scenes.troubles(fake).slice(2));" + LONG_MODEL)
    page.set_input_files(FILES, [file("a-very-long-name-" * 8 + ".wav", b"12")])
    page.click(".ht-name >> nth=0")
    expect(page.locator(".ht-segment").first).to_be_visible()

    wide = page.evaluate(
        "() => [document.documentElement, ...document.querySelectorAll('.ht-scroll, .ht-titles')]"
        ".map(it => it.scrollWidth - it.clientWidth)"
    )
    assert wide == [0, 0, 0]


#: A recording with a conversation, opened.
CONVERSATION = (
    "fake.rows = [fake.row({id: 'a', state: 'completed'})];"
    "fake.texts.a = {...scenes.conversation(fake), complete: true};"
)


def test_a_text_says_who_speaks(page: Page) -> None:
    """By name, where another begins; a color each, and a word for those who do not see it."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    show(page, CONVERSATION)
    page.click(".ht-name >> nth=0")
    names = page.locator(".ht-speaker-name")
    expect(names).to_have_count(5)
    long = "Dr. Anke Vroom-van der Meulen, Instituut voor Rivierkunde en Sedimentonderzoek"
    assert names.all_inner_texts() == ["Chair", long, "S3", long, "Chair"]
    assert page.locator(".ht-speaker").all_text_contents()[2] == "Speaker: S3"

    colors = page.locator(".ht-speaker > i").evaluate_all(
        "dots => dots.map(dot => getComputedStyle(dot).backgroundColor)"
    )
    assert colors[1] == colors[3]
    assert colors[0] == colors[4]
    assert len(set(colors)) == 3
    bars = page.locator(".ht-said").evaluate_all(
        "nodes => nodes.map(node => getComputedStyle(node).borderLeftColor)"
    )
    assert [bars[n] for n in (0, 3, 4, 5, 7)] == colors

    page.get_by_role("button", name="Copy all").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    lines = page.evaluate("navigator.clipboard.readText()").split("\n")
    assert lines[0].startswith("Chair: Good morning")
    assert lines[1].startswith("We have three")
    assert lines[4].startswith("S3: That is the wind")


def test_a_speaker_gets_a_name_and_a_color(page: Page) -> None:
    """As soon as somebody gives them, in the text that is open; what is no color does nothing."""
    show(page, CONVERSATION)
    page.click(".ht-name >> nth=0")
    expect(page.locator(".ht-speaker-name").nth(2)).to_have_text("S3")
    page.evaluate(
        "() => { const [a, b, c] = scenes.conversation(fake).speakers;"
        " const row = {...fake.rows[0], speakers: [{...a, color: 'red;}'}, b,"
        " {...c, name: 'Rui', color: '#123456'}]};"
        " fake.text(row, 8, [], true); }"
    )
    expect(page.locator(".ht-speaker-name").nth(2)).to_have_text("Rui")
    expect(page.locator(".ht-segment")).to_have_count(8)
    dots = page.locator(".ht-speaker > i")
    assert dots.nth(2).evaluate("dot => getComputedStyle(dot).backgroundColor") == "rgb(18, 52, 86)"
    assert dots.nth(0).evaluate("dot => getComputedStyle(dot).backgroundColor") != "rgb(255, 0, 0)"


def test_hostile_names_and_texts_are_inert(page: Page) -> None:
    """Markup in a file's name, a transcript or an error is shown, never obeyed."""
    show(page, "fake.rows = [];")
    page.set_input_files(FILES, [file("x.wav", b"12")])
    page.evaluate(
        "evil => { const row = fake.row({id: 'evil', name: evil, session: "
        "evil, engine: evil, model: evil,"
        " sends_audio_to: evil, warnings: [evil], state: 'failed', error: "
        "{code: evil, message: evil}});"
        " fake.texts.evil = {segments: [fake.segment(0, evil, {speaker: evil})], complete: true};"
        " fake.setRows([row]); fake.tell({type: 'notice', code: evil, message: evil});"
        " fake.tell({type: 'model_told', engine: evil, model: evil, stage: "
        "'decoding', percentage: null, error: null}); }",
        HOSTILE,
    )

    page.click(".ht-name >> nth=0")
    expect(page.locator(".ht-segment p")).to_have_text(HOSTILE)
    expect(page.locator(".ht-name")).to_have_text(HOSTILE)
    page.get_by_role("button", name="Delete").first.click()
    expect(page.get_by_role("dialog")).to_contain_text(HOSTILE)

    assert page.locator(".ht-hud img, .ht-hud script").count() == 0
    assert page.evaluate("globalThis.hurt") is None


def test_a_reload_keeps_the_session(page: Page) -> None:
    """The page and its address remember whose queue it is; a link brings it elsewhere."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    show(page, "fake.welcome.session_id = 'q'.repeat(32);", URL + "?theme=dark")
    assert heard(page, "hello")[0].get("session_id") is None
    assert page.url == f"{URL}?theme=dark#session={'q' * 32}"

    page.reload()
    page.wait_for_selector(".ht-dot[data-line=up]")
    assert heard(page, "hello")[0]["session_id"] == "q" * 32
    page.get_by_role("button", name="Copy link").click()
    expect(page.get_by_role("button", name="Link copied")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == page.url


def test_where_the_kernel_remembers_the_page_does_not(page: Page) -> None:
    """Without a session to remember, address, title and storage stay as they are."""
    show(page, "fake.welcome.session_id = null; fake.rows = scenes.rows(fake);")
    page.wait_for_timeout(700)

    assert page.url == URL
    assert page.title() == "Panel"
    assert page.evaluate("localStorage.getItem('hybrid-transcribe.session')") is None


@pytest.mark.parametrize(
    ("where", "told"),
    [
        ("fake.welcome.session_id = null;", "The kernel does not answer: it may be busy"),
        ("", "The service does not answer right now"),
    ],
    ids=["notebook", "page"],
)
def test_a_silent_kernel_is_told(page: Page, where: str, told: str) -> None:
    """People learn that it is busy, in words they know, and that nothing is lost."""
    page.clock.install()
    show(page, f"{where} fake.rows = [fake.row({{id: 'a', state: 'running'}})];")
    page.evaluate("fake.mute = true")
    row(page, "a.wav").get_by_role("button", name="Cancel").click()
    page.clock.run_for(12_000)
    expect(page.get_by_role("alert").filter(has_text=told)).to_be_visible()

    page.evaluate("fake.setRows(fake.rows)")
    expect(page.locator(".ht-dot")).to_have_attribute("data-line", "up")


def test_a_closed_view_leaves_nothing(page: Page) -> None:
    """What a cell showed is gone with it, and its hub listens no more."""
    show(page, TALK)

    page.evaluate("closeView(); closeHub();")

    expect(page.locator(".ht-hud")).to_have_count(0)
    page.evaluate("fake.setRows([])")


# ------------------------------------------------------------------------------ looks


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_stands_out(browser: Browser, scheme: Any) -> None:
    """Every text has a contrast of 4.5 to what it stands on, in light and in dark."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, color_scheme=scheme)
    serve(context)
    page = context.new_page()
    show(page, TALK + "fake.rows.push(...scenes.troubles(fake).slice(2));")
    page.click(".ht-name >> nth=0")
    page.select_option("[name=engine]", "assemblyai")
    page.evaluate("fake.tell({type: 'notice', code: 'disk_full', message: 'x'})")
    page.evaluate(
        "fake.tell({type: 'problem', ref: null, error: {code: 'queue_full', message: 'x'}})"
    )
    expect(page.locator(".ht-notice:visible")).to_have_count(2)
    page.fill("[name=search]", "the")
    page.wait_for_timeout(300)

    faint = page.evaluate((HERE / "contrast.js").read_text(encoding="utf-8"))
    context.close()
    assert faint == []


@pytest.fixture(scope="session")
def axe_script(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The source of axe-core: from the folder that a variable names, else from npm."""
    named = os.environ.get(AXE_VARIABLE)
    folder = Path(named) if named else install("axe-core@4", tmp_path_factory.mktemp("axe"))
    return (folder / "axe.min.js").read_text(encoding="utf-8")


def test_axe_finds_nothing(page: Page, axe_script: str) -> None:
    """The rules of axe-core hold, in a busy panel with a dialog and without."""
    show(page, TALK + "fake.rows.push(...scenes.troubles(fake).slice(2));")
    page.click(".ht-name >> nth=0")
    expect(page.locator(".ht-segment").first).to_be_visible()
    page.add_script_tag(content=axe_script)

    def offences() -> list[str]:
        result = page.evaluate("axe.run('.ht-hud').then((it) => it.violations)")
        return [f"{item['id']}: {node['html'][:150]}" for item in result for node in item["nodes"]]

    assert offences() == []
    page.get_by_role("button", name="Change engine…").first.click()
    assert offences() == []
