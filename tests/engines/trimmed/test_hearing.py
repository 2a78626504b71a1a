"""One clip's pieces, heard by whoever comes first."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from hybrid_transcribe.engines.faster_whisper.trimmed import hearing
from hybrid_transcribe.engines.faster_whisper.trimmed.cuts import Piece
from hybrid_transcribe.engines.faster_whisper.trimmed.hearing import FOUND, Hearing
from hybrid_transcribe.interfaces import Progress
from hybrid_transcribe.types import RATE_HZ

N_PIECES, N_THREADS = 60, 2


class Ear:
    """Notes who hears which piece, and how many were found by then."""

    def __init__(self, fails_at: int | None = None) -> None:
        self.lock = threading.Lock()
        self.fails_at = fails_at
        self.n_found = 0
        self.starts: list[float] = []
        self.ahead: list[int] = []

    def speaker_of(self, language: str) -> str:
        return language

    def hear(self, samples: Any, start_s: float, *_: Any) -> list[Any]:
        with self.lock:
            self.starts.append(start_s)
            self.ahead.append(self.n_found - len(self.starts))
        if start_s == self.fails_at:
            raise RuntimeError("no memory")
        return [start_s]


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(N_THREADS) as made:
        yield made


def heard(ear: Ear, threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What a clip of many pieces says, of a second each."""

    def pieces(samples: Any, always: bool) -> Iterator[Piece]:
        for i in range(N_PIECES):
            ear.n_found += 1
            yield Piece(float(i), float(i + 1))

    monkeypatch.setattr(hearing, "pieces", pieces)
    samples = np.ones(2 * N_PIECES * RATE_HZ, np.float32)
    one = Hearing(ear, threads, N_THREADS, samples, "en", lambda: False)  # type: ignore[arg-type]
    return [what for what in one if not isinstance(what, Progress)]


def test_the_search_for_speech_does_not_run_far_ahead(
    threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who searches hears meanwhile, so that progress is even; each piece is heard once."""
    ear = Ear()
    assert heard(ear, threads, monkeypatch) == [float(i) for i in range(N_PIECES)]
    assert sorted(ear.starts) == [float(i) for i in range(N_PIECES)]
    assert max(ear.ahead) <= FOUND * N_THREADS


def test_a_piece_that_fails_fails_the_clip(
    threads: ThreadPoolExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In its place, whoever heard it."""
    with pytest.raises(RuntimeError, match="no memory"):
        heard(Ear(fails_at=30.0), threads, monkeypatch)
