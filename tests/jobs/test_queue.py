"""Fair turns, whatever people queue."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from hybrid_transcribe.jobs.queue import BatchLimits, FairQueue, QueueItem, sort_key
from hybrid_transcribe.types import Spec

SPECS = [Spec("a", "m"), Spec("b", "m")]


def ticket(
    name: str, session: str = "s", *, priority: int = 0, age: int = 0, index: int = 0, **how: object
) -> QueueItem:
    fields = {"spec": SPECS[0], "length_s": 1.0, **how}
    return QueueItem(sort_key(priority, age, index), name, session, **fields)  # type: ignore[arg-type]


def filled(*tickets: QueueItem) -> FairQueue:
    queue = FairQueue()
    for item in tickets:
        queue.add(item)
    return queue


def names(tickets: list[QueueItem]) -> list[str]:
    return [t.recording_id for t in tickets]


def test_sessions_take_turns() -> None:
    """Round robin by session, however much each has queued."""
    queue = filled(
        *(ticket(f"a{i}", "A", index=i) for i in range(4)), ticket("b0", "B"), ticket("c0", "C")
    )
    turns = [names(queue.take(BatchLimits(2))) for _ in range(4)]
    assert turns == [["a0", "a1"], ["b0"], ["c0"], ["a2", "a3"]]


def test_priority_then_age_within_a_session() -> None:
    """Higher priority first, then the older job, then its order."""
    queue = filled(
        ticket("late", age=2), ticket("early", age=1), ticket("urgent", priority=5, age=3)
    )
    assert [names(queue.take(BatchLimits(1)))[0] for _ in range(3)] == ["urgent", "early", "late"]


def test_longest_first_only_within_a_turn() -> None:
    """A turn starts its longest first, but a longer one of a later turn does not jump ahead."""
    queue = filled(
        ticket("short", index=0, length_s=1),
        ticket("long", index=1, length_s=9),
        ticket("longest", index=2, length_s=99),
    )
    assert names(queue.take(BatchLimits(2))) == ["long", "short"]


def test_a_turn_is_bounded_by_audio() -> None:
    """A batch stops before it passes its seconds of audio, but one recording always goes."""
    queue = filled(*(ticket(f"r{i}", index=i, length_s=200) for i in range(3)))
    assert names(queue.take(BatchLimits(8, 300))) == ["r0"]


def test_a_batch_is_of_one_kind() -> None:
    """Only recordings that share engine, model, device and options run together."""
    queue = filled(ticket("x", index=0), ticket("y", index=1, spec=SPECS[1]), ticket("z", index=2))
    assert names(queue.take(BatchLimits(8))) == ["x", "z"]


def test_solo_runs_alone() -> None:
    """A suspect is neither the head of a batch nor a part of one."""
    queue = filled(ticket("x", index=0), ticket("solo", index=1, solo=True), ticket("y", index=2))
    assert [names(queue.take(BatchLimits(8))) for _ in range(2)] == [["x", "y"], ["solo"]]


def test_removed_is_gone() -> None:
    """A canceled recording is not handed out; removing twice or the unknown is nothing."""
    queue = filled(ticket("x"), ticket("y", index=1))
    queue.remove("x")
    queue.remove("x")
    queue.remove("never there")
    assert names(queue.take(BatchLimits(8))) == ["y"]
    assert len(queue) == 0


plans = st.lists(
    st.tuples(
        st.sampled_from("ABC"),
        st.integers(0, 2),
        st.sampled_from(SPECS),
        st.booleans(),
        st.floats(0, 200),
    ),
    max_size=40,
)


@given(plans, st.integers(1, 5))
def test_the_forecast_is_what_happens(
    plan: list[tuple[str, int, Spec, bool, float]], n: int
) -> None:
    """The order foretold is the order in which recordings are handed out, each once."""
    queue = filled(
        *(
            ticket(f"r{i}", who, priority=p, index=i, spec=spec, solo=solo, length_s=length)
            for i, (who, p, spec, solo, length) in enumerate(plan)
        )
    )
    turn = BatchLimits(n, 300)
    foretold = names(list(queue.forecast(turn)))
    taken: list[str] = []
    while batch := queue.take(turn):
        taken += names(batch)
    assert taken == foretold
    assert sorted(taken) == sorted(f"r{i}" for i in range(len(plan)))
