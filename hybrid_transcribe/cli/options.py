"""Arguments that say how to transcribe, as what `Service.submit` takes."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from hybrid_transcribe.config import PREFIX
from hybrid_transcribe.errors import InvalidOption
from hybrid_transcribe.jobs.option_text import parse
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import CHANNELS, DEVICES, TASKS, KnownVoice

if TYPE_CHECKING:
    from hybrid_transcribe.config import Settings


class _OptionRecorder:
    """Text of the help that is looked up when it is printed: that reads all packages."""

    def __init__(self, text: Callable[[Settings], str]) -> None:
        self._text = text

    def __str__(self) -> str:
        from hybrid_transcribe.config import Settings

        try:
            settings = Settings.load()
        except InvalidOption:
            # Help is needed most where a setting is wrong; any other command says which.
            settings = Settings()
        return self._text(settings)


def _engine_names(settings: Settings) -> str:
    from hybrid_transcribe.registry import ENGINES

    return ", ".join(dict.fromkeys((*ENGINES.names(), *settings.engines)))


def _default_model(settings: Settings) -> str:
    """The default engine's, by its name; the settings' model is meant for that engine only."""
    from hybrid_transcribe.engines.listing import default_model

    model = default_model(settings)
    return f"{model} with {settings.engine}, else the engine's own" if model else "the engine's own"


def add_arguments(parser: argparse.ArgumentParser, *, several_engines: bool = False) -> None:
    """The common ones by name, every other by ``--option``; ``--engine`` once or repeatable."""
    add = parser.add_argument_group("how to transcribe").add_argument
    if several_engines:
        engine = add(
            "--engine",
            action="append",
            metavar="NAME[:MODEL]",
            help="who is compared: %(known)s (repeatable; default: all that can run here and "
            "keep the audio on this machine)",
        )
    else:
        engine = add(
            "--engine",
            metavar="NAME",
            help="who transcribes: %(known)s (default: %(usual)s)",
        )
    vars(engine)["known"] = _OptionRecorder(_engine_names)
    vars(engine)["usual"] = _OptionRecorder(lambda settings: settings.engine)
    model = add(
        "--model",
        metavar="NAME",
        help="short name, hub id or folder, with openai-whisper also a .pt file "
        f"(default: %(usual)s; {PREFIX}MODEL is for the engine of {PREFIX}ENGINE only)",
    )
    vars(model)["usual"] = _OptionRecorder(_default_model)
    device = add(
        "--device", metavar="NAME", help=f"one of {', '.join(DEVICES)} (default: %(usual)s)"
    )
    vars(device)["usual"] = _OptionRecorder(lambda settings: settings.device)
    add("--language", metavar="NAME", help="spoken, as Portuguese or pt (default: detected)")
    add(
        "--languages",
        metavar="CODES",
        help="that a recording may be in, as pt,en: each part is written in its own",
    )
    add("--task", metavar="NAME", help=f"{' or '.join(TASKS)} (into English)")
    add("--word-timestamps", action="store_true", default=None, help="also time every word")
    _add_speakers(parser)
    add("--compute-type", metavar="NAME", help="int8, float16, float32… (default: the device's)")
    add("--beam-size", metavar="N", help="hypotheses followed: 1 is fastest")
    add("--initial-prompt", metavar="TEXT", help="text that goes before, for style and spelling")
    add("--hotwords", metavar="TEXT", help="words that are likely to be said")
    add(
        "--audio-track",
        metavar="N",
        help="which of a film's audio tracks, from 1, or by its language tag; all: one recording "
        "for each (default: the one that a player plays, unless it is silent)",
    )
    add(
        "--vad-filter",
        action=argparse.BooleanOptionalAction,
        default=None,
        help="drop stretches without speech before decoding",
    )
    add(
        "--option",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="any option; several values with commas, as in temperature=0,0.4 (repeatable)",
    )


def _add_speakers(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument_group("who speaks").add_argument
    add("--diarize", action="store_true", default=None, help="tell apart who speaks")
    add("--speakers", metavar="N", help="how many people speak, where you know it")
    add("--min-speakers", metavar="N", help="at least so many")
    add("--max-speakers", metavar="N", help="at most so many")
    add(
        "--channels",
        metavar="NAME",
        help=f"{' or '.join(CHANNELS)}: whether each channel is one person (default: heard as one "
        "sound; with --diarize it is found out)",
    )
    add(
        "--voice",
        action="append",
        default=[],
        metavar="NAME=FILE",
        help="somebody who is named where the voice of that recording speaks (repeatable)",
    )


def requested(args: argparse.Namespace) -> dict[str, Any]:
    """Keyword arguments for `Service.submit`. Raises InvalidOption."""
    options: dict[str, Any] = dict(_pair(text) for text in args.option)
    named = (
        *("engine", "model", "device", "language", "task", "word_timestamps", "vad_filter"),
        *("diarize", "compute_type", "audio_track", "channels"),
    )
    options.update({n: getattr(args, n) for n in named if getattr(args, n) is not None})
    typed = {"beam_size": args.beam_size, "initial_prompt": args.initial_prompt}
    typed["hotwords"] = args.hotwords
    typed["languages"] = args.languages
    typed |= {name: getattr(args, name) for name in ("speakers", "min_speakers", "max_speakers")}
    options.update({name: parse(name, text) for name, text in typed.items() if text is not None})
    if args.voice:
        options["voices"] = tuple(map(_voice, args.voice))
    return options


def _voice(text: str) -> KnownVoice:
    name, equals, path = text.partition("=")
    if not equals or not path:
        raise InvalidOption(UserMessage("voice_no_file", text=text))
    return KnownVoice(name, path)


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    name = name.strip().replace("-", "_")
    if not equals:
        raise InvalidOption(UserMessage("option_no_value", text=text, name=name))
    return name, parse(name, value)
