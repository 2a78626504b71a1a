"""Who gets the audio, told before they do."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from hybrid_transcribe.cli.exits import say

if TYPE_CHECKING:
    from hybrid_transcribe.config import Settings


def tell_receivers(engines: Iterable[str | None], settings: Settings) -> None:
    """One line on stderr where audio will leave this machine; None is the default engine."""
    receivers = filter(None, (_receiver(engine, settings) for engine in engines))
    names = " and to ".join(dict.fromkeys(receivers))
    if names:
        say(f"The audio goes to {names}.")


def _receiver(engine: str | None, settings: Settings) -> str | None:
    """Who gets it and, where that can be chosen, at which host."""
    from hybrid_transcribe.engines.listing import audio_goes_to, cloud_host

    who = audio_goes_to(engine, settings)
    host = cloud_host(engine or settings.engine, settings)
    return f"{who} ({host})" if who and host else who
