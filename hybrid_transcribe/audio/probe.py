"""What a recording is and how long it claims to be, without decoding it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from hybrid_transcribe.audio import _sandbox, _tracks
from hybrid_transcribe.config import Settings
from hybrid_transcribe.core import names


@dataclass(frozen=True, slots=True)
class Probe:
    """A recording from the outside.

    Attributes:
        duration_s: length as the file tells or lets guess, in seconds; None when it does not.
            The truth is counted while decoding.
        container: as `hybrid_transcribe.audio.sniff` names it.
        codec: FFmpeg's canonical name of the audio codec, e.g. ``"opus"``.
        rate_hz, channels: of the audio stream that would be decoded.
        n_streams: all streams, with video, covers and subtitles.
        n_tracks: audio streams that can be decoded.
    """

    duration_s: float | None
    container: str
    codec: str
    rate_hz: int
    channels: int
    n_streams: int
    n_tracks: int = 1


def probe(
    path: str | os.PathLike[str],
    settings: Settings,
    name: str | None = None,
    audio_track: str | None = None,
) -> Probe:
    """Open the recording with FFmpeg, hold it against every limit, decode nothing.

    ``name`` is what messages call it, its own name when None; ``audio_track`` is as in
    `hybrid_transcribe.audio.decode.decode`. Raises what `sniff` raises, and TooLarge, TooLong,
    UnsafeInput (rate, channels, streams), NoAudio, UnsupportedMedia, BrokenMedia.
    """
    place = Path(path)
    display_name = names.display_name(place.name if name is None else name)
    recording = _sandbox.admit(place, display_name, settings)
    watch = _sandbox.DecodeLimits(display_name, settings.decode_timeout_s, lambda: False)
    with _sandbox.reading(recording, watch) as (_, media):
        streams = _sandbox.sane_streams(media, display_name)
        choices = _tracks.tracks(streams)
        if audio_track is None:
            track = _tracks.preferred(choices)
        else:
            track = _tracks.named(choices, audio_track, display_name)
        stream = _sandbox.prepare(streams[track.number - 1], display_name)
        seconds = _sandbox.header_end_s(recording, media, stream)
        if seconds is not None and _sandbox.trusts_length(recording):
            _sandbox.check_duration(seconds, settings, display_name)
        return Probe(
            duration_s=seconds,
            container=recording.container,
            codec=_sandbox.codec_name(stream),
            rate_hz=stream.codec_context.sample_rate,
            channels=stream.codec_context.channels,
            n_streams=len(media.streams),
            n_tracks=len(choices),
        )
