"""Options that say who speaks: how many people, and whose voices are known."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from hybrid_transcribe.audio.intake import Uploaded
from hybrid_transcribe.core.names import user_path
from hybrid_transcribe.errors import InvalidOption
from hybrid_transcribe.messages import UserMessage, known_phrase
from hybrid_transcribe.types import WHO_SPEAKS, KnownVoice, Options

#: Most voices of a job, and most characters of a name.
MOST_VOICES, MOST_NAME = 32, 100

#: What the option takes, in people's words.
VOICES_KIND = "names, each with a recording of that voice"

_BOUNDS = ("min_speakers", "max_speakers")


def spread(values: Mapping[str, Any]) -> dict[str, Any]:
    """The same options, with names and recordings that stand for a number as ``voices``.

    >>> spread({"speakers": {"Ana": "ana.wav"}})
    {'voices': {'Ana': 'ana.wav'}}
    """
    people = values.get("speakers")
    if not isinstance(people, Mapping):
        return dict(values)
    return {**{name: v for name, v in values.items() if name != "speakers"}, "voices": people}


def without_replaced(base: Options, values: Mapping[str, Any]) -> Options:
    """``base`` without what ``values`` take the place of.

    ``diarize=False`` takes the place of all; an exact number takes that of bounds, and they its.
    """
    if values.get("diarize") is False:
        return replace(base, speakers=None, min_speakers=None, max_speakers=None, voices=None)
    if values.get("speakers") is not None:
        return replace(base, min_speakers=None, max_speakers=None)
    if any(values.get(name) is not None for name in _BOUNDS):
        return replace(base, speakers=None)
    return base


def implied(options: Options) -> Options:
    """With ``diarize`` where somebody said who speaks."""
    says_who = any(getattr(options, name) for name in WHO_SPEAKS)
    return replace(options, diarize=True) if says_who else options


def check_speakers(options: Options) -> None:
    """Raise InvalidOption for numbers that contradict each other."""
    least, most = options.min_speakers, options.max_speakers
    if options.speakers is not None and (least is not None or most is not None):
        bound = "max_speakers" if least is None else "min_speakers"
        value = most if least is None else least
        raise InvalidOption(
            UserMessage("speakers_or_bounds", value=options.speakers, bound=bound, other=value)
        )
    if least is not None and most is not None and least > most:
        raise InvalidOption(UserMessage("speakers_order", least=least, most=most))


def refuse_paths(values: Mapping[str, Any]) -> None:
    """Raise InvalidOption for voices that are named by those who may not name files here.

    Whoever may read any file of this machine by its name could have its voices recognised.
    """
    if values.get("voices") is not None or isinstance(values.get("speakers"), Mapping):
        raise InvalidOption(UserMessage("voices_by_path"))


def known_voices(value: Any) -> tuple[KnownVoice, ...]:
    """Voices from names and recordings. Raises InvalidOption, which names what cannot be."""
    if isinstance(value, Mapping):
        voices = tuple(_voice(name, recording) for name, recording in value.items())
    elif isinstance(value, (list, tuple)) and all(isinstance(v, KnownVoice) for v in value):
        voices = tuple(v if v.owned else _voice(v.name, v.path) for v in value)
    else:
        raise _not_voices(value)
    if len(voices) > MOST_VOICES:
        raise InvalidOption(UserMessage("voices_many", n=len(voices), most=MOST_VOICES))
    names = [voice.name for voice in voices]
    for name in names:
        if names.count(name) > 1:
            raise InvalidOption(UserMessage("voice_twice", name=name))
    return voices


def _voice(name: Any, recording: Any) -> KnownVoice:
    if not isinstance(name, str):
        raise _not_voices({name: recording})
    plain = " ".join(name.split())
    if not plain or len(plain) > MOST_NAME or not plain.isprintable():
        raise InvalidOption(UserMessage("voice_name", value=name[:MOST_NAME], most=MOST_NAME))
    if isinstance(recording, Uploaded):
        return KnownVoice(plain, recording.path.name, owned=True)
    return KnownVoice(plain, _recording(plain, recording))


def _recording(name: str, recording: Any) -> str:
    if not isinstance(recording, (str, os.PathLike)) or not os.fspath(recording):
        raise _not_voices({name: recording})
    path = Path(os.path.abspath(user_path(recording)))  # noqa: PTH100 - links stay links
    if not path.is_file():
        raise InvalidOption(UserMessage("voice_missing", name=name, path=os.fspath(recording)))
    return str(path)


def _not_voices(value: Any) -> InvalidOption:
    return InvalidOption(
        UserMessage(
            "option_kind",
            option="voices",
            value=repr(value)[:80],
            phrase=known_phrase(VOICES_KIND),
        )
    )
