"""Arguments that say how to transcribe, as what `Service.submit` takes."""

from __future__ import annotations

import argparse
from typing import Any

from hybrid_transcribe.errors import InvalidOption
from hybrid_transcribe.jobs.option_text import parse
from hybrid_transcribe.types import DEVICES, TASKS


class _EngineNames:
    """Every engine's name, looked up when the help is printed: that reads all packages."""

    def __str__(self) -> str:
        from hybrid_transcribe.registry import ENGINES

        return ", ".join(ENGINES.names())


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
            help="who transcribes: %(known)s (default: faster-whisper)",
        )
    vars(engine)["known"] = _EngineNames()
    add("--model", metavar="NAME", help="short name, hub id or folder (default: the engine's)")
    add("--device", metavar="NAME", help=f"one of {', '.join(DEVICES)} (default: auto)")
    add("--language", metavar="NAME", help="spoken, as Portuguese or pt (default: detected)")
    add("--task", metavar="NAME", help=f"{' or '.join(TASKS)} (into English)")
    add("--word-timestamps", action="store_true", default=None, help="also time every word")
    add("--diarize", action="store_true", default=None, help="label who speaks (assemblyai)")
    add("--compute-type", metavar="NAME", help="int8, float16, float32… (default: the device's)")
    add("--beam-size", metavar="N", help="hypotheses followed: 1 is fastest")
    add("--initial-prompt", metavar="TEXT", help="text that goes before, for style and spelling")
    add("--hotwords", metavar="TEXT", help="words that are likely to be said")
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


def requested(args: argparse.Namespace) -> dict[str, Any]:
    """Keyword arguments for `Service.submit`. Raises InvalidOption."""
    how: dict[str, Any] = dict(_pair(text) for text in args.option)
    named = (
        *("engine", "model", "device", "language", "task", "word_timestamps", "vad_filter"),
        *("diarize", "compute_type"),
    )
    how.update({n: getattr(args, n) for n in named if getattr(args, n) is not None})
    typed = {"beam_size": args.beam_size, "initial_prompt": args.initial_prompt}
    typed["hotwords"] = args.hotwords
    how.update({name: parse(name, text) for name, text in typed.items() if text is not None})
    return how


def _pair(text: str) -> tuple[str, Any]:
    name, equals, value = text.partition("=")
    name = name.strip().replace("-", "_")
    if not equals:
        raise InvalidOption(f"Option {text!r} has no value: write --option {name}=VALUE")
    return name, parse(name, value)
