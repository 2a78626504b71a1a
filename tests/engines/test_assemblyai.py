"""The AssemblyAI engine against a cloud that keeps to its contract and breaks its promises."""

from __future__ import annotations

import asyncio
import functools
import json
import logging
import socket
import subprocess
import sys
import threading
import time
import traceback
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import assemblyai as aai
import av
import numpy as np
import pytest

from hybrid_transcribe.config import Settings
from hybrid_transcribe.contract import check_engine
from hybrid_transcribe.engines.assemblyai.account import account_of, wanting
from hybrid_transcribe.engines.assemblyai.engine import AssemblyAI
from hybrid_transcribe.engines.assemblyai.note import Note
from hybrid_transcribe.engines.assemblyai.pace import Deadline, PollingPace, retry_after_s
from hybrid_transcribe.engines.assemblyai.request import request_for
from hybrid_transcribe.engines.assemblyai.wire import Wire
from hybrid_transcribe.engines.assemblyai.words import LONGEST_S, segments
from hybrid_transcribe.errors import (
    EngineError,
    EngineFailed,
    EngineUnavailable,
    InvalidOption,
    TimedOut,
    UnknownModel,
)
from hybrid_transcribe.interfaces import (
    CheckpointUpdate,
    ClipDone,
    EngineWarning,
    Heard,
    Language,
    LoadRequest,
    ModelFiles,
    StageUpdate,
)
from hybrid_transcribe.testing import tone, write_wav
from hybrid_transcribe.types import RATE_HZ, Clip, Options, Segment, Stage
from tests.engines.aai_server import (
    BRISK,
    KEY,
    TEXT,
    Cloud,
    Contract,
    Fault,
    contract_path,
    serving,
)

#: Long enough for every word the cloud says.
CLIP = tone(8.0, name="talk")


@functools.cache
def contract() -> Contract:
    return Contract(contract_path())


@pytest.fixture
def cloud() -> Iterator[Cloud]:
    """A cloud of one's own; every request and answer has to fit the contract."""
    with serving(Cloud(contract())) as served:
        yield served
    assert served.violations == []


def settings_for(cloud: Cloud, **more: Any) -> Settings:
    return Settings(assemblyai_api_key=KEY, assemblyai_base_url=cloud.url, **more)


def engine_at(cloud: Cloud, pace: PollingPace = BRISK, model: str = "", **more: Any) -> AssemblyAI:
    engine = AssemblyAI(pace)
    engine.load(LoadRequest(ModelFiles(model), settings=settings_for(cloud, **more)))
    return engine


@dataclass
class Run:
    """What an engine says about some clips, told by key."""

    said: list[tuple[int, Heard | ClipDone | Exception]] = field(default_factory=list)

    def of(self, kind: type[Any], key: int | None = None) -> list[Any]:
        return [h for k, h in self.said if isinstance(h, kind) and key in (None, k)]

    @property
    def text(self) -> str:
        return " ".join(s.text for s in self.of(Segment))

    @property
    def notes(self) -> list[str]:
        return [r.note for r in self.of(CheckpointUpdate)]

    @property
    def error(self) -> Exception:
        (error,) = self.of(Exception)
        return error  # type: ignore[no-any-return]


def run(
    engine: AssemblyAI,
    *clips: Clip,
    options: Options | None = None,
    canceled: Callable[[int], bool] = lambda _: False,
) -> Run:
    done = Run()
    for line in engine.transcribe_many(enumerate(clips), options or Options(), canceled):
        done.said.append(line)
    return done


def noted(cloud: Cloud, **more: Any) -> Clip:
    """A clip with the note of an earlier attempt that was killed."""
    digest = request_for(more.pop("options", Options()), "universal-3-5-pro").digest
    url = more.pop("base_url", cloud.url)
    note = Note(url, digest, more.pop("upload_url", f"{cloud.url}/upload/x"), **more)
    return replace(CLIP, note=note.text)


def submitted(cloud: Cloud) -> str:
    """The id of a transcript that an earlier attempt had made."""
    said = run(engine_at(cloud), CLIP)
    assert said.text == TEXT
    cloud.submissions[0].looks = 0
    cloud.uploads.clear()
    cloud.requests.clear()
    cloud.listings = 0
    return cloud.submissions[0].id


# ------------------------------------------------------------------------- the usual way


def test_the_text_comes_with_its_language_and_times(cloud: Cloud) -> None:
    """Sentences as segments, inside the recording, without words nobody asked for."""
    said = run(engine_at(cloud), CLIP)
    assert said.of(Language) == [Language("en", 0.83)]
    assert [(s.start_s, s.end_s, s.text) for s in said.of(Segment)] == [
        (0.0, 1.45, "Good morning everybody."),
        (1.5, 5.95, "Today we speak about rivers, and how they move."),
        (6.0, 6.95, "Any questions?"),
    ]
    assert not any(s.words or s.speaker or s.avg_logprob for s in said.of(Segment))
    assert isinstance(said.said[-1][1], ClipDone)


@pytest.mark.slow
def test_it_keeps_what_engines_promise(cloud: Cloud) -> None:
    """The same checks as for the engine of anybody."""
    request = LoadRequest(ModelFiles("universal-2"), settings=settings_for(cloud))
    check_engine(AssemblyAI(BRISK), CLIP, request)


def test_the_order_in_which_things_are_told(cloud: Cloud) -> None:
    """Upload, note, wait, note, text: a kill between any two loses nothing."""
    said = run(engine_at(cloud), CLIP)
    lines = [str(h.stage) if isinstance(h, StageUpdate) else type(h).__name__ for _, h in said.said]
    kinds = [a for a, b in pairwise([*lines, ""]) if a != b]
    assert kinds == [
        "uploading-to-cloud",
        "CheckpointUpdate",
        "waiting-for-cloud",
        "CheckpointUpdate",
        "waiting-for-cloud",
        "Language",
        "Segment",
        "ClipDone",
    ]
    first, second = (json.loads(note) for note in said.notes)
    assert set(first) == {"base_url", "request", "upload_url"}
    assert second == {**first, "transcript_id": cloud.submissions[0].id}


def test_the_upload_is_lossless_and_tells_how_far_it_is(cloud: Cloud) -> None:
    """FLAC of the very same 16-bit samples."""
    rng = np.random.default_rng(3)
    whole = rng.integers(-32768, 32768, 30 * RATE_HZ).astype(np.int16)
    clip = Clip((whole / 32768.0).astype(np.float32))
    said = run(engine_at(cloud), clip)
    (upload,) = cloud.uploads
    percentages = [
        d.percentage for d in said.of(StageUpdate) if d.stage is Stage.UPLOADING_TO_CLOUD
    ]
    assert percentages == sorted(percentages)
    assert percentages[0] == 0.0
    assert percentages[-1] == 100.0
    assert len(percentages) > 3
    with av.open(_file(upload.body)) as media:
        event = np.concatenate([f.to_ndarray().ravel() for f in media.decode(audio=0)])
        assert media.streams.audio[0].rate == RATE_HZ
    assert np.array_equal(event, whole)


def _file(body: bytes) -> Any:
    import io

    return io.BytesIO(body)


def test_the_next_clip_is_taken_when_the_last_ones_samples_are_gone(cloud: Cloud) -> None:
    """Four hours are 900 MB: one recording at a time."""
    alive: list[bool] = []
    seen: list[weakref.ref[Any]] = []

    def clips() -> Iterator[tuple[int, Clip]]:
        for key in range(3):
            alive.append(any(ref() is not None for ref in seen))
            items = [tone(2.0)]
            seen.append(weakref.ref(items[0].samples))
            yield key, items.pop()

    for _ in engine_at(cloud).transcribe_many(clips(), Options(), lambda _: False):
        pass
    assert alive == [False, False, False]
    assert len(cloud.submissions) == 3


def test_words_when_they_are_asked_for(cloud: Cloud) -> None:
    """With their times and how sure the service is."""
    said = run(engine_at(cloud), CLIP, options=Options(word_timestamps=True))
    words = [w for s in said.of(Segment) for w in s.words]
    assert [w.text for w in words] == TEXT.split()
    assert (words[3].start_s, words[3].end_s, words[3].probability) == (1.5, 1.95, 0.9)


def test_speakers_when_they_are_asked_for(cloud: Cloud) -> None:
    """Each turn begins a segment, and names its speaker."""
    said = run(engine_at(cloud), CLIP, options=Options(diarize=True, word_timestamps=True))
    assert [(s.speaker, len(s.words)) for s in said.of(Segment)] == [("A", 3), ("B", 9), ("C", 2)]
    assert {w.speaker for w in said.of(Segment)[1].words} == {"B"}
    assert cloud.submissions[0].asked["speaker_labels"] is True


def test_a_given_language_is_asked_for_and_not_told_again(cloud: Cloud) -> None:
    """No detection, so nothing was found."""
    said = run(engine_at(cloud), CLIP, options=Options(language="pt"))
    assert said.of(Language) == []
    assert cloud.submissions[0].asked["language_code"] == "pt"
    assert "language_detection" not in cloud.submissions[0].asked


def test_another_model_than_the_one_asked_for_is_told(cloud: Cloud) -> None:
    """The service goes on to the next of the list for a language the first does not know."""
    engine = engine_at(cloud, model="assemblyai-stt-3-7")
    assert run(engine, CLIP).of(EngineWarning) == []
    assert cloud.submissions[0].asked["speech_models"] == ["assemblyai-stt-3-7", "universal-2"]
    cloud.submissions[0].asked["speech_models"] = ["universal-2"]
    cloud.submissions[0].looks = 0
    digest = request_for(Options(), "assemblyai-stt-3-7").digest
    note = Note(cloud.url, digest, "u", cloud.submissions[0].id).text
    (notice,) = run(engine, replace(CLIP, note=note)).of(EngineWarning)
    assert notice.text == "AssemblyAI took model universal-2 instead of assemblyai-stt-3-7"


@pytest.mark.parametrize(
    "clip", [Clip(np.zeros(0, np.float32)), tone(0.1), Clip(np.zeros(16_000, np.float32))]
)
def test_nothing_to_hear_is_sent_to_nobody(cloud: Cloud, clip: Clip) -> None:
    """Neither less than the service takes, nor digital silence."""
    said = run(engine_at(cloud), clip)
    assert [type(h) for _, h in said.said if not isinstance(h, EngineWarning)] == [ClipDone]
    assert cloud.requests == []


def test_several_recordings_wait_side_by_side(cloud: Cloud) -> None:
    """All are under way before the first is done, and one bad one stops no other."""
    cloud.held = True
    lines: list[Run] = []
    engine = engine_at(cloud)
    thread = threading.Thread(target=lambda: lines.append(run(engine, *[CLIP] * 8)))
    thread.start()
    cloud.wait(lambda: len(set(cloud.polls)) == 8)
    cloud.meet("look", Fault("status", 400, "no such luck"))
    cloud.wait(lambda: not cloud.faults["look"])
    cloud.release()
    thread.join()
    (said,) = lines
    assert len(said.of(ClipDone)) == 7
    assert "no such luck" in str(said.error)
    assert len(said.of(Segment)) == 21


def test_a_clip_that_cannot_be_had_ends_the_batch(cloud: Cloud) -> None:
    """As with every engine: the error of the source is raised."""

    def clips() -> Iterator[tuple[int, Clip]]:
        yield 0, CLIP
        raise EngineFailed("no more")

    with pytest.raises(EngineFailed, match="no more"):
        list(engine_at(cloud).transcribe_many(clips(), Options(), lambda _: False))


# --------------------------------------------------------------------------- the SDK


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (Options(diarize=True, speakers=2), {"speakers_expected": 2}),
        (Options(diarize=True, min_speakers=2), {"speaker_options": {"min_speakers_expected": 2}}),
        (
            Options(diarize=True, min_speakers=2, max_speakers=4),
            {"speaker_options": {"min_speakers_expected": 2, "max_speakers_expected": 4}},
        ),
        (Options(diarize=True), {}),
    ],
)
def test_how_many_speak_is_said(options: Options, expected: dict[str, object]) -> None:
    """In the words of the contract."""
    body = request_for(options, "universal-2").body("https://example.org/a")
    assert contract().faults("TranscriptParams", body) == []
    assert {n: v for n, v in body.items() if "speaker" in n} == {"speaker_labels": True, **expected}


def test_the_request_is_the_sdks_own(cloud: Cloud) -> None:
    """Built by its types, valid by the contract, sent by its client."""
    options = Options(language="pt", diarize=True, hotwords="Douro, Tejo\nrio Minho")
    request = request_for(options, "universal-2")
    assert isinstance(request.config, aai.TranscriptionConfig)
    body = request.body("https://example.org/a")
    assert contract().faults("TranscriptParams", body) == []
    assert body == {
        "audio_url": "https://example.org/a",
        "speech_models": ["universal-2"],
        "language_code": "pt",
        "speaker_labels": True,
        "keyterms_prompt": ["Douro", "Tejo", "rio Minho"],
    }
    run(engine_at(cloud, model="universal-2"), CLIP, options=options)
    assert {**cloud.submissions[0].asked, "audio_url": ""} == {**body, "audio_url": ""}
    assert all("AssemblyAI/1.0 (sdk=Python/" in h["User-Agent"] for h in cloud.headers)


def test_the_sdks_own_client_is_served_too(
    cloud: Cloud, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So the fake is no friend of ours alone."""
    for name in ("http_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    settings = aai.Settings(api_key=KEY, base_url=cloud.url, polling_interval=0.01)
    client = aai.Client(settings=settings)
    config = aai.TranscriptionConfig(speech_models=["universal-2"], language_detection=True)
    transcript = aai.Transcriber(client=client, config=config).transcribe(
        str(write_wav(tmp_path / "a.wav", CLIP))
    )
    client.http_client.close()
    assert transcript.text == TEXT
    assert transcript.words is not None
    assert len(transcript.words) == 14


def test_too_many_or_too_long_hotwords_are_left_out_and_told() -> None:
    """The service would refuse the whole request."""
    words = ", ".join([*(f"w{i}" for i in range(201)), "one two three four five six seven"])
    request = request_for(Options(hotwords=words), "universal-2")
    assert len(request.body("u")["keyterms_prompt"]) == 200
    assert len(request.notices) == 2


def test_an_unknown_language_names_the_choices() -> None:
    """Before anything is sent."""
    with pytest.raises(InvalidOption, match="'tlh'; choose from: en, es"):
        request_for(Options(language="tlh"), "universal-2")


def test_proxies_of_the_environment_are_not_for_this_machine(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They would be asked for loopback too."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert run(engine_at(cloud), CLIP).text == TEXT


# ------------------------------------------------------------------------ after a restart


def test_a_noted_transcript_is_waited_for_and_never_made_twice(cloud: Cloud) -> None:
    """No upload, no submission, the whole text."""
    result = submitted(cloud)
    said = run(engine_at(cloud), noted(cloud, transcript_id=result))
    assert said.text == TEXT
    assert said.notes == []
    assert (cloud.count("POST"), len(cloud.submissions)) == (0, 1)


@pytest.mark.parametrize("page", [1, 200])
def test_killed_between_submission_and_note_it_is_found_again(cloud: Cloud, page: int) -> None:
    """By the address of its audio, on any page of the listing."""
    result = submitted(cloud)
    url = cloud.submissions[0].audio_url
    run(engine_at(cloud), CLIP)
    cloud.page = page
    cloud.requests.clear()
    said = run(engine_at(cloud), noted(cloud, upload_url=url))
    assert said.text == TEXT
    assert json.loads(said.notes[-1])["transcript_id"] == result
    assert cloud.count("POST") == 0
    assert cloud.listings == (2 if page == 1 else 1)


def test_killed_before_submission_it_is_submitted_without_another_upload(cloud: Cloud) -> None:
    """The listing knows nothing of it."""
    submitted(cloud)
    said = run(engine_at(cloud), noted(cloud, upload_url="http://127.0.0.1/upload/7"))
    assert said.text == TEXT
    assert cloud.uploads == []
    assert cloud.submissions[1].asked["audio_url"] == "http://127.0.0.1/upload/7"


@pytest.mark.parametrize("forgets", [True, False])
def test_a_transcript_that_was_deleted_meanwhile_is_made_anew(cloud: Cloud, forgets: bool) -> None:
    """Whether the service forgets it or keeps an empty one."""
    cloud.forgets = forgets
    result = submitted(cloud)
    cloud.submissions[0].deleted = True
    cloud.submissions[0].audio_url = "http://deleted_by_user"
    said = run(engine_at(cloud), noted(cloud, transcript_id=result))
    assert said.text == TEXT
    assert (len(cloud.uploads), len(cloud.submissions)) == (1, 2)


def test_a_transcript_that_goes_while_it_is_waited_for_is_an_error(cloud: Cloud) -> None:
    """Somebody deleted it on purpose: it is not paid for again without being asked."""
    cloud.held = True
    lines: list[Run] = []
    engine = engine_at(cloud)
    thread = threading.Thread(target=lambda: lines.append(run(engine, CLIP)))
    thread.start()
    cloud.wait(lambda: len(cloud.polls) >= 3)
    with cloud.news:
        cloud.submissions[0].deleted = True
    thread.join()
    assert "no longer has transcript" in str(lines[0].error)
    assert len(cloud.submissions) == 1


def test_a_note_from_another_address_is_not_used(cloud: Cloud) -> None:
    """Its transcript cannot be asked for here, so people are told where it stays."""
    clip = noted(cloud, transcript_id="t-1", base_url="https://api.eu.assemblyai.com")
    said = run(engine_at(cloud), clip)
    assert said.text == TEXT
    assert [n.text for n in said.of(EngineWarning)] == [
        "Transcript t-1 stays at https://api.eu.assemblyai.com"
    ]
    assert len(cloud.submissions) == 1


def test_other_options_make_another_transcript_and_delete_the_first(cloud: Cloud) -> None:
    """A retry in another language must not get the old text."""
    result = submitted(cloud)
    options = Options(language="pt")
    said = run(engine_at(cloud), noted(cloud, transcript_id=result), options=options)
    assert said.text == TEXT
    assert [d for d, _ in cloud.deletes] == [result]
    assert cloud.submissions[1].asked["language_code"] == "pt"


def test_a_note_of_somebody_else_is_passed_over(cloud: Cloud) -> None:
    """What cannot be read means nothing."""
    assert run(engine_at(cloud), replace(CLIP, note="transcript 7")).text == TEXT


def test_nothing_is_submitted_before_the_note_is_journalled(cloud: Cloud) -> None:
    """The listener decides when: that is how it says so."""
    lines = engine_at(cloud).transcribe_many([(0, CLIP)], Options(), lambda _: False)
    for _, said in lines:
        if isinstance(said, CheckpointUpdate):
            break
    # Nothing can tell that nothing happens: time enough for ten submissions, were it not waiting.
    time.sleep(0.2)
    assert cloud.submissions == []
    for _, said in lines:
        if isinstance(said, CheckpointUpdate):
            break
    polls = len(cloud.polls)
    time.sleep(0.1)
    assert (len(cloud.submissions), polls, len(cloud.polls)) == (1, 0, 0)
    assert [type(h) for _, h in lines][-1] is ClipDone


# ------------------------------------------------------------------------------- faults

PASSING = {
    "500": [Fault("status", 500)] * 3,
    "503 without a word": [Fault("status", 503, "")],
    "429": [Fault("status", 429, retry_after="0")],
    "429 until a date": [Fault("status", 429, retry_after="Wed, 21 Oct 2015 07:28:00 GMT")],
    "drop": [Fault("drop")] * 2,
    "drop after the deed": [Fault("drop", acted=True)],
    "504 after the deed": [Fault("status", 504, acted=True)],
    "hang": [Fault("hang")],
    "hang after the deed": [Fault("hang", acted=True)],
    "drip": [Fault("drip", acted=True)],
    "trickle": [Fault("trickle", acted=True)],
    "a page to log in": [Fault("text")],
}


@pytest.mark.parametrize("endpoint", ["submit", "look"])
@pytest.mark.parametrize("trouble", PASSING)
def test_trouble_that_passes_is_sat_out(cloud: Cloud, trouble: str, endpoint: str) -> None:
    """One text, and one transcript to pay for."""
    cloud.meet(endpoint, *PASSING[trouble])
    endless = PASSING[trouble][0].kind in ("hang", "drip", "trickle")
    said = run(engine_at(cloud, replace(BRISK, request_s=0.4 if endless else 5.0)), CLIP)
    assert said.text == TEXT
    assert len(cloud.submissions) == 1


@pytest.mark.parametrize("trouble", ["500", "429", "drop", "504 after the deed"])
def test_an_upload_is_repeated(cloud: Cloud, trouble: str) -> None:
    """It costs nothing, so only what is submitted counts."""
    cloud.meet("upload", *PASSING[trouble])
    said = run(engine_at(cloud), CLIP)
    assert said.text == TEXT
    assert len(cloud.submissions) == 1
    assert cloud.submissions[0].asked["audio_url"] == cloud.uploads[-1].url


def test_an_answer_that_was_lost_is_looked_for_before_anything_is_repeated(cloud: Cloud) -> None:
    """Also where looking takes several tries."""
    cloud.meet("submit", Fault("drop", acted=True))
    cloud.meet("list", Fault("status", 500), Fault("drop"), Fault("text"))
    said = run(engine_at(cloud), CLIP)
    assert said.text == TEXT
    assert len(cloud.submissions) == 1
    assert cloud.count("POST", "/transcript") == 1


def test_retry_after_is_honoured(cloud: Cloud) -> None:
    """Nothing is asked before its time."""
    cloud.meet("look", Fault("status", 429, retry_after="1"))
    started = time.monotonic()
    assert run(engine_at(cloud), CLIP).text == TEXT
    # The tests' pace follows it for 0.3 s at most.
    assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize("outcome", ["queued", "processing", "thinking about it"])
def test_a_transcript_that_never_ends_runs_out_of_time(cloud: Cloud, outcome: str) -> None:
    """Also in a status nobody knows; the message says under which name it goes on."""
    cloud.outcome = outcome
    pace = replace(BRISK, now=lambda: 1e6 if len(cloud.polls) >= 3 else 0.0)
    said = run(engine_at(cloud, pace), CLIP)
    assert isinstance(said.error, TimedOut)
    assert cloud.submissions[0].id in str(said.error)
    assert repr(outcome) in str(said.error)
    # A retry goes on from the last note.
    cloud.outcome = "completed"
    again = run(engine_at(cloud), replace(CLIP, note=said.notes[-1]))
    assert again.text == TEXT
    assert len(cloud.submissions) == 1


@pytest.mark.parametrize("endpoint", ["upload", "submit", "look"])
@pytest.mark.parametrize("kind", ["status", "hang", "drip", "trickle"])
def test_trouble_that_does_not_pass_runs_out_of_time(
    cloud: Cloud, endpoint: str, kind: str
) -> None:
    """However slowly it answers, byte by byte."""
    cloud.always[endpoint] = Fault(kind, 503)
    pace = replace(BRISK, request_s=0.1)
    if endpoint != "upload":
        items = ("POST", "/v2/transcript") if endpoint == "submit" else ("GET", "")
        pace = replace(pace, now=lambda: 1e6 if cloud.count(*items) >= 2 else 0.0)
    patience_s = 0.1 if endpoint == "upload" else 900.0
    said = run(engine_at(cloud, pace, cloud_timeout_s=patience_s), tone(0.2))
    assert isinstance(said.error, TimedOut)
    assert ("goes on there" in str(said.error)) == (endpoint == "look")


def test_a_key_that_is_not_accepted_fails_at_once(cloud: Cloud) -> None:
    """With the variable to set, and without the key."""
    engine = AssemblyAI(BRISK)
    wrong = Settings(assemblyai_api_key="wrong-key-123", assemblyai_base_url=cloud.url)
    engine.load(LoadRequest(ModelFiles(""), settings=wrong))
    said = run(engine, CLIP)
    assert isinstance(said.error, EngineUnavailable)
    assert "ASSEMBLYAI_API_KEY" in str(said.error)
    assert "wrong-key" not in str(said.error)
    assert len(cloud.requests) == 1


@pytest.mark.parametrize("endpoint", ["upload", "submit", "look"])
def test_access_refused_fails_at_once_wherever_it_comes(cloud: Cloud, endpoint: str) -> None:
    """Such as when the key is withdrawn half way."""
    cloud.always[endpoint] = Fault("status", 403, "account disabled")
    said = run(engine_at(cloud), CLIP)
    assert isinstance(said.error, EngineUnavailable)
    assert "HTTP 403: account disabled" in str(said.error)
    assert len(cloud.polls) == 0


def test_a_refused_request_says_why(cloud: Cloud) -> None:
    """In the service's words."""
    cloud.meet("submit", Fault("status", 400, "speech_models: choose others"))
    said = run(engine_at(cloud), CLIP)
    assert str(said.error) == "AssemblyAI refused (HTTP 400): speech_models: choose others"


def test_a_redirection_is_not_followed(cloud: Cloud) -> None:
    """The key goes nowhere else."""
    cloud.always["upload"] = Fault("status", 307)
    assert "HTTP 307" in str(run(engine_at(cloud), CLIP).error)
    assert {path for _, path in cloud.requests} == {"/v2/upload"}


def test_a_failed_transcript_is_an_error_and_a_retry_begins_anew(cloud: Cloud) -> None:
    """The old one is deleted, not asked for again."""
    cloud.outcome = "error"
    said = run(engine_at(cloud), CLIP)
    assert isinstance(said.error, EngineFailed)
    assert "does not appear to contain audio" in str(said.error)
    assert json.loads(said.notes[-1])["failed"] is True
    cloud.outcome = "completed"
    again = run(engine_at(cloud), replace(CLIP, note=said.notes[-1]))
    assert again.text == TEXT
    assert [d for d, _ in cloud.deletes] == [cloud.submissions[0].id]
    assert (len(cloud.uploads), len(cloud.submissions)) == (2, 2)


def test_an_old_transcript_that_cannot_be_deleted_is_told(cloud: Cloud) -> None:
    """The retry goes on all the same."""
    cloud.always["delete"] = Fault("status", 400, "still processing")
    result = submitted(cloud)
    said = run(engine_at(cloud), noted(cloud, transcript_id=result, failed=True))
    assert said.text == TEXT
    (notice,) = said.of(EngineWarning)
    assert notice.text.startswith(f"Transcript {result} stays at AssemblyAI: ")


@pytest.mark.parametrize("failed", [True, False])
@pytest.mark.parametrize("fault", [Fault("status", 503), Fault("hang"), Fault("trickle")])
def test_an_old_transcript_whose_deletion_never_ends_holds_nothing_up(
    cloud: Cloud, fault: Fault, failed: bool
) -> None:
    """The retry goes on after a while, and people hear which transcript to delete."""
    result = submitted(cloud)
    cloud.always["delete"] = fault
    options = Options() if failed else Options(language="pt")
    clip = noted(cloud, transcript_id=result, failed=failed)
    pace = replace(BRISK, discarding_s=0.1)
    said = run(engine_at(cloud, pace, cloud_timeout_s=5.0), clip, options=options)
    assert said.text == TEXT
    assert len(cloud.submissions) == 2
    (notice,) = said.of(EngineWarning)
    text = f"Transcript {result} may still be at AssemblyAI; delete it there ("
    assert notice.text.startswith(text)


def test_a_deletion_leaves_time_for_the_text(cloud: Cloud) -> None:
    """Half of it at least, where there is little."""
    result = submitted(cloud)
    cloud.always["delete"] = Fault("status", 503)
    clip = replace(tone(0.2), note=noted(cloud, transcript_id=result, failed=True).note)
    said = run(engine_at(cloud, replace(BRISK, discarding_s=60.0), cloud_timeout_s=1.0), clip)
    assert said.of(Exception) == []
    assert len(cloud.submissions) == 2


def test_nobody_speaks_is_no_error(cloud: Cloud) -> None:
    """The service fails where it can detect no language; for us it is a recording without text."""
    cloud.outcome = "error"
    cloud.error = "language_detection cannot be performed on files with no spoken audio."
    said = run(engine_at(cloud), CLIP)
    assert [n.text for n in said.of(EngineWarning)] == ["Nobody speaks in this recording."]
    assert said.of(Exception) == said.of(Segment) == []


# ------------------------------------------------------------------------------- cancel


@dataclass
class Canceling:
    """A run on a thread of its own, canceled when the test wants."""

    said: Run = field(default_factory=Run)
    keys: set[int] = field(default_factory=set)
    canceled_at: float = 0.0

    def start(self, engine: AssemblyAI, *clips: Clip) -> None:
        def work() -> None:
            lines = engine.transcribe_many(enumerate(clips), Options(), self.keys.__contains__)
            self.said.said.extend(lines)

        self._thread = threading.Thread(target=work)
        self._thread.start()

    def cancel(self, key: int = 0) -> None:
        self.canceled_at = time.monotonic()
        self.keys.add(key)

    def end(self) -> Run:
        self._thread.join(10)
        assert not self._thread.is_alive()
        return self.said


def test_a_cancel_deletes_the_transcript_and_takes_the_note_back(cloud: Cloud) -> None:
    """Within the time before the worker would be killed; the neighbour goes on."""
    cloud.held = True
    canceling = Canceling()
    canceling.start(engine_at(cloud), CLIP, CLIP)
    cloud.wait(lambda: len(set(cloud.polls)) == 2)
    first = next(t for t in cloud.submissions if t.asked["audio_url"] == cloud.uploads[0].url)
    canceling.cancel()
    cloud.wait(lambda: len(cloud.deletes) == 1)
    cloud.release()
    said = canceling.end()
    gone = {json.loads(n.note).get("transcript_id") for n in said.of(CheckpointUpdate, 0)[:-1]}
    assert cloud.deletes[0][0] in gone
    assert cloud.deletes[0][1] - canceling.canceled_at < 2.0
    assert said.of(CheckpointUpdate, 0)[-1] == CheckpointUpdate("")
    assert said.of(ClipDone, 0) == [ClipDone()]
    assert said.of(Segment, 0) == []
    assert len(said.of(Segment, 1)) == 3
    assert first is not None


def test_a_cancel_right_behind_the_encoder_is_heard(cloud: Cloud) -> None:
    """Before the recording's task has done anything, and looked for without a pause."""
    lines: list[Any] = []

    def canceled(_: int) -> bool:
        # The clips' thread has looked for the last time when the other one learns of it.
        return threading.current_thread().name == "assemblyai-waiting"

    def work() -> None:
        engine = engine_at(cloud, replace(BRISK, look_s=0.0))
        lines.extend(engine.transcribe_many([(0, CLIP)], Options(), canceled))

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(5)
    assert not thread.is_alive()
    assert lines[-1] == (0, ClipDone())
    assert cloud.submissions == []


@pytest.mark.parametrize("kind", ["late", "hang"])
def test_a_cancel_while_the_submission_is_under_way_still_deletes(cloud: Cloud, kind: str) -> None:
    """Its id comes with the answer, or where that never comes, with the listing."""
    cloud.meet("submit", Fault(kind, acted=True))
    canceling = Canceling()
    pace = replace(BRISK, submitting_s=2.0 if kind == "late" else 0.1, request_s=10.0)
    canceling.start(engine_at(cloud, pace), CLIP)
    cloud.wait(lambda: len(cloud.submissions) == 1)
    canceling.cancel()
    cloud.late = True
    cloud.wait(lambda: len(cloud.deletes) == 1)
    said = canceling.end()
    assert cloud.deletes[0][0] == cloud.submissions[0].id
    assert cloud.deletes[0][1] - canceling.canceled_at < 2.0
    assert said.notes[-1] == ""
    assert cloud.polls == []
    assert cloud.listings == (0 if kind == "late" else 1)


def test_a_cancel_before_the_submission_leaves_nothing(cloud: Cloud) -> None:
    """An upload alone goes by itself."""
    cloud.always["upload"] = Fault("hang", acted=True)
    canceling = Canceling()
    canceling.start(engine_at(cloud), CLIP)
    cloud.wait(lambda: len(cloud.uploads) == 1)
    canceling.cancel()
    said = canceling.end()
    assert said.notes == []
    assert said.of(ClipDone) == [ClipDone()]
    assert (cloud.submissions, cloud.deletes) == ([], [])


def test_a_cancel_between_upload_and_submission_takes_the_note_back(cloud: Cloud) -> None:
    """There is no transcript for sure."""
    cloud.always["submit"] = Fault("status", 429, retry_after="60")
    canceling = Canceling()
    canceling.start(engine_at(cloud), CLIP)
    cloud.wait(lambda: cloud.count("POST", "/transcript") == 1)
    canceling.cancel()
    assert canceling.end().notes[-1] == ""
    assert cloud.submissions == []


@pytest.mark.parametrize("kind", ["hang", "drip", "status"])
def test_a_cancel_during_trouble_is_heard(cloud: Cloud, kind: str) -> None:
    """While a request hangs, drips, or waits to be repeated."""
    cloud.always["look"] = Fault(kind, 503, retry_after="60")
    pace = replace(BRISK, request_s=30.0, silence_s=30.0, retry_after_longest_s=60.0)
    canceling = Canceling()
    canceling.start(engine_at(cloud, pace), CLIP)
    cloud.wait(lambda: cloud.count("GET") == 1)
    canceling.cancel()
    assert canceling.end().notes[-1] == ""
    assert cloud.deletes[0][1] - canceling.canceled_at < 2.0


@pytest.mark.parametrize("fault", [Fault("hang"), Fault("status", 400), Fault("status", 503)])
def test_a_transcript_that_cannot_be_deleted_at_once_stays_noted(
    cloud: Cloud, fault: Fault
) -> None:
    """So that it is deleted later; the cancel itself takes no longer for it."""
    cloud.held = True
    cloud.always["delete"] = fault
    canceling = Canceling()
    canceling.start(engine_at(cloud, replace(BRISK, deleting_s=0.2)), CLIP)
    cloud.wait(lambda: len(cloud.polls) >= 1)
    canceling.cancel()
    said = canceling.end()
    assert time.monotonic() - canceling.canceled_at < 2.0
    assert json.loads(said.notes[-1])["transcript_id"] == cloud.submissions[0].id
    assert said.of(ClipDone) == [ClipDone()]


def test_a_listener_that_leaves_deletes_nothing(cloud: Cloud) -> None:
    """It was not canceled: another attempt will go on waiting."""
    cloud.held = True
    lines = engine_at(cloud).transcribe_many([(0, CLIP)], Options(), lambda _: False)
    for _, said in lines:
        if isinstance(said, CheckpointUpdate) and "transcript_id" in said.note:
            break
    lines.close()  # type: ignore[attr-defined]
    assert cloud.count("DELETE") == 0
    assert not [t for t in threading.enumerate() if t.name.startswith("assemblyai-waiting")]


def test_leaving_ends_a_recording_that_missed_its_cancel(
    cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As it happens where a cancel comes together with an answer (Python before 3.12)."""
    cloud.always["look"] = Fault("hang")
    missed: list[str] = []
    ask = Wire.ask

    async def deaf_once(wire: Wire, method: str, *how: Any, **more: Any) -> dict[str, Any]:
        try:
            return await ask(wire, method, *how, **more)
        except asyncio.CancelledError:
            if missed:
                raise
            missed.append(method)
            return {"status": "processing"}

    def clips() -> Iterator[tuple[int, Clip]]:
        yield 0, CLIP
        cloud.wait(lambda: cloud.count("GET") == 1)
        raise OSError("no further one")

    monkeypatch.setattr(Wire, "ask", deaf_once)
    with pytest.raises(OSError, match="no further one"):
        list(engine_at(cloud).transcribe_many(clips(), Options(), lambda _: False))
    assert missed == ["GET"]
    assert not [t for t in threading.enumerate() if t.name.startswith("assemblyai-waiting")]


# -------------------------------------------------------------------------------- erase


def test_a_note_is_enough_to_delete_what_it_stands_for(cloud: Cloud) -> None:
    """Without loading anything; what is gone already is no error."""
    result = submitted(cloud)
    note = noted(cloud, transcript_id=result).note or ""
    AssemblyAI(BRISK).erase(note, settings_for(cloud))
    AssemblyAI(BRISK).erase(note, settings_for(cloud, never_cloud=True))
    assert [d for d, _ in cloud.deletes] == [result, result]
    assert cloud.submissions[0].deleted


def test_what_was_noted_before_its_id_was_known_is_deleted_too(cloud: Cloud) -> None:
    """Found by the address of its audio; where there is none, nothing is to be done."""
    result = submitted(cloud)
    url = cloud.submissions[0].audio_url
    AssemblyAI(BRISK).erase(noted(cloud, upload_url=url).note or "", settings_for(cloud))
    AssemblyAI(BRISK).erase(noted(cloud, upload_url="other").note or "", settings_for(cloud))
    assert [d for d, _ in cloud.deletes] == [result]


def test_deleting_sits_out_trouble(cloud: Cloud) -> None:
    """Even where the answer to a deletion that worked was lost, and the next one is refused."""
    cloud.forgets = False
    result = submitted(cloud)
    cloud.meet("delete", Fault("status", 500), Fault("drop", acted=True), Fault("status", 400))
    AssemblyAI(BRISK).erase(noted(cloud, transcript_id=result).note or "", settings_for(cloud))
    assert cloud.submissions[0].deleted


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault("status", 503), "may still be at AssemblyAI"),
        (Fault("hang"), "may still be at AssemblyAI"),
        (Fault("status", 400, "not yet"), "not yet"),
        (Fault("status", 401), "ASSEMBLYAI_API_KEY"),
    ],
)
def test_what_may_still_be_there_is_an_error(cloud: Cloud, fault: Fault, error: str) -> None:
    """So that it is tried again."""
    result = submitted(cloud)
    cloud.always["delete"] = fault
    pace = replace(BRISK, erasing_s=1.0 if fault.status in (400, 401) else 0.2)
    with pytest.raises(EngineError, match=error):
        AssemblyAI(pace).erase(noted(cloud, transcript_id=result).note or "", settings_for(cloud))


def test_a_note_that_means_nothing_here_cannot_be_erased(cloud: Cloud) -> None:
    """Neither another's nor one of another address, which never gets this key."""
    with pytest.raises(EngineFailed, match="Not a note"):
        AssemblyAI(BRISK).erase("transcript 7", settings_for(cloud))
    elsewhere = noted(cloud, transcript_id="t-1", base_url="https://example.org").note or ""
    with pytest.raises(EngineFailed, match=r"t-1 is at https://example\.org"):
        AssemblyAI(BRISK).erase(elsewhere, settings_for(cloud))
    assert cloud.requests == []


def test_erasing_from_an_event_loop_works(cloud: Cloud) -> None:
    """As an executor without a process of its own does."""
    result = submitted(cloud)
    note = noted(cloud, transcript_id=result).note or ""

    async def inside() -> None:
        AssemblyAI(BRISK).erase(note, settings_for(cloud))

    asyncio.run(inside())
    assert cloud.submissions[0].deleted


# ------------------------------------------------------------------------ key and door


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"assemblyai_api_key": None}, "set ASSEMBLYAI_API_KEY"),
        ({"assemblyai_api_key": "  "}, "set ASSEMBLYAI_API_KEY"),
        ({"assemblyai_api_key": f"{KEY} é"}, "characters that no key has"),
        ({"assemblyai_api_key": f"{KEY}\nX: y"}, "characters that no key has"),
        ({"never_cloud": True}, "forbidden by the settings (never_cloud)"),
        ({"assemblyai_base_url": "http://example.org"}, "no https address"),
        ({"assemblyai_base_url": "nonsense"}, "'nonsense' is no https address"),
        ({"assemblyai_base_url": f"https://u:{KEY}@example.org"}, "no https address"),
        ({"assemblyai_base_url": "https://[::1"}, "no https address"),
    ],
)
def test_why_it_cannot_run_here(settings: dict[str, Any], why: str) -> None:
    """In one line with the remedy, without the key, at the door and when it is loaded."""
    wrong = Settings(assemblyai_api_key=KEY).but(**settings)
    assembly_ai = AssemblyAI().available(wrong)
    assert assembly_ai is not None
    assert why in assembly_ai
    assert KEY not in assembly_ai
    with pytest.raises(EngineUnavailable) as raised:
        AssemblyAI().load(LoadRequest(ModelFiles(""), settings=wrong))
    assert KEY not in str(raised.value)


def test_a_key_may_come_with_spaces_around_it() -> None:
    """As from a file that ends with a newline; and https anywhere will do."""
    settings = Settings(
        assemblyai_api_key=f" {KEY}\n", assemblyai_base_url="https://api.eu.assemblyai.com/"
    )
    assert wanting(settings) is None
    account = account_of(settings)
    assert (account.key, account.base_url) == (KEY, "https://api.eu.assemblyai.com")
    assert not account.loopback
    assert KEY not in repr(account)


def test_listing_engines_imports_neither_the_sdk_nor_its_http_client() -> None:
    """They take most of a second."""
    code = (
        "import sys; from hybrid_transcribe.config import Settings;"
        "from hybrid_transcribe.engines.assemblyai.engine import AssemblyAI;"
        "print(AssemblyAI().available(Settings(assemblyai_api_key='k')),"
        "*{'assemblyai', 'httpx', 'av', 'numpy'} & set(sys.modules))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["None"]


def test_an_unknown_model_names_the_choices() -> None:
    """Nothing is sent for it."""
    request = LoadRequest(ModelFiles("whisper"), settings=Settings(assemblyai_api_key=KEY))
    with pytest.raises(UnknownModel, match="'whisper'; choose from: universal-3-5-pro"):
        AssemblyAI().load(request)


def test_unloaded_it_refuses(cloud: Cloud) -> None:
    """And has forgotten the key."""
    engine = engine_at(cloud)
    engine.unload()
    with pytest.raises(EngineFailed, match="No model is loaded"):
        run(engine, CLIP)


@pytest.mark.parametrize("status", [400, 401, 500])
def test_f46_an_error_never_tells_the_key(
    cloud: Cloud, status: int, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even where the server says it back, nor with its causes or in any log."""
    caplog.set_level(logging.DEBUG)
    cloud.always["submit"] = Fault("status", status, f"bad key {KEY}")
    now = lambda: 1e6 if cloud.count("POST", "/v2/transcript") else 0.0  # noqa: E731
    engine = engine_at(cloud, replace(BRISK, now=now))
    said = run(engine, CLIP)
    text = "".join(traceback.format_exception(said.error))
    context = said.error.__context__
    assert "bad key [key]" in str(said.error)
    assert KEY not in text + repr(context) + repr(engine) + repr(said.said) + caplog.text
    assert caplog.records


def test_f46_a_failed_transcript_tells_no_key(cloud: Cloud) -> None:
    """Whatever the service has written into it."""
    cloud.outcome, cloud.error = "error", f"Download failed for {KEY}"
    assert str(run(engine_at(cloud), CLIP).error).endswith("Download failed for [key]")


def test_f46_a_broken_proxy_setting_tells_no_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What the HTTP library says about it is passed on without the key."""
    monkeypatch.setenv("HTTPS_PROXY", f"gopher://{KEY}:1")
    engine = AssemblyAI(BRISK)
    engine.load(LoadRequest(ModelFiles(""), settings=Settings(assemblyai_api_key=KEY)))
    with pytest.raises(EngineFailed, match="cannot be asked") as raised:
        run(engine, CLIP)
    assert KEY not in "".join(traceback.format_exception(raised.value))


# ------------------------------------------------------------------------- pure functions


def test_waits_grow_and_differ() -> None:
    """Looks up to five seconds apart, repeats up to thirty, each with a part of chance."""
    low, high = PollingPace(chance=lambda: 0.0), PollingPace(chance=lambda: 1.0)
    assert [round(low.poll_wait_s(n), 2) for n in (0, 1, 2, 99)] == [0.8, 1.2, 1.8, 4.0]
    assert [round(high.poll_wait_s(n), 2) for n in (0, 99)] == [1.2, 6.0]
    assert [low.retry_wait_s(n) for n in (0, 1, 2, 99)] == [0.5, 1.0, 2.0, 15.0]
    assert [high.retry_wait_s(n) for n in (0, 1, 2, 10_000)] == [1.0, 2.0, 4.0, 30.0]


def test_the_services_own_wait_is_followed_up_to_a_limit() -> None:
    """And never shortens ours."""
    pace = PollingPace(chance=lambda: 1.0)
    assert [pace.retry_wait_s(2, requested) for requested in (0.0, 7.0, 9e9)] == [4.0, 7.0, 120.0]


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("7", 7.0),
        ("0", 0.0),
        ("Thu, 01 Jan 1970 00:20:00 GMT", 200.0),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        ("soon", None),
        ("-3", None),
        ("", None),
    ],
)
def test_retry_after_is_a_number_or_a_date(value: str | None, seconds: float | None) -> None:
    """Anything else is as if it were not there."""
    assert retry_after_s(value, now=1000.0) == seconds


def test_a_deadline_is_told_by_the_clock() -> None:
    """Which the test turns."""
    now = [5.0]
    deadline = Deadline(10.0, lambda: now[0])
    assert deadline.left_s() == 10.0
    now[0] = 16.0
    assert deadline.left_s() == -1.0


def spoken(text: str, *words: tuple[str, float, float]) -> aai.types.TranscriptResponse:
    """A transcript of words with their times in seconds."""
    lines = [
        {"text": w, "start": round(a * 1000), "end": round(b * 1000), "confidence": 1.0}
        for w, a, b in words
    ]
    return aai.types.TranscriptResponse(audio_url="u", status="completed", text=text, words=lines)


def test_a_pause_ends_a_segment_and_an_abbreviation_does_not() -> None:
    """Sentences shorter than a second go on, unless nobody speaks after them."""
    transcript = spoken(
        "Dr. Silva came. Yes. And left",
        ("Dr.", 0.0, 0.4),
        ("Silva", 0.5, 1.0),
        ("came.", 1.0, 1.5),
        ("Yes.", 1.6, 1.9),
        ("And", 4.0, 4.2),
        ("left", 4.3, 4.5),
    )
    assert [s.text for s in segments(transcript, 5.0, False)] == [
        "Dr. Silva came.",
        "Yes.",
        "And left",
    ]


def test_scripts_without_spaces_get_none() -> None:
    """The text says how its words are joined."""
    transcript = spoken(
        "今日は\u3002雨です", ("今日は\u3002", 0.0, 2.0), ("雨", 2.0, 2.5), ("です", 2.5, 3)
    )
    assert [s.text for s in segments(transcript, 3.0, False)] == ["今日は\u3002", "雨です"]


def test_words_that_are_not_in_the_text_are_joined_by_spaces() -> None:
    """Nothing is lost where the two disagree."""
    transcript = spoken("something else", ("not", 0.0, 1.0), ("this", 1.0, 2.0))
    assert [s.text for s in segments(transcript, 2.0, False)] == ["not this"]


def test_times_never_run_backwards_or_past_the_end() -> None:
    """Whatever the service says."""
    transcript = spoken("a b c d", ("a", 1, 3), ("b", 2, 2.2), ("c", 2.1, 9), ("d", 99, 100))
    result = segments(transcript, 4.0, True)
    edges = [t for s in result for w in s.words for t in (w.start_s, w.end_s)]
    assert edges == sorted(edges)
    assert edges[-1] == 4.0
    assert [s.text for s in result] == ["a b c", "d"]


def test_a_speech_without_a_full_stop_is_cut_all_the_same() -> None:
    """No segment is longer than a person reads along."""
    words = [("so", i * 0.5, i * 0.5 + 0.5) for i in range(200)]
    result = segments(spoken(" ".join(["so"] * 200), *words), 100.0, False)
    assert len(result) == 4
    assert all(s.end_s - s.start_s <= LONGEST_S for s in result)
    assert " ".join(s.text for s in result) == " ".join(["so"] * 200)


def test_a_text_without_words_is_one_segment() -> None:
    """And no text is none."""
    assert segments(spoken("Hello."), 3.0, True) == [Segment(0.0, 3.0, "Hello.")]
    assert segments(spoken(""), 3.0, True) == []


def test_a_note_says_the_same_when_it_is_read_again() -> None:
    """And what it does not know yet goes without saying."""
    note = Note("https://a", "r", "u")
    assert json.loads(note.text) == {"base_url": "https://a", "request": "r", "upload_url": "u"}
    assert Note.read(note.text) == note
    assert Note.read(None) is None
    assert Note.read('{"base_url": 1}') is None


def test_without_a_network_people_know_soon(cloud: Cloud) -> None:
    """Where nothing was ever answered it ends long before a recording's own time, and says why."""
    with socket.create_server(("127.0.0.1", 0)) as nobody:
        port = nobody.getsockname()[1]
    engine = AssemblyAI(replace(BRISK, unreached_s=0.2))
    settings = Settings(assemblyai_api_key=KEY, assemblyai_base_url=f"http://127.0.0.1:{port}")
    engine.load(LoadRequest(ModelFiles(""), settings=settings))
    said = run(engine, CLIP)
    assert said.said[0] == (0, StageUpdate(Stage.UPLOADING_TO_CLOUD, 0.0))
    assert isinstance(said.error, TimedOut)
    assert "cannot be reached" in str(said.error)
    assert said.notes == []
