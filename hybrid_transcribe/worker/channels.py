"""A recording transcribed channel by channel: each is one person, and their texts are interleaved.

It is done block by block. The channels of a block are clips of their own, each without what leaks
into it from the others; when the engine is through with all of them, their segments are sent
together, in time order. Until then a worker that dies loses that block's work only: the next
attempt begins where the block began.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from hybrid_transcribe import protocol as p
from hybrid_transcribe.audio.channels import ChannelBlock, SeparateChannels, decode_channels
from hybrid_transcribe.audio.report import DecodeReport
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import EngineFailed
from hybrid_transcribe.interfaces import (
    ClipDone,
    Engine,
    EngineWarning,
    Heard,
    Language,
    Progress,
    StageUpdate,
)
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import SPEAKERS, Clip, Options, Segment, Stage, WithheldSegment
from hybrid_transcribe.worker.batch_state import BatchState, ClipSpan, shifted
from hybrid_transcribe.worker.channel_plan import ChannelPlan
from hybrid_transcribe.worker.memory import peak_bytes
from hybrid_transcribe.worker.source import (
    DecodedAudio,
    DecodeFailed,
    DecodeStarted,
    Piece,
    Reported,
    decoded,
)

# A block of all channels together holds so many seconds of samples, and is at least this long: text
# comes, and is safe, block by block. Two channels give five minutes (38 MB), eight two (61 MB).
_BLOCK_CHANNEL_S, _LEAST_BLOCK_S = 600.0, 120.0

# Of less speech than this nobody's language is detected: a channel may hold two words. It is taken
# to be that of the others.
_LANGUAGE_S = 10.0


def channel_pieces(
    key: int,
    item: p.Item,
    plan: ChannelPlan,
    settings: Settings,
    places: BatchState,
    audio_track: str | None,
) -> Iterator[Piece[ChannelBlock]]:
    """Decode a recording channel by channel, lazily."""
    facts = plan.survey.facts
    block_s = max(_LEAST_BLOCK_S, _BLOCK_CHANNEL_S / facts.n_channels)
    settings = settings.but(block_s=min(settings.block_s, block_s))

    def blocks(report: DecodeReport) -> Iterator[ChannelBlock]:
        return decode_channels(
            item.path,
            name=item.name,
            settings=settings,
            start_s=item.resume_from_s,
            gain=plan.survey.gain,
            canceled=lambda: places.canceled(key),
            audio_track=audio_track,
            report=report,
        )

    yield DecodeStarted(key)
    yield from decoded(key, item, blocks, DecodeReport(), lambda: places.canceled(key))


@dataclass(slots=True)
class _BlockText:
    """What was heard in a block so far: segments with their channels.

    ``weights`` are shares of the work, by channel.
    """

    span: ClipSpan
    weights: dict[int, float]
    segments: list[tuple[int, Segment]] = field(default_factory=list)
    withheld: list[WithheldSegment] = field(default_factory=list)
    done: dict[int, float] = field(default_factory=dict)

    @property
    def done_s(self) -> float:
        """How far the recording is, if all channels count by their share."""
        share = sum(self.weights[channel] * part for channel, part in self.done.items())
        return self.span.start_s + share * self.span.duration_s

    def in_order(self) -> tuple[Segment, ...]:
        """The segments by their times; of two at the same time the first channel's is first."""
        ordered = sorted(self.segments, key=lambda item: (item[1].start_s, item[1].end_s, item[0]))
        return tuple(segment for _, segment in ordered)


class ChannelTranscription:
    """One recording of a batch on its way through, channel by channel."""

    def __init__(
        self, key: int, plan: ChannelPlan, places: BatchState, engine: Engine, options: Options
    ) -> None:
        self._key, self._plan, self._places = key, plan, places
        self._engine, self._options = engine, options
        self._name = places[key].item.name
        #: Of the recording, and of channels on which another one is spoken.
        self._language = places[key].language
        self._languages: dict[int, str] = {}

    def run(self, pieces: Iterable[Piece[ChannelBlock]]) -> None:
        """Transcribe all of it, or until it is canceled.

        Raises what decoding and the engine raise.
        """
        # Who speaks is known.
        self._report(p.StageNotNeeded(SPEAKERS))
        for piece in pieces:
            if isinstance(piece, DecodeStarted):
                self._report(p.StageChanged(stage=Stage.DECODING))
            elif isinstance(piece, Reported):
                self._report(p.WarningRaised.of(piece.text, piece.audio_missing))
            elif isinstance(piece, DecodeFailed):
                if piece.error is not None:
                    raise piece.error
            elif isinstance(piece, DecodedAudio):
                self._transcribe(piece.clip, piece.last)
            else:
                self._end(self._places[self._key].item.resume_from_s)
            if self._is_canceled():
                self._places.end(self._key, p.RecordingCanceled())
                return

    # --------------------------------------------------------------------- one block

    def _transcribe(self, block: ChannelBlock, last: bool) -> None:
        place = self._places[self._key]
        span = ClipSpan(block.start_s, block.duration_s, last, place.taken_s)
        place.taken_s = span.end_s
        apart = block.without_leaks(self._plan.survey.leaks)
        channels = sorted(
            (c for c in self._plan.speakers if apart.sounding_s[c] > 0.0),
            key=lambda channel: -apart.voiced_s[channel],
        )
        text = _BlockText(span, _weights(channels, apart))
        if not place.begun:
            place.begun = True
            self._report(p.StageChanged(stage=Stage.TRANSCRIBING))
        while channels and not self._is_canceled():
            group, language = self._next_group(channels, apart)
            self._hear(group, replace(self._options, language=language), apart, text)
            channels = [channel for channel in channels if channel not in group]
        if not self._is_canceled():
            self._send(text)

    def _next_group(
        self, channels: Sequence[int], apart: SeparateChannels
    ) -> tuple[Sequence[int], str | None]:
        """The channels to hear next, side by side, and the language to hear them in."""
        if self._options.language is not None or self._options.in_several_languages:
            return channels, self._options.language
        languages = {channel: self._language_of(channel, apart) for channel in channels}
        language = languages[channels[0]]
        if language is None and self._language is None:
            # Who speaks most says what is spoken.
            return channels[:1], None
        return [channel for channel in channels if languages[channel] == language], language

    def _language_of(self, channel: int, apart: SeparateChannels) -> str | None:
        """None where it is to be detected."""
        if channel in self._languages:
            return self._languages[channel]
        return self._language if apart.voiced_s[channel] < _LANGUAGE_S else None

    def _hear(
        self, channels: Sequence[int], options: Options, apart: SeparateChannels, text: _BlockText
    ) -> None:
        clips = ((c, Clip(apart.samples[c], text.span.start_s, self._name)) for c in channels)
        n_done = 0
        for channel, event in self._engine.transcribe_many(
            clips, options, lambda _: self._is_canceled()
        ):
            n_done += isinstance(event, ClipDone)
            self._take(channel, event, text)
        if n_done < len(channels) and not self._is_canceled():
            raise EngineFailed(UserMessage("stopped_early"))

    def _take(self, channel: int, event: Heard | ClipDone | Exception, text: _BlockText) -> None:
        match event:
            case Segment():
                segment = shifted(event, text.span)
                _check_times(segment)
                text.segments.append((channel, self._spoken(channel, segment)))
                self._advance(channel, event.end_s, text)
            case WithheldSegment():
                text.withheld.append(shifted(event, text.span))
            case Progress(done_s):
                self._advance(channel, done_s, text)
            case Language():
                self._detected(channel, event)
            case EngineWarning(line):
                self._report(p.WarningRaised.of(line))
            case StageUpdate(stage, percentage):
                self._report(p.StageChanged(stage=stage, percentage=percentage))
            case ClipDone():
                self._advance(channel, text.span.duration_s, text)
            case Exception():
                raise event

    def _spoken(self, channel: int, segment: Segment) -> Segment:
        """The segment with its speaker, and its language where that is another one."""
        speaker = self._plan.speakers[channel]
        words = tuple(replace(word, speaker=speaker) for word in segment.words)
        language = segment.language or self._languages.get(channel)
        if segment.language is None and language == self._language:
            language = None
        return replace(segment, speaker=speaker, words=words, language=language)

    def _detected(self, channel: int, language: Language) -> None:
        self._languages[channel] = language.code
        if self._language is None:
            self._language = self._places[self._key].language = language.code
            self._places.learned(
                self._key, language=language.code, language_probability=language.probability
            )

    def _advance(self, channel: int, done_s: float, text: _BlockText) -> None:
        part = min(1.0, done_s / text.span.duration_s)
        text.done[channel] = max(part, text.done.get(channel, 0.0))
        self._report(p.ProgressAdvanced(done_s=text.done_s, resume_s=text.span.after_s))

    def _send(self, text: _BlockText) -> None:
        """All segments of a block, in time order; from then on it is done."""
        place, span = self._places[self._key], text.span
        for withheld in sorted(text.withheld, key=lambda w: (w.start_s, w.end_s)):
            self._report(p.TextWithheld(withheld=withheld))
        segments = text.in_order()
        if segments:
            self._report(p.SegmentsTranscribed(place.next_index, segments, span.end_s))
        else:
            self._report(p.ProgressAdvanced(done_s=span.end_s, resume_s=span.end_s))
        place.next_index += len(segments)
        place.done_s = span.end_s
        if span.last:
            self._end(span.end_s)

    def _end(self, duration_s: float) -> None:
        self._places.end(self._key, p.RecordingCompleted(duration_s, peak_bytes()))

    def _is_canceled(self) -> bool:
        return self._places.canceled(self._key)

    def _report(self, report: p.RecordingReport) -> None:
        self._places.report(self._key, report)


def _weights(channels: Sequence[int], apart: SeparateChannels) -> dict[int, float]:
    """The share of each in the work; where nobody speaks there is a little all the same."""
    lengths = {channel: apart.voiced_s[channel] + 1.0 for channel in channels}
    return {channel: length / sum(lengths.values()) for channel, length in lengths.items()}


def _check_times(segment: Segment) -> None:
    if not (math.isfinite(segment.start_s) and math.isfinite(segment.end_s)):
        raise EngineFailed(UserMessage("impossible_times", text=repr(segment)))
