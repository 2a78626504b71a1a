"""Is a recording transcribed channel by channel, and who is on which channel?"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from hybrid_transcribe.audio.channels import MOST_CHANNELS, ChannelSurvey, survey
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import InvalidOption
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.protocol import Item
from hybrid_transcribe.types import Options


@dataclass(frozen=True, slots=True)
class ChannelPlan:
    """How a recording is transcribed channel by channel.

    Attributes:
        speakers: who is on which channel, by its number from 0; others have nobody on them.
        survey: what the channels are.
    """

    speakers: dict[int, str]
    survey: ChannelSurvey


@dataclass(frozen=True, slots=True)
class ChannelDecision:
    """A plan, None where the channels are mixed, and a line for people where there is one."""

    plan: ChannelPlan | None = None
    message: str | None = None


def may_be_separate(options: Options) -> bool:
    """Has anybody asked for what channels might answer?

    Known voices give people their names, which no channel does.
    """
    by_itself = options.channels is None and options.diarize and not options.voices
    return options.channels == "speakers" or by_itself


def decide(
    item: Item,
    n_channels: int,
    options: Options,
    settings: Settings,
    canceled: Callable[[], bool],
) -> ChannelDecision:
    """Listen to a recording of so many channels, and decide.

    Raises InvalidOption for too many channels, and what decoding raises.
    """
    is_asked = options.channels == "speakers"
    if n_channels < 2:
        return ChannelDecision(message=UserMessage("channels_mono") if is_asked else None)
    if n_channels > MOST_CHANNELS:
        if not is_asked:
            return ChannelDecision()
        raise InvalidOption(
            UserMessage("channels_many", name=item.name, n=n_channels, most=MOST_CHANNELS)
        )
    result = survey(
        item.path,
        name=item.name,
        settings=settings,
        canceled=canceled,
        audio_track=options.audio_track,
    )
    if is_asked:
        return _as_asked(result)
    if not (result.facts.are_one_person_each and _may_be(len(result.distinct), options)):
        return ChannelDecision()
    return ChannelDecision(_plan(result), UserMessage("channels_found"))


def _as_asked(result: ChannelSurvey) -> ChannelDecision:
    if len(result.distinct) > 1:
        return ChannelDecision(_plan(result))
    if len(result.facts.live) > 1:
        return ChannelDecision(message=UserMessage("channels_alike"))
    if not result.facts.live:
        return ChannelDecision()
    return ChannelDecision(message=UserMessage("channels_one", n=result.facts.n_channels))


def _may_be(n_people: int, options: Options) -> bool:
    """Does a number of people agree with what is said of it?"""
    least = options.speakers or options.min_speakers or 0
    most = options.speakers or options.max_speakers or n_people
    return least <= n_people <= most


def _plan(result: ChannelSurvey) -> ChannelPlan:
    """Channels have their numbers from 1, or the names of their tracks."""
    numbered = {channel: f"S{channel + 1}" for channel in result.distinct}
    named = {channel: result.names[channel] or numbered[channel] for channel in numbered}
    is_clear = len(set(named.values())) == len(named)
    return ChannelPlan(named if is_clear else numbered, result)
