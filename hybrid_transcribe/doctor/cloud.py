"""Who would get the audio, and whether anybody may."""

from __future__ import annotations

from collections.abc import Iterable

from hybrid_transcribe.config import ALIASES, PREFIX, Settings
from hybrid_transcribe.doctor.check import Check
from hybrid_transcribe.engines.listing import cloud_host
from hybrid_transcribe.registry import ENGINES

#: Engines whose key we know; those of plug-ins are their own business.
_KEYS = {"assemblyai": "assemblyai_api_key"}


def clouds(settings: Settings) -> Iterable[Check]:
    """Each engine that sends the audio away. Keys are looked for, never shown."""
    for name in dict.fromkeys((*ENGINES.names(), *settings.engines)):
        who = _receiver(name, settings)
        if who is not None:
            yield _check(name, who, settings)


def _receiver(name: str, settings: Settings) -> str | None:
    try:
        value: str | None = ENGINES.get(name, settings.engines).capabilities.sends_audio_to
    except Exception:
        # A plug-in may raise anything while it is imported; the look at engines tells it.
        return None
    return value


def _check(name: str, who: str, settings: Settings) -> Check:
    key = _KEYS.get(name, "")
    has_key = bool(getattr(settings, key)) if key else None
    host = cloud_host(name, settings)
    detail = f"gets the audio: {who}" + (f" at {host}" if host else "")
    if has_key is not None:
        detail += "; its key is set" if has_key else "; no key is set"
    if settings.never_cloud:
        detail += "; never used, as the settings say (never_cloud)"
    usable = has_key is not False and not settings.never_cloud
    set_key = f"Set {ALIASES.get(key, PREFIX + key.upper())} to use it"
    hint = set_key if has_key is False and not settings.never_cloud else ""
    return Check(f"cloud {name}", True if usable else None, detail, hint)
