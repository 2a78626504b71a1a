"""Any recording into the one form engines receive: float32, mono, 16 kHz; safely, in blocks."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer

from hybrid_transcribe.audio import _ends, _sandbox, _tracks
from hybrid_transcribe.audio._blocks import Block, Blocks, Chunk, MonoBlocks
from hybrid_transcribe.audio._clock import ClockRules, MediaClock, Silence
from hybrid_transcribe.audio._mono import Mono
from hybrid_transcribe.audio._reader import UNTIMED, FrameReader
from hybrid_transcribe.audio.report import DecodeReport
from hybrid_transcribe.config import Settings
from hybrid_transcribe.core import names
from hybrid_transcribe.errors import BrokenMedia
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import RATE_HZ, Clip

# Less sound than this is none: half of the shortest vowel, in seconds.
_LEAST_SOUND_S = 0.05

# Of a recording that is damaged or cut, less than this share is nothing to go by.
_LEAST_SHARE = 0.02

# Containers whose clock begins anywhere: what is broadcast, or cut out of that.
_ANY_ORIGIN = frozenset(("mpegts", "mpegps", "wtv"))

# Those whose players count from the file's own 0, however late the sound begins (measured in
# Chromium, to 90 s). In all others a clock that begins later than this is that of a broadcast.
_OWN_ORIGIN = frozenset(("mp4", "matroska", "webm"))
_LATEST_START_S = 60.0

#: Makes samples at 16 kHz of frames and of the silence between them.
Converter = Callable[[Iterable[AudioFrame | Silence]], Iterator[Chunk]]

#: Makes blocks that begin with the sample of that number.
BlockFactory = Callable[[int], Blocks[Block]]


def decode(
    path: str | os.PathLike[str],
    *,
    name: str,
    settings: Settings,
    start_s: float = 0.0,
    canceled: Callable[[], bool] = lambda: False,
    audio_track: str | None = None,
    report: DecodeReport | None = None,
) -> Iterator[Clip]:
    """Yield the recording as clips that follow each other without a gap.

    Times are those of the container's clock, as players show it: the first clip begins where
    the sound begins, and gaps are silence. Up to ``settings.block_s`` it is one clip; beyond
    that, clips of at most that length, cut where it is quietest near their end, so that memory
    stays flat. ``start_s`` (seconds) is rounded to a sample, the first of the first clip; past
    the end there are no clips. ``canceled`` is asked several times a second while this works;
    true ends the iteration. ``audio_track`` is a track's number from 1, language or title; None
    takes the one that people would hear. ``report`` collects what there is to say about it.

    Damaged stretches become silence. Raises what `probe` raises, at the first ``next``;
    BrokenMedia when nothing can be decoded; TooLong as soon as more samples came out than
    ``settings.max_duration_s`` allows, whatever the header said; UnsafeInput when a block takes
    more than ``settings.decode_timeout_s`` of wall-clock time.
    """
    report = DecodeReport() if report is None else report
    yield from decode_blocks(
        path,
        Mono(names.display_name(name), report).samples,
        lambda first_sample: MonoBlocks(name, settings.block_s, start_s, first_sample),
        name=name,
        settings=settings,
        canceled=canceled,
        audio_track=audio_track,
        report=report,
    )


def decode_blocks(
    path: str | os.PathLike[str],
    converter: Converter,
    make_blocks: BlockFactory[Block],
    *,
    name: str,
    settings: Settings,
    canceled: Callable[[], bool],
    audio_track: str | None,
    report: DecodeReport,
) -> Iterator[Block]:
    """As `decode`, with blocks of another kind."""
    place, display_name = Path(path), names.display_name(name)
    watch = _sandbox.DecodeLimits(display_name, settings.decode_timeout_s, canceled)
    try:
        recording = _sandbox.admit(place, display_name, settings)
        with _sandbox.reading(recording, watch) as (file, media):
            stream = _chosen(recording, media, audio_track, watch, report)
            watch.restart()
            decoding = _Decoding(recording, file, media, stream, settings, watch, report)
            for block in decoding.blocks(converter, make_blocks):
                yield block
                del block  # Else two blocks would be alive while the next one is decoded.
                watch.restart()
    except _sandbox.Stopped:
        return


def _chosen(
    recording: _sandbox.Admitted,
    media: InputContainer,
    audio_track: str | None,
    watch: _sandbox.DecodeLimits,
    report: DecodeReport,
) -> AudioStream:
    """The audio stream to decode, ready for it."""
    streams = _sandbox.sane_streams(media, recording.display_name)
    choices = _tracks.tracks(streams)
    silent: list[int] = []
    if audio_track is not None:
        track = _tracks.named(choices, audio_track, recording.display_name)
    elif len(choices) == 1:
        track = choices[0]
    else:
        track, silent = _tracks.survey(recording, choices, watch)
    if len(choices) > 1:
        report.track(track.number, len(choices), track.label, silent)
    return _sandbox.prepare(streams[track.number - 1], recording.display_name)


class _Decoding:
    """One stream of a recording on its way to blocks."""

    def __init__(
        self,
        recording: _sandbox.Admitted,
        file: BinaryIO,
        media: InputContainer,
        stream: AudioStream,
        settings: Settings,
        watch: _sandbox.DecodeLimits,
        report: DecodeReport,
    ) -> None:
        self._recording, self._stream = recording, stream
        self._settings, self._watch, self._report = settings, watch, report
        end_s = _sandbox.header_end_s(recording, media, stream)
        self._header_end_s = end_s if _sandbox.trusts_length(recording) else None
        self._clock = MediaClock(_rules(recording, media, end_s, settings))
        self._reader = FrameReader(recording, file, media, stream, self._clock, watch)

    def blocks(self, converter: Converter, make_blocks: BlockFactory[Block]) -> Iterator[Block]:
        """All blocks."""
        settings, display_name = self._settings, self._recording.display_name
        if self._header_end_s is not None:
            _sandbox.check_duration(self._header_end_s, settings, display_name)
        blocks: Blocks[Block] | None = None
        n_samples = block_end = 0
        for chunk in converter(self._clock.follow(self._reader.frames(), self._on_gap)):
            self._watch()
            if blocks is None:
                n_samples = round((self._clock.start_s or 0.0) * RATE_HZ)
                blocks = make_blocks(n_samples)
                block_end = n_samples + blocks.size
            n_samples += chunk.shape[-1]
            _sandbox.check_duration(n_samples / RATE_HZ, settings, display_name)
            yield from blocks.add(chunk)
            if n_samples > block_end:  # Also while samples before the start are passed over.
                block_end = n_samples + blocks.size
                self._watch.restart()
        self._conclude(n_samples / RATE_HZ)
        if blocks is not None:
            yield from blocks.finish()

    def _on_gap(self, at_s: float, seconds: float) -> None:
        self._reader.damage.gap(at_s, seconds, is_damage=self._reader.is_torn())

    def _conclude(self, end_s: float) -> None:
        """Say what is missing. Raises BrokenMedia where hardly anything is there."""
        report, reader, clock = self._report, self._reader, self._clock
        display_name = self._recording.display_name
        sound_s = reader.decoded_s
        if sound_s == 0.0:
            raise BrokenMedia(UserMessage("nothing_decodes", name=display_name))
        for at_s in clock.jumps[:1]:
            report.jump(at_s)
        if self._recording.header.is_short:
            report.short_header()
        promised_s = _ends.promised_s(
            self._recording, clock.start_s or 0.0, self._header_end_s, end_s
        )
        is_cut = self._is_cut(end_s, promised_s)
        lost = reader.damage.loss(end_s if is_cut else None)
        report.damage(lost.seconds, lost.first_s, lost.places, end_s)
        whole_s = max(promised_s or 0.0, end_s)
        if sound_s < _LEAST_SOUND_S or (report.incomplete and sound_s < _LEAST_SHARE * whole_s):
            raise BrokenMedia(UserMessage("too_little", name=display_name, seconds=sound_s))

    def _is_cut(self, end_s: float, promised_s: float | None) -> bool:
        """Say where the file ends too early, if it does."""
        # What was passed over in the middle is not missing at the end.
        skipped_s = self._reader.damage.loss().skipped_s
        reached_s = max(end_s, self._companions_end_s()) + skipped_s
        if promised_s is not None and self._report.cut(reached_s, promised_s):
            return True
        last = self._reader.last_packet
        whole = _ends.breaks_off(self._recording, last, has_length=promised_s is not None)
        if whole or _ends.ends_within_a_frame(self._recording, last):
            self._report.broken_off(end_s, usually_whole=whole)
            return True
        return False

    def _companions_end_s(self) -> float:
        """Where the pictures end, if the length that the header states is that of all streams."""
        is_own = self._recording.container == "mp4" or "DURATION" in self._stream.metadata
        return 0.0 if is_own else self._clock.at(self._reader.companion_end_s)


def _rules(
    recording: _sandbox.Admitted,
    media: InputContainer,
    header_end_s: float | None,
    settings: Settings,
) -> ClockRules:
    """How far this container's time stamps are to be believed."""
    begins_s = 0.0 if media.start_time is None else media.start_time / av.time_base
    restarts = recording.container in _ANY_ORIGIN
    own = recording.container in _OWN_ORIGIN or begins_s <= _LATEST_START_S
    ends = [] if header_end_s is None else [header_end_s]
    if media.duration:
        ends.append(max(0.0, begins_s) + media.duration / av.time_base)
    return ClockRules(
        origin_s=0.0 if own and not restarts else begins_s,
        end_s=max(ends, default=None),
        most_s=settings.max_duration_s,
        restarts=restarts,
        # FFmpeg counts them in units that it does not know without a header.
        has_stamps=recording.container != "flac-frames",
        # FFmpeg derives those behind the first frame from what the header says of the bit rate.
        first_only=recording.container in UNTIMED,
    )
