"""Clips for the engine, decoded one ahead so that decoding hides behind inference."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Generic, TypeAlias, TypeVar

from hybrid_transcribe.audio.channels import ChannelBlock
from hybrid_transcribe.audio.decode import decode
from hybrid_transcribe.audio.report import DecodeReport
from hybrid_transcribe.config import Settings
from hybrid_transcribe.protocol import Item
from hybrid_transcribe.types import Clip

Audio = TypeVar("Audio", Clip, ChannelBlock)


@dataclass(frozen=True, slots=True)
class DecodeStarted:
    """Decoding of a recording begins."""

    key: int


@dataclass(frozen=True, slots=True)
class DecodedAudio(Generic[Audio]):
    """A clip, or a block with its channels apart; ``last``: its recording has no further one."""

    key: int
    clip: Audio
    last: bool


@dataclass(frozen=True, slots=True)
class Reported:
    """A line about a recording's sound; ``audio_missing`` where much of it is not there."""

    key: int
    text: str
    audio_missing: bool


@dataclass(frozen=True, slots=True)
class DecodeFailed:
    """A recording gave no (further) clip: an error, or None when it was canceled."""

    key: int
    error: Exception | None


@dataclass(frozen=True, slots=True)
class EmptyAudio:
    """A recording that goes on from its very end: it was cut off before it could say so."""

    key: int


Piece: TypeAlias = DecodeStarted | DecodedAudio[Audio] | Reported | DecodeFailed | EmptyAudio

#: A resumed rest that is shorter holds no speech, in seconds. Whisper would invent some.
LEAST_REST_S = 0.1


def pieces(
    items: Sequence[tuple[int, Item]],
    settings: Settings,
    canceled: Callable[[int], bool],
    audio_track: str | None = None,
    *,
    offers_channels: bool = False,
) -> Iterator[Piece[Clip]]:
    """Decode the items in order, lazily.

    Every one ends in a last `DecodedAudio`, an `DecodeFailed`, or `EmptyAudio`. ``offers_channels``
    reports where each channel seems to be one person.
    """
    for key, item in items:
        if canceled(key):
            yield DecodeFailed(key, None)
            continue
        yield DecodeStarted(key)
        report = DecodeReport(offers_channels=offers_channels)
        clips = _clips(item, settings, lambda key=key: canceled(key), audio_track)  # type: ignore[misc]
        yield from decoded(key, item, clips, report, lambda key=key: canceled(key))  # type: ignore[misc]


def _clips(
    item: Item, settings: Settings, canceled: Callable[[], bool], audio_track: str | None
) -> Callable[[DecodeReport], Iterator[Clip]]:
    return lambda report: decode(
        item.path,
        name=item.name,
        settings=settings,
        start_s=item.resume_from_s,
        canceled=canceled,
        audio_track=audio_track,
        report=report,
    )


def decoded(
    key: int,
    item: Item,
    decode: Callable[[DecodeReport], Iterator[Audio]],
    report: DecodeReport,
    canceled: Callable[[], bool],
) -> Iterator[Piece[Audio]]:
    """What ``decode`` gives of an item, one behind, so that the last one is known to be it."""
    held: Audio | None = None
    n_reported = 0
    try:
        for clip in decode(report):
            yield from _news(key, report, n_reported)
            n_reported = len(report.lines)
            if item.resume_from_s and clip.duration_s < LEAST_REST_S:
                continue
            if held is not None:
                yield DecodedAudio(key, held, last=False)
            held = clip
    except Exception as error:
        # What came before is sound, but not the end of the recording.
        if held is not None:
            yield DecodedAudio(key, held, last=False)
        yield DecodeFailed(key, error)
        return
    yield from _news(key, report, n_reported)
    if canceled():
        yield DecodeFailed(key, None)
    elif held is None:
        yield EmptyAudio(key)
    else:
        yield DecodedAudio(key, held, last=True)


def _news(key: int, report: DecodeReport, n_reported: int) -> Iterator[Reported]:
    """What a report has gained."""
    for text in report.lines[n_reported:]:
        yield Reported(key, text, report.incomplete)


class Prefetcher(Generic[Audio]):
    """Runs an iterator on a thread, one piece ahead of its reader.

    One and no more: a piece may be half an hour of audio (115 MB).
    """

    def __init__(self, source: Iterator[Piece[Audio]]) -> None:
        self._source: Iterator[Piece[Audio]] = source
        self._ready: queue.Queue[Piece[Audio] | BaseException | None] = queue.Queue(maxsize=1)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._work, name="decode-ahead", daemon=True)

    def __iter__(self) -> Iterator[Piece[Audio]]:
        self._thread.start()
        while (piece := self._ready.get()) is not None:
            if isinstance(piece, BaseException):
                raise piece
            yield piece

    def _work(self) -> None:
        try:
            for piece in self._source:
                self._put(piece)
            self._put(None)
        except BaseException as error:  # handed to the reader, which raises it
            self._put(error)

    def _put(self, piece: Piece[Audio] | BaseException | None) -> None:
        while not self._stopped.is_set():
            try:
                self._ready.put(piece, timeout=0.1)
                return
            except queue.Full:
                continue

    def stop(self) -> None:
        """No more pieces are wanted."""
        self._stopped.set()
