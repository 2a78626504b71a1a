"""What is shown and read again is what it was, without what is nobody else's business."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_transcribe import events as e
from hybrid_transcribe.outputs.json import Json
from hybrid_transcribe.types import (
    ErrorInfo,
    JobSnapshot,
    KnownVoice,
    Options,
    Recording,
    Rejection,
    Segment,
    Spec,
    Stage,
    State,
    Transcript,
    Word,
)
from hybrid_transcribe.wire import parse, serialize

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
NUMBER = st.floats(0, 1e6, allow_nan=False)
MAYBE = st.none() | NUMBER
#: Moments to the microsecond, which is what the JSON has.
WALL = st.integers(0, 4_000_000_000_000_000).map(lambda us: round(us / 1e6, 6))

OPTIONS = st.builds(
    Options,
    language=st.none() | st.just("pt"),
    word_timestamps=st.booleans(),
    temperature=st.none() | st.lists(NUMBER, max_size=3).map(tuple),
    suppress_tokens=st.none() | st.lists(st.integers(-1, 99), max_size=3).map(tuple),
    clip_timestamps=st.none() | st.just((0.0, 1.5)),
    initial_prompt=st.none() | TEXT,
    languages=st.none() | st.just(("pt", "en")),
)
SPECS = st.builds(Spec, TEXT, TEXT, st.sampled_from(["auto", "gpu", "cpu"]), OPTIONS)
ERRORS = st.builds(ErrorInfo, TEXT, TEXT)
WORDS = st.builds(Word, NUMBER, NUMBER, TEXT, MAYBE, st.none() | TEXT)
SEGMENTS = st.builds(
    Segment,
    NUMBER,
    NUMBER,
    TEXT,
    st.lists(WORDS, max_size=2).map(tuple),
    avg_logprob=MAYBE,
    speaker=st.none() | TEXT,
    language=st.none() | st.just("pt"),
)
RECORDINGS = st.builds(
    Recording,
    recording_id=TEXT,
    job_id=st.just("job"),
    index=st.integers(0, 9),
    name=TEXT,
    path=st.just(""),
    size_bytes=st.integers(0, 1 << 50),
    duration_s=MAYBE,
    state=st.sampled_from(State),
    attempt=st.integers(1, 9),
    stage=st.none() | st.sampled_from(Stage),
    percentage=MAYBE,
    eta_s=MAYBE,
    done_s=NUMBER,
    error=st.none() | ERRORS,
    language=st.none() | TEXT,
    device=st.none() | TEXT,
    warnings=st.lists(TEXT, max_size=2).map(tuple),
    spec=SPECS,
    started_at=st.none() | WALL,
)
JOBS = st.builds(
    JobSnapshot,
    job_id=st.just("job"),
    session_id=TEXT,
    spec=SPECS,
    recordings=st.lists(RECORDINGS, max_size=2).map(tuple),
    rejected=st.lists(st.builds(Rejection, TEXT, ERRORS), max_size=2).map(tuple),
    priority=st.integers(-9, 9),
    kept=st.booleans(),
    created_at=WALL,
    finished_at=st.none() | WALL,
    state=st.sampled_from(State),
    percentage=MAYBE,
    eta_s=MAYBE,
    position=st.integers(0, 9),
)
EVENTS = st.one_of(
    st.builds(e.JobChanged, st.just(7), TEXT, st.just("job"), JOBS),
    st.builds(
        e.RecordingChanged,
        *(st.just(7), TEXT, st.just("job"), RECORDINGS, st.sampled_from(State), MAYBE, MAYBE),
    ),
    st.builds(e.SegmentAdded, st.just(7), TEXT, TEXT, TEXT, st.integers(0, 99), SEGMENTS),
    st.builds(e.JobDeleted, st.just(7), TEXT, TEXT),
    st.builds(
        e.ModelChanged,
        st.just(7),
        engine=TEXT,
        model=TEXT,
        stage=st.none() | st.sampled_from(Stage),
        percentage=MAYBE,
        error=st.none() | ERRORS,
    ),
    st.builds(e.Warned, st.just(7), code=TEXT, message=TEXT),
)


@given(EVENTS)
def test_events(event: e.Event) -> None:
    """Every event that is told arrives as it was."""
    message = serialize.event(event)
    assert message is not None
    name, shape = message
    assert parse.event(7, name, msgspec.json.encode(shape)) == event


@given(st.lists(JOBS, max_size=2))
def test_queues(jobs: list[JobSnapshot]) -> None:
    """A queue in full holds the jobs in their order."""
    assert parse.queue(msgspec.json.encode(serialize.queue(jobs))) == tuple(jobs)


@given(SEGMENTS)
def test_transcripts(segment: Segment) -> None:
    """The JSON output is read again, words and all."""
    # The output mends times that run backwards.
    segment = replace(segment, end_s=segment.start_s + 1, words=())
    words = (Word(segment.start_s, segment.end_s, "a", 0.5, "B"),)
    whole = Transcript("r", "talk.wav", (segment, replace(segment, words=words)), "e", "m", "cpu")
    assert parse.transcript(Json().write(whole).encode()) == whole


def test_what_stays_at_home() -> None:
    """Neither a path nor an engine's note nor a key is shown to anybody."""
    hidden = Recording("r", "j", 0, "talk.wav", "/home/me/talk.wav", note="cloud-id")
    message = msgspec.json.encode(
        serialize.job(JobSnapshot("j", "s", Spec("e", "m"), (hidden,)))
    ).decode()
    assert "/home" not in message
    assert "cloud-id" not in message


@pytest.mark.parametrize("event", [e.Resync(3), e.Closed(3), e.JobChanged(3), e.SegmentAdded(3)])
def test_what_a_snapshot_answers(event: e.Event) -> None:
    """Nothing is told of them by themselves."""
    assert serialize.event(event) is None


def test_of_a_newer_server() -> None:
    """Names we do not know are passed over, fields we do not know too; a snapshot is a resync."""
    assert parse.event(1, "novelty", b"{}") is None
    more = b'{"job_id": "j", "session_id": "s", "novelty": 1}'
    assert parse.event(1, "deleted", more) == e.JobDeleted(1, "s", "j")
    assert parse.event(1, "snapshot", b'{"jobs": []}') == e.Resync(1)
    with pytest.raises(msgspec.MsgspecError):
        parse.event(1, "deleted", b"[]")


def test_every_option_can_be_given() -> None:
    """No option has a type that gets lost on the way."""
    for field in fields(Options):
        if field.name == "voices":
            continue
        value: Any = {"bool": True, "int": 3, "float": 0.5, "str": "x"}[
            "bool"
            if "bool" in str(field.type)
            else "int"
            if "int" in str(field.type)
            else "float"
            if "float" in str(field.type)
            else "str"
        ]
        given_ = (value,) if "tuple" in str(field.type) else value
        job = JobSnapshot("j", "s", Spec("e", "m", "cpu", Options(**{field.name: given_})), ())
        assert parse.queue(msgspec.json.encode(serialize.queue([job]))) == (job,)


def test_where_a_voice_lies_is_told_nobody() -> None:
    """Names alone: a path is this machine's business."""
    voices = (KnownVoice("Ana", "/home/ana/secret.wav"), KnownVoice("Rui", "sent.wav", owned=True))
    job = JobSnapshot("j", "s", Spec("e", "m", "cpu", Options(diarize=True, voices=voices)), ())

    data = msgspec.json.encode(serialize.queue([job]))

    assert b".wav" not in data
    (copy,) = parse.queue(data)
    assert copy.spec.options.voices == (KnownVoice("Ana"), KnownVoice("Rui"))
