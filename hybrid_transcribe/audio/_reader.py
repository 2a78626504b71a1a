"""Packets into frames, with an account of what could not be decoded."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import av
from av.audio.frame import AudioFrame
from av.audio.stream import AudioStream
from av.container import InputContainer
from av.packet import Packet
from av.stream import Stream

from hybrid_transcribe.audio import _ends, _sandbox
from hybrid_transcribe.audio._clock import MediaClock
from hybrid_transcribe.audio._damage import DamageLog

# Length of a packet whose container does not state it: most codecs' frames have about this.
_USUAL_PACKET_S = 0.02

# Bytes without a packet are damage from so many on, and from so much sound on at the
# recording's own bit rate: headers of pages and clusters are smaller.
_LEAST_HOLE_BYTES, _LEAST_HOLE_S = 1024, 0.1

# Transport packets are looked at where a gap is, as far as that.
_TS_PACKET, _TS_SYNC, _MOST_READ_BYTES = 188, 0x47, 1 << 20

# Containers whose packets lie one behind the other, so that a hole between them is damage when
# the clock jumps there.
_CONTIGUOUS = frozenset(("asf", "flac", "flv", "matroska", "ogg", "webm"))

#: The same without a clock of their own: the hole alone tells.
UNTIMED = frozenset(("avi", *_ends.FRAME_LENGTHS))

# What may lie between packets and is no damage: tags, and chunks of other things.
_FILLERS = (b"ID3", b"TAG", b"APETAGEX", b"LYRICS", b"JUNK", b"idx1", b"ix0", b"LIST", b"RIFF")

# No frame is so many times as long as the mean of those before it.
_MOST_FRAMES = 6

# The bit rate is known well enough after so many bytes.
_MEASURED_BYTES = 4096


class FrameReader:
    """Decodes one stream of a container.

    Attributes:
        damage: what could not be decoded.
        decoded_s: sound that came out, in seconds.
        companion_end_s: where the pictures end, on the container's clock; 0 without any.
        last_packet: position and size in bytes of the last packet; None where not known.
    """

    def __init__(
        self,
        recording: _sandbox.Admitted,
        file: BinaryIO,
        media: InputContainer,
        stream: AudioStream,
        clock: MediaClock,
        watch: _sandbox.DecodeLimits,
    ) -> None:
        self.damage = DamageLog()
        self.decoded_s = 0.0
        self.companion_end_s = 0.0
        self.last_packet: tuple[int, int] | None = None
        self._in_hole = False
        self._hole = (0, 0)
        self._recording, self._file = recording, file
        self._media, self._stream, self._clock, self._watch = media, stream, clock, watch
        # Its packets tell a gap from a new clock, and how far the file reaches.
        self._companion: Stream | None = next(iter(media.streams.video), None)
        self._packet_s = _USUAL_PACKET_S
        self._first_byte = self._end_byte = -1
        self._n_packets = 0
        self._page: tuple[int, int] | None = None
        self._is_pcm = _sandbox.codec_name(stream).startswith("pcm_")
        self._frame_bytes: Callable[[bytes], int | None] | None = _ends.FRAME_LENGTHS.get(
            recording.container
        )

    def frames(self) -> Iterator[AudioFrame]:
        """Every frame that can be decoded; broken packets are passed over."""
        for packet in _sandbox.packets(self._media, list(self._media.streams), self._watch):
            hole = self._hole_bytes(packet)
            # Not by the packet's own index: those that flush the decoders at the end have none.
            index = packet.stream.index
            if index == self._stream.index:
                self._look_at(packet, hole)
                yield from self._decode(packet)
            elif self._companion is not None and index == self._companion.index:
                self._pass_by(packet)

    def is_torn(self) -> bool:
        """Was something in the file passed over before the packet that is decoded now?"""
        if self._recording.container == "mpegts":
            return self._syncs_lack(*self._hole)
        return self._in_hole and self._recording.container in _CONTIGUOUS

    def _syncs_lack(self, start: int, end: int) -> bool:
        """Do transport packets from byte ``start`` to ``end`` not all begin as they must?"""
        if start % _TS_PACKET or end - start < _LEAST_HOLE_BYTES:
            return False
        data = self._bytes_at(start, min(end - start, _MOST_READ_BYTES))
        return set(data[::_TS_PACKET]) != {_TS_SYNC}

    def _look_at(self, packet: Packet[Any], hole_bytes: int) -> None:
        """Note where a packet of ours lies, and what was passed over before it or within it."""
        if not packet.size or packet.pos is None:
            return
        if self.last_packet is not None:
            self._hole = (self.last_packet[0], packet.pos)
        if self.last_packet is not None and self.last_packet[0] == packet.pos:
            self.last_packet = (packet.pos, packet.size)
            return  # Of the same page as the one before it.
        self.last_packet = (packet.pos, packet.size)
        hole_s = hole_bytes / self._bytes_per_s() if hole_bytes >= _LEAST_HOLE_BYTES else 0.0
        self._in_hole = hole_s >= _LEAST_HOLE_S and not self._is_filler(packet.pos - hole_bytes)
        if self._recording.container == "ogg":
            self._in_hole |= self._pages_lack(packet.pos)
        if self._in_hole and self._recording.container in UNTIMED:
            self.damage.skip(self._clock.position_s, hole_s)

    def _pages_lack(self, at: int) -> bool:
        """Is the number of the Ogg page there not the next one of its stream?"""
        header = self._bytes_at(at, 27)
        if len(header) < 27 or header[:4] != b"OggS":
            return False
        stream, number = struct.unpack_from("<LL", header, 14)
        before, self._page = self._page, (stream, number)
        return before is not None and before[0] == stream and number > before[1] + 1

    def _hole_bytes(self, packet: Packet[Any]) -> int:
        """Bytes before a packet that belong to none; also those that a parser put into it."""
        if not packet.size or packet.pos is None or packet.pos < 0:
            return 0
        if self._first_byte < 0:
            self._first_byte = self._end_byte = packet.pos
        length = packet.size
        if self._frame_bytes is not None and length > _LEAST_HOLE_BYTES:
            length = self._frame_length(packet, length)
        self._n_packets += 1
        hole = packet.pos - self._end_byte
        # Packets of one page share its position.
        self._end_byte = max(packet.pos, self._end_byte) + length
        return max(0, hole)

    def _frame_length(self, packet: Packet[Any], most: int) -> int:
        """What of a large packet is a frame: a parser adds to it what it cannot read."""
        assert self._frame_bytes is not None
        mean = (self._end_byte - self._first_byte) // max(1, self._n_packets)
        stated = self._frame_bytes(bytes(packet)[:8])
        # Damage may look like a header.
        return mean if stated is None or stated > _MOST_FRAMES * mean else min(most, stated)

    def _bytes_per_s(self) -> float:
        n_bytes = self._end_byte - self._first_byte
        if self.decoded_s <= 0.0 or n_bytes < _MEASURED_BYTES:
            return float("inf")
        return n_bytes / self.decoded_s

    def _is_filler(self, at: int) -> bool:
        """Is what lies there a tag or another chunk, rather than damage?"""
        head = self._bytes_at(at, 16)
        return any(mark in head for mark in _FILLERS)

    def _bytes_at(self, at: int, count: int) -> bytes:
        """Some bytes of the recording; FFmpeg finds its place again."""
        before = self._file.tell()
        try:
            self._file.seek(self._recording.start + at)
            return self._file.read(count)
        finally:
            self._file.seek(before)

    def _decode(self, packet: Packet[Any]) -> Iterator[AudioFrame]:
        # The last packet of a WAV without length is called corrupt, as it is not full.
        is_corrupt = packet.is_corrupt and not self._is_pcm
        try:
            frames: list[Any] = packet.decode()
        except av.FFmpegError:
            self.damage.miss(self._clock.position_s, self._length_s(packet))
            return
        for frame in frames:
            if not frame.samples:
                continue
            self._packet_s = frame.samples / frame.sample_rate
            self.decoded_s += self._packet_s
            yield frame
            if is_corrupt or frame.is_corrupt:
                self.damage.miss(self._clock.position_s - self._packet_s, self._packet_s)

    def _length_s(self, packet: Packet[Any]) -> float:
        if packet.duration and packet.time_base:
            return float(packet.duration * packet.time_base)
        return self._packet_s

    def _pass_by(self, packet: Packet[Any]) -> None:
        if packet.dts is None or not packet.time_base:
            return
        self._clock.pass_by(float(packet.dts * packet.time_base))
        end_s = float((packet.dts + (packet.duration or 0)) * packet.time_base)
        self.companion_end_s = max(self.companion_end_s, end_s)
