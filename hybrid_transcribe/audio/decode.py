"""Any recording into the one form engines receive: float32, mono, 16 kHz; safely, in blocks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer

from hybrid_transcribe import names
from hybrid_transcribe.audio import _source
from hybrid_transcribe.audio._blocks import Blocks
from hybrid_transcribe.audio._mono import Mono
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import BrokenMedia
from hybrid_transcribe.types import RATE_HZ, Clip

# A reader that fails this often in one file is not going to find its way back.
_MAX_BAD_READS = 100


def decode(
    path: str | os.PathLike[str],
    *,
    name: str,
    settings: Settings,
    start_s: float = 0.0,
    cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[Clip]:
    """Yield the recording as clips that follow each other without a gap.

    Up to ``settings.block_s`` it is one clip; beyond that, clips of at most that length, cut
    where it is quietest near their end, so that memory stays flat. ``start_s`` (seconds) is
    rounded to a sample, the first of the first clip; past the end there are no clips.
    ``cancelled`` is asked several times a second while this works; true ends the iteration.

    Damaged stretches are skipped. Raises what `probe` raises, at the first ``next``; BrokenMedia
    when nothing can be decoded; TooLong as soon as more samples came out than
    ``settings.max_duration_s`` allows, whatever the header said; UnsafeInput when a block takes
    more than ``settings.decode_timeout_s`` of wall-clock time.
    """
    place, shown = Path(path), names.display_name(name)
    watch = _source.Watch(shown, settings.decode_timeout_s, cancelled)
    try:
        container = _source.admit(place, shown, settings)
        with (
            _source.binary(place, shown) as file,
            _source.opened(file, container, shown, watch) as media,
        ):
            stream = _source.audio_stream(media, shown)
            seconds = _source.header_duration_s(media, stream)
            if seconds is not None and _source.trusts_length(container, place):
                _source.check_duration(seconds, settings, shown)
            blocks = Blocks(name, settings.block_s, start_s)
            for clip in _clips(media, stream, blocks, settings, shown, watch):
                yield clip
                del clip  # Else two blocks would be alive while the next one is decoded.
                watch.restart()
    except _source.Stopped:
        return


def _clips(
    media: InputContainer,
    stream: AudioStream,
    blocks: Blocks,
    settings: Settings,
    shown: str,
    watch: _source.Watch,
) -> Iterator[Clip]:
    n_samples, block_end = 0, blocks.size
    for chunk in Mono(shown).samples(_frames(media, stream, watch)):
        watch()
        n_samples += len(chunk)
        _source.check_duration(n_samples / RATE_HZ, settings, shown)
        yield from blocks.add(chunk)
        if n_samples > block_end:  # Also while samples before the start are passed over.
            block_end = n_samples + blocks.size
            watch.restart()
    if n_samples == 0:
        raise BrokenMedia(f"{shown}: nothing in it can be decoded")
    yield from blocks.finish()


def _frames(
    media: InputContainer, stream: AudioStream, watch: _source.Watch
) -> Iterator[AudioFrame]:
    """Every frame that can be decoded; broken packets are passed over."""
    for _ in range(_MAX_BAD_READS):
        try:
            for packet in media.demux(stream):
                watch()
                try:
                    frames = packet.decode()
                except av.FFmpegError:
                    continue
                yield from frames
            return
        except av.FFmpegError:
            # The reader stumbled, not a packet: it may find its way from where it stands.
            continue
        except IndexError:
            # PyAV's end, after our stream's last packet, when streams came up on the way.
            return
