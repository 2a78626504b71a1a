"""Which of several audio tracks is heard."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import av
import numpy as np
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.stream import Disposition

from hybrid_transcribe.audio import _sandbox
from hybrid_transcribe.audio._mix import as_channels
from hybrid_transcribe.core import names
from hybrid_transcribe.core.languages import parse_language
from hybrid_transcribe.errors import InvalidOption, NoAudio
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import ALL_TRACKS

# A track that peaks no higher is silent: speech 60 dB down reaches 0.0012.
_SILENT_PEAK = 0.001

# Longest that tracks are listened to before one is chosen, in seconds of wall-clock time.
_SURVEY_S = 60.0

_MOST_TITLE = 40


@dataclass(frozen=True, slots=True)
class Track:
    """One audio track: its number from 1, and what the file says about it."""

    number: int
    stream_index: int
    language: str
    title: str
    is_default: bool

    @property
    def label(self) -> str:
        """What tells it from the others, in brackets; empty where nothing does."""
        parts = [self.language, self.title, "default" if self.is_default else ""]
        text = ", ".join(part for part in parts if part)
        return f" ({text})" if text else ""


def tracks(streams: Sequence[AudioStream]) -> list[Track]:
    """The tracks of a file, from its audio streams."""
    return [
        Track(
            number=number,
            stream_index=stream.index,
            language=_text(stream.metadata.get("language", "")).replace("und", ""),
            title=_text(stream.metadata.get("title", "")),
            is_default=bool(stream.disposition & Disposition.default),
        )
        for number, stream in enumerate(streams, 1)
    ]


def _text(value: str) -> str:
    return names.display_name(value, "")[:_MOST_TITLE] if value.strip() else ""


def named(choices: Sequence[Track], choice: str, display_name: str) -> Track:
    """The track of that number, language or title. Raises NoAudio, which lists them."""
    text = choice.strip().lower()
    if text == ALL_TRACKS:
        # Each track is a recording of its own, made before: this file was not looked into.
        return preferred(choices)
    for track in choices:
        if text in (str(track.number), track.language.lower(), track.title.lower()):
            return track
    language = _language(text)
    for track in choices:
        if language is not None and _language(track.language) == language:
            return track
    there = "; ".join(f"{track.number}{track.label}" for track in choices)
    raise NoAudio(UserMessage("no_track", name=display_name, value=choice, names=there))


def _language(text: str) -> str | None:
    """A tag or a name as one code: ``por``, ``pt-BR`` and ``Portuguese`` are ``pt``."""
    try:
        return parse_language(text)
    except InvalidOption:
        return None


def preferred(choices: Sequence[Track]) -> Track:
    """The track that a player takes: the first that is marked as default, else the first."""
    return next((track for track in choices if track.is_default), choices[0])


def survey(
    recording: _sandbox.Admitted, choices: Sequence[Track], watch: _sandbox.DecodeLimits
) -> tuple[Track, list[int]]:
    """The track to hear, and the numbers of silent ones that would have come before it.

    That is the preferred one, unless it is silent to its end and another is not. Tracks are
    decoded side by side until the preferred one is heard, which is soon, as a rule.
    """
    first = preferred(choices)
    order = [first, *(t for t in choices if t.is_default and t != first)]
    order += [t for t in choices if t not in order]
    loud = _first_loud(recording, order, watch)
    chosen = next((t for t in order if t.stream_index in loud), first)
    silent = [t.number for t in order[: order.index(chosen)]]
    return chosen, sorted(silent)


def _first_loud(
    recording: _sandbox.Admitted, order: Sequence[Track], watch: _sandbox.DecodeLimits
) -> set[int]:
    """Streams (by index) that are not silent, as far as it had to be looked for."""
    loud: set[int] = set()
    end = time.monotonic() + _SURVEY_S
    with _sandbox.reading(recording, watch) as (_, media):
        by_index = {stream.index: stream for stream in media.streams.audio}
        streams = [
            _sandbox.prepare(by_index[track.stream_index], recording.display_name)
            for track in order
        ]
        for index, frame in _frames(media, streams, watch):
            if index not in loud and _peak(frame) > _SILENT_PEAK:
                loud.add(index)
            if order[0].stream_index in loud or time.monotonic() > end:
                break
    return loud


def _frames(
    media: InputContainer, streams: Sequence[AudioStream], watch: _sandbox.DecodeLimits
) -> Iterator[tuple[int, AudioFrame]]:
    for packet in _sandbox.packets(media, streams, watch):
        try:
            frames: list[Any] = packet.decode()
        except av.FFmpegError:
            continue
        for frame in frames:
            yield packet.stream.index, frame


def _peak(frame: AudioFrame) -> float:
    return float(np.abs(as_channels(frame)).max(initial=0.0))
