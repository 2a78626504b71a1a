"""A recording channel by channel: what its channels are, and their samples.

`decode` in `hybrid_transcribe.audio.decode` makes one sound of all channels. Where each person has
a channel that throws away who speaks: here they stay apart.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.audio import _sandbox, _track_names
from hybrid_transcribe.audio._blocks import Blocks
from hybrid_transcribe.audio._channels import ChannelConverter
from hybrid_transcribe.audio._leaks import Leak, distinct, find_leaks, open_moments, shut
from hybrid_transcribe.audio._levels import (
    MOMENT_S,
    MOST_CHANNELS,
    ChannelFacts,
    LevelMeter,
    levels_db,
)
from hybrid_transcribe.audio.decode import decode_blocks
from hybrid_transcribe.audio.report import DecodeReport
from hybrid_transcribe.config import Settings
from hybrid_transcribe.core import names
from hybrid_transcribe.types import RATE_HZ

__all__ = ["MOST_CHANNELS", "ChannelBlock", "ChannelSurvey", "decode_channels", "survey"]

# Peaks below this are brought up, and those above the second figure down, as `_mix` does.
_QUIET_PEAK, _LOUD_PEAK, _ABSURD_PEAK = 0.002, 1.5, 1e4

# Below this nothing sounds, in dB; somebody speaks where it is louder by so much than in the quiet
# tenth of a channel's moments.
_NOTHING_DB, _VOICE_DB, _QUIET_PERCENTILE = -84.0, 10.0, 10.0

# Blocks of a survey hold nothing, but take memory.
_SURVEY_BLOCK_S = 60.0

_MOMENT = round(MOMENT_S * RATE_HZ)

Samples = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ChannelSurvey:
    """What a recording's channels are, once all of it was heard.

    Attributes:
        distinct: live channels that are no copies of an earlier one.
        leaks: between those.
        names: for each channel, empty where the file says none.
    """

    facts: ChannelFacts
    distinct: tuple[int, ...] = ()
    leaks: tuple[Leak, ...] = ()
    names: tuple[str, ...] = ()

    @property
    def gain(self) -> float:
        """By how much all channels are made louder or quieter."""
        peak = self.facts.peak
        if 0.0 < peak < _QUIET_PEAK:
            return 0.5 / peak
        return 0.9 / peak if _LOUD_PEAK < peak < _ABSURD_PEAK else 1.0


@dataclass(frozen=True, slots=True)
class SeparateChannels:
    """The channels of a block without what leaks into them.

    Attributes:
        samples: float32, shape (n_channels, n_samples).
        sounding_s, voiced_s: for how long there is any sound on each, and roughly for how long
            somebody speaks, in seconds.
    """

    samples: Samples
    sounding_s: tuple[float, ...]
    voiced_s: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ChannelBlock:
    """A part of a recording with its channels apart.

    Attributes:
        samples: float32, shape (n_channels, n_samples), 16 kHz, within [-1, 1].
        start_s: where it begins in the recording.
    """

    samples: Samples
    start_s: float

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return int(self.samples.shape[1]) / RATE_HZ

    def without_leaks(self, leaks: tuple[Leak, ...]) -> SeparateChannels:
        """The channels, silent where they hold nothing but what leaks from others."""
        levels = levels_db(self.samples, _MOMENT)
        doors = open_moments(levels, leaks)
        rows = [shut(row, mask, _MOMENT) for row, mask in zip(self.samples, doors, strict=True)]
        sounding = (levels > _NOTHING_DB) & doors
        quiet = np.percentile(levels, _QUIET_PERCENTILE, axis=1) if levels.size else np.zeros(1)
        voiced = sounding & (levels > quiet[:, None] + _VOICE_DB)
        return SeparateChannels(np.stack(rows), _seconds(sounding), _seconds(voiced))


def _seconds(moments: npt.NDArray[np.bool_]) -> tuple[float, ...]:
    return tuple(float(count) * MOMENT_S for count in moments.sum(axis=1))


class _ChannelBlocks(Blocks[ChannelBlock]):
    full_scale = 1.0

    def block(self, samples: Samples, start_s: float) -> ChannelBlock:
        return ChannelBlock(samples, start_s)


def survey(
    path: str | os.PathLike[str],
    *,
    name: str,
    settings: Settings,
    canceled: Callable[[], bool] = lambda: False,
    audio_track: str | None = None,
) -> ChannelSurvey:
    """Listen to a whole recording, and say what its channels are.

    Takes about a hundredth of its length, and hardly any memory. Arguments and errors are those of
    `hybrid_transcribe.audio.decode.decode`; canceled, it says what it heard so far.
    """
    meter = LevelMeter()
    converter = ChannelConverter(names.display_name(name), gain=None)
    blocks = decode_blocks(
        path,
        lambda items: _metered(converter.samples(items), meter),
        lambda first_sample: _ChannelBlocks(_SURVEY_BLOCK_S, 0.0, first_sample),
        name=name,
        settings=settings,
        canceled=canceled,
        audio_track=audio_track,
        report=DecodeReport(),
    )
    for _ in blocks:
        pass
    facts, levels = meter.facts(), meter.levels()
    channels = distinct(levels, facts.live)
    leaks = find_leaks(levels, channels)
    track_names = _names(Path(path), name, settings, facts.n_channels)
    return ChannelSurvey(facts, channels, leaks, track_names)


def _metered(chunks: Iterator[Samples], meter: LevelMeter) -> Iterator[Samples]:
    """Nothing is kept: what is handed on is as long, and silent."""
    for chunk in chunks:
        meter.add(chunk, RATE_HZ)
        yield np.broadcast_to(np.float32(0.0), chunk.shape[1:])


def _names(path: Path, name: str, settings: Settings, n_channels: int) -> tuple[str, ...]:
    recording = _sandbox.admit(path, names.display_name(name), settings)
    if recording.container != "wav":
        return ("",) * n_channels
    with path.open("rb") as file:
        return _track_names.read(file, recording.start, n_channels)


def decode_channels(
    path: str | os.PathLike[str],
    *,
    name: str,
    settings: Settings,
    start_s: float = 0.0,
    gain: float = 1.0,
    canceled: Callable[[], bool] = lambda: False,
    audio_track: str | None = None,
    report: DecodeReport | None = None,
) -> Iterator[ChannelBlock]:
    """Yield the recording as blocks that follow each other without a gap.

    As `hybrid_transcribe.audio.decode.decode`, with channels apart; ``gain`` is applied to all.
    """
    yield from decode_blocks(
        path,
        ChannelConverter(names.display_name(name), gain).samples,
        lambda first_sample: _ChannelBlocks(settings.block_s, start_s, first_sample),
        name=name,
        settings=settings,
        canceled=canceled,
        audio_track=audio_track,
        report=DecodeReport() if report is None else report,
    )
