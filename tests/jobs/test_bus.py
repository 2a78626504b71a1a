"""Listeners get every event once and in order, or are told that they missed some."""

from __future__ import annotations

import asyncio
import threading

import pytest

from hybrid_transcribe.events import Event, JobDeleted, Resync, Warned
from hybrid_transcribe.jobs.bus import REMEMBERED, Bus, Subscription


def deleted(session: str) -> JobDeleted:
    return JobDeleted(0, session, "j")


def test_numbers_rise() -> None:
    """Every event has a higher number than the one before."""
    bus = Bus(first=100)
    listener = bus.subscribe(None)
    for _ in range(3):
        bus.publish(Warned(0))
    assert [listener.get(0).seq for _ in range(3)] == [101, 102, 103]  # type: ignore[union-attr]


def test_sessions_hear_only_their_own() -> None:
    """A listener of one session gets its events and those about the service, no others."""
    bus = Bus(0)
    listener = bus.subscribe(["A"])
    for event in (deleted("A"), deleted("B"), Warned(0)):
        bus.publish(event)
    items = [listener.get(0), listener.get(0), listener.get(0)]
    assert [e and e.session_id for e in items] == ["A", "", None]


def test_a_listener_that_never_reads_costs_a_bounded_buffer() -> None:
    """The buffer of a silent listener is replaced by one Resync; others lose nothing."""
    bus = Bus(0)
    silent, other = bus.subscribe(None, unread=10), bus.subscribe(None)
    for _ in range(25):
        bus.publish(Warned(0))
    backlog = list(iter(lambda: silent.get(0), None))
    assert len(backlog) <= 11
    assert isinstance(backlog[0], Resync)
    assert len(list(iter(lambda: other.get(0), None))) == 25


def test_coming_back_loses_nothing_and_repeats_nothing() -> None:
    """A listener that names the last number it saw gets exactly what came after."""
    bus = Bus(0)
    for _ in range(5):
        bus.publish(Warned(0))
    back = bus.subscribe(None, after=3)
    bus.publish(Warned(0))
    assert [e.seq for e in iter(lambda: back.get(0), None)] == [4, 5, 6]


def test_too_old_or_of_another_life_means_resync() -> None:
    """Numbers no longer remembered, or never given, lead to a snapshot instead of a gap."""
    bus = Bus(1000)
    for _ in range(REMEMBERED + 5):
        bus.publish(Warned(0))
    for after in (3, 1002, 10**9):
        assert isinstance(bus.subscribe(None, after=after).get(0), Resync)


def test_a_broken_listener_breaks_nothing() -> None:
    """An exception in a callback is logged; the next listener is still told."""
    bus = Bus(0)

    def broken(event: Event) -> None:
        raise ValueError("oops")

    bus.subscribe(None, broken)
    other = bus.subscribe(None)
    bus.publish(Warned(0))
    assert other.get(0) is not None


def test_closing_ends_iteration() -> None:
    """Readers in threads and coroutines come home when the service closes."""
    bus = Bus(0)
    sync, other = bus.subscribe(None), bus.subscribe(None)
    items: list[Event] = []
    reader = threading.Thread(target=lambda: items.extend(sync))
    reader.start()

    async def listen() -> list[Event]:
        task = asyncio.create_task(collect())
        await asyncio.sleep(0)
        bus.publish(Warned(0))
        bus.close()
        return await task

    async def collect() -> list[Event]:
        return [event async for event in other]

    assert len(asyncio.run(listen())) == 1
    reader.join(5)
    assert not reader.is_alive()
    assert len(items) == 1


def test_a_closed_subscription_ends() -> None:
    """Closing one's own subscription ends the loop over it."""
    subscription = Bus(0).subscribe(None)
    subscription.close()
    assert list(subscription) == []


def test_an_event_costs_as_much_as_it_has_listeners(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of other sessions are not even asked; those of several sessions hear it once."""
    pushed: list[Subscription] = []
    push = Subscription.push
    monkeypatch.setattr(
        Subscription, "push", lambda self, event: (pushed.append(self), push(self, event))
    )
    bus = Bus(0)
    for n in range(200):
        bus.subscribe([f"other-{n}"])
    mine, both = bus.subscribe(["A"]), bus.subscribe(["A", "B"])
    bus.publish(deleted("A"))
    assert pushed == [mine, both]

    both.close()
    bus.publish(deleted("B"))
    assert pushed == [mine, both]
    bus.publish(Warned(0))
    assert len(pushed) == 2 + 201
    bus.close()
    assert bus.listeners == 0


def test_an_event_with_its_number_is_not_copied() -> None:
    """Whoever makes it may number it."""
    bus = Bus(7)
    listener = bus.subscribe(None)
    event = Warned(bus.next_seq)
    bus.publish(event)
    assert listener.get(0) is event
    assert bus.seq == 8
