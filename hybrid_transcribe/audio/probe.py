"""What a recording is and how long it claims to be, without decoding it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from hybrid_transcribe import names
from hybrid_transcribe.audio import _source
from hybrid_transcribe.config import Settings


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
    """

    duration_s: float | None
    container: str
    codec: str
    rate_hz: int
    channels: int
    n_streams: int


def probe(path: str | os.PathLike[str], settings: Settings, name: str | None = None) -> Probe:
    """Open the recording with FFmpeg, hold it against every limit, decode nothing.

    ``name`` is what messages call it, its own name when None. Raises what `sniff` raises, and
    TooLarge, TooLong, UnsafeInput (rate, channels, streams), NoAudio, UnsupportedMedia,
    BrokenMedia.
    """
    place = Path(path)
    shown = names.display_name(place.name if name is None else name)
    container = _source.admit(place, shown, settings)
    watch = _source.Watch(shown, settings.decode_timeout_s, lambda: False)
    with (
        _source.binary(place, shown) as file,
        _source.opened(file, container, shown, watch) as media,
    ):
        stream = _source.audio_stream(media, shown)
        seconds = _source.header_duration_s(media, stream)
        if seconds is not None and _source.trusts_length(container, place):
            _source.check_duration(seconds, settings, shown)
        return Probe(
            duration_s=seconds,
            container=container,
            codec=_source.codec_name(stream),
            rate_hz=stream.codec_context.sample_rate,
            channels=stream.codec_context.channels,
            n_streams=len(media.streams),
        )
