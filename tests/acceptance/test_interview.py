"""An interview goes in and comes out as a named, corrected text: over HTTP alone, and in Python.

Two readers take turns. Nothing is said here of how well they are told apart (the benchmark does),
only that every step on the way works with those before it.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import httpx
import httpx_sse
import pytest

from hybrid_transcribe import RemoteService, Service, Transcript
from hybrid_transcribe.config import Settings
from hybrid_transcribe.models import resolve
from hybrid_transcribe.rest.server import Server
from hybrid_transcribe.testing import tone, write_wav
from hybrid_transcribe.types import Clip
from tests.benchmarks import conversations
from tests.benchmarks.conversations import Conversation, Scene

pytestmark = [pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(900)]

NAMES = {"S1": "Ana", "S2": "Rui"}

#: Share of the recognised time that may be another's: some words at each change of speaker.
MOST_CONFUSED = 0.1

WAIT_S = 600.0


@pytest.fixture(scope="module")
def interview() -> Conversation:
    """Two people, more than a minute, built of readers."""
    readers = conversations.readers("evaluation")
    if not readers:
        pytest.skip("no recorded speech beside the checkout")
    return conversations.built(Scene("interview", 2, 75, overlap=0.0), readers)


@pytest.fixture(scope="module")
def path(interview: Conversation, tmp_path_factory: pytest.TempPathFactory) -> Path:
    clip = Clip(interview.samples, "interview.wav")
    return write_wav(tmp_path_factory.mktemp("interview") / "interview.wav", clip)


@pytest.fixture(scope="module")
def server(
    speaker_models: dict[str, Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """A real one, with a journal on disk."""
    if resolve("base", "ctranslate2", Settings.load()).folder is None:
        pytest.skip("the starter model is not installed")
    state = tmp_path_factory.mktemp("interview") / "state"
    with Service(state, preload_models=False) as s, s.serve() as server:
        # Its worker starts with the first job, and stays.
        second = write_wav(state / "second.wav", tone(1.0))
        s.submit(second, model="base", language="en").result(WAIT_S)
        yield server


@pytest.fixture
def client(server: Server) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"token {server.token}"}
    with httpx.Client(
        base_url=server.url, headers=headers, trust_env=False, timeout=WAIT_S
    ) as instance:
        yield instance


@pytest.fixture
def remote(server: Server) -> Iterator[RemoteService]:
    with RemoteService(server.url, server.token) as instance:
        yield instance


def events_until_done(client: httpx.Client, send: Any) -> tuple[str, list[tuple[str, Any]]]:
    """A job that is sent once somebody listens: its id, and all events up to its end."""
    with httpx_sse.connect_sse(client, "GET", "/queues/events") as source:
        messages = (message for message in source.iter_sse() if message.data)
        assert next(messages).event == "snapshot"
        job_id = send()
        items = []
        for message in messages:
            data = json.loads(message.data)
            items.append((message.event, data))
            job = data["job"] if message.event == "job" and data["job_id"] == job_id else None
            if job and job["finished_at"]:
                return job_id, items
    raise AssertionError("the stream ended before the job")


def confused(segments: list[dict[str, Any]], conversation: Conversation) -> float:
    """Share of the time of segments that somebody else speaks than they say, at best."""
    times: dict[tuple[str | None, str], float] = defaultdict(float)
    for segment in segments:
        for turn in conversation.turns:
            both = min(segment["end_s"], turn.end_s) - max(segment["start_s"], turn.start_s)
            times[segment["speaker"], turn.speaker] += max(0.0, both)
    first, second = sorted({turn.speaker for turn in conversation.turns})
    right = max(times["S1", first] + times["S2", second], times["S1", second] + times["S2", first])
    return 1 - right / sum(times.values())


def solid(text: str) -> str:
    return "".join(text.split())


def test_an_interview_over_http(client: httpx.Client, path: Path, interview: Conversation) -> None:
    """Sent, followed, read, named, corrected, brought back and written, by HTTP alone."""

    def send() -> str:
        answer = client.post(
            "/jobs",
            files=[("file", (path.name, path.read_bytes()))],
            data={"diarize": "true", "model": "base", "language": "en"},
        )
        assert answer.status_code == HTTPStatus.ACCEPTED, answer.text
        return str(answer.json()["job_id"])

    job_id, events = events_until_done(client, send)

    # --- the stage after the engine is followed, and its revision is announced
    states = [data["recording"] for kind, data in events if kind == "job"]
    assert "identifying-speakers" in {state["stage"] for state in states if state}
    (revised,) = [data for kind, data in events if kind == "transcript-revised"]
    assert (revised["revision"]["revision"], revised["revision"]["kind"]) == (1, "stage")

    # --- two people, and whoever speaks is who spoke
    job = client.get(f"/jobs/{job_id}").json()
    (recording,) = job["recordings"]
    assert (recording["state"], recording["warnings"]) == ("completed", [])
    at = f"/jobs/{job_id}/recordings/{recording['recording_id']}"
    answer = client.get(f"{at}/transcript")
    text = answer.json()
    assert answer.headers["ETag"] == '"1"'
    assert [speaker["id"] for speaker in text["speakers"]] == ["S1", "S2"]
    assert confused(text["segments"], interview) < MOST_CONFUSED
    engine = client.get(f"{at}/transcript", params={"revision": 0}).json()
    assert solid(engine["text"]) == solid(text["text"])
    assert "speakers" not in engine

    # --- a person names both, corrects a text and moves words to the other one
    first, second = text["segments"][0], text["segments"][1]
    moved = next(s for s in text["segments"][2:] if len(s["text"].split()) >= 4)
    other = {"S1": "S2", "S2": "S1"}[moved["speaker"]]
    operations: list[dict[str, Any]] = [
        {"op": "rename-speaker", "speaker": id, "name": name} for id, name in NAMES.items()
    ]
    operations += [
        {"op": "replace-text", "segment_id": first["id"], "text": "It begins like this."},
        {
            "op": "set-speaker-of-words",
            "segment_id": moved["id"],
            "first_word": 0,
            "end_word": 2,
            "speaker": other,
        },
    ]
    edit = {"operations": operations, "author": "Eva", "label": "read"}
    answer = client.patch(f"{at}/transcript", json=edit, headers={"If-Match": '"1"'})
    assert (answer.status_code, answer.headers["ETag"]) == (HTTPStatus.OK, '"2"'), answer.text
    corrected = client.get(f"{at}/transcript").json()
    speakers = {speaker["id"]: speaker["name"] for speaker in corrected["speakers"]}
    assert speakers == NAMES
    texts = {segment["id"]: segment for segment in corrected["segments"]}
    assert texts[first["id"]]["text"] == "It begins like this."
    assert texts[second["id"]]["text"] == second["text"]
    part = texts[moved["id"]]
    assert (part["text"], part["speaker"]) == (" ".join(moved["text"].split()[:2]), other)
    assert len(corrected["segments"]) == len(text["segments"]) + 1
    assert client.get(f"/jobs/{job_id}").json()["kept"]

    # --- typed for the text before the speakers: no conflict; typed where somebody typed: one
    late = next(s for s in engine["segments"][2:] if s["id"] != moved["id"])
    typed = [{"op": "replace-text", "segment_id": late["id"], "text": "Typed late."}]
    answer = client.patch(f"{at}/transcript", json=typed, headers={"If-Match": '"1"'})
    assert answer.status_code == HTTPStatus.OK, answer.text
    typed = [{"op": "replace-text", "segment_id": first["id"], "text": "Typed too."}]
    answer = client.patch(f"{at}/transcript", json=typed, headers={"If-Match": '"1"'})
    assert answer.status_code == HTTPStatus.CONFLICT

    # --- every revision is listed, read, and brought back
    infos = client.get(f"{at}/revisions").json()["revisions"]
    assert [(i["revision"], i["kind"], i["author"]) for i in infos] == [
        (0, "engine", "faster-whisper"),
        (1, "stage", "speakers"),
        (2, "person", "Eva"),
        (3, "person", ""),
    ]
    assert client.get(f"{at}/transcript", params={"revision": 1}).json() == text
    answer = client.post(f"{at}/restore", json={"revision": 2})
    assert (answer.status_code, answer.headers["ETag"]) == (HTTPStatus.OK, '"4"')
    restored = client.get(f"{at}/transcript").json()
    assert restored["segments"] == corrected["segments"]
    assert restored["speakers"] == corrected["speakers"]

    # --- as files, with names
    files = {f: client.get(f"{at}/result", params={"format": f}) for f in ("txt", "srt", "json")}
    assert {answer.status_code for answer in files.values()} == {HTTPStatus.OK}
    lines = files["txt"].text.splitlines()
    turns = [line.split(":")[0].split("] ")[-1] for line in lines if line.strip()]
    assert {"Ana", "Rui"} <= set(turns), files["txt"].text
    assert "Ana: It begins like this." in files["srt"].text
    assert "Rui: " in files["srt"].text
    content = json.loads(files["json"].text)
    assert content["segments"] == restored["segments"]
    assert {s["id"]: s["name"] for s in content["speakers"]} == NAMES


def speakers_of(transcript: Transcript) -> list[str]:
    return [speaker.id for speaker in transcript.speakers]


def test_an_interview_by_a_service_elsewhere(
    remote: RemoteService, path: Path, interview: Conversation, tmp_path: Path
) -> None:
    """Transcribed first; who speaks is looked for later; then it is edited, as a local one."""
    job = remote.submit(path, model="base", language="en")
    (plain,) = job.result(WAIT_S)
    assert (speakers_of(plain), plain.revision) == ([], 0)

    job.refine("speakers")
    (text,) = job.result(WAIT_S)
    assert (speakers_of(text), text.revision, text.warnings) == (["S1", "S2"], 1, ())
    assert solid(text.text) == solid(plain.text)
    segments = [
        {"start_s": s.start_s, "end_s": s.end_s, "speaker": s.speaker} for s in text.segments
    ]
    assert confused(segments, interview) < MOST_CONFUSED

    moved = next(s for s in text.segments[2:] if len(s.text.split()) >= 4)
    other = {"S1": "S2", "S2": "S1"}[moved.speaker or ""]
    with text.edit(author="Eva") as edit:
        for speaker, name in NAMES.items():
            edit.rename_speaker(speaker, name)
        edit.replace_text(text.segments[0], "It begins like this.")
        edit.set_speaker(moved, other, words=(0, 2))
    corrected = edit.revised()
    assert corrected.revision == 2
    assert {s.id: s.name for s in corrected.speakers} == NAMES
    part = next(s for s in corrected.segments if s.id == moved.id)
    assert (part.text, part.speaker) == (" ".join(moved.text.split()[:2]), other)

    assert job.restore(1).revision == 3
    assert job.result(WAIT_S)[0].segments == text.segments
    assert job.restore(2).revision == 4
    (again,) = job.result(WAIT_S)
    assert (again.segments, again.speakers) == (corrected.segments, corrected.speakers)
    rid = job.recordings[0].recording_id
    kinds = [info.kind for info in remote.revisions(job.job_id, rid)]
    assert kinds == ["engine", "stage", "person", "restore", "restore"]
    assert "Ana: It begins like this." in again.save(tmp_path / "interview.srt").read_text("utf-8")

    # --- looked for once more: what the person typed and named stays
    job.refine("speakers", speakers=2)
    (refined,) = job.result(WAIT_S)
    assert refined.revision == 5
    assert {s.id: s.name for s in refined.speakers} == NAMES
    assert refined.segments[0].text == "It begins like this."
