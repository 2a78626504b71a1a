"""From our options to the body of a request, through the SDK's own types."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from typing import Any

import assemblyai as aai
from assemblyai import types

from hybrid_transcribe.engines.assemblyai.choices import WIDEST_MODEL, language_code
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import Options

#: Limits of ``keyterms_prompt``: the widest model, which may take over, has the lower one.
MOST_TERMS, MOST_WORDS_OF_A_TERM = 200, 6


@dataclass(frozen=True, slots=True)
class AssemblyAIRequest:
    """What is asked of every recording alike. ``digest`` tells it from other requests."""

    config: aai.TranscriptionConfig
    model: str
    detects: bool
    words: bool
    silence_guard: bool
    notices: tuple[str, ...]
    digest: str

    def body(self, audio_url: str) -> dict[str, Any]:
        """The JSON of ``POST /v2/transcript``."""
        return plain(types.TranscriptRequest(audio_url=audio_url, **plain(self.config.raw)))


def request_for(options: Options, model: str) -> AssemblyAIRequest:
    """Raises InvalidOption for an unknown language."""
    terms, notices = _terms(options.hotwords or "")
    config = aai.TranscriptionConfig(
        # In this order; the second takes over where the first does not know the language.
        speech_models=list(dict.fromkeys([model, WIDEST_MODEL])),
        language_code=language_code(options.language) if options.language else None,
        language_detection=None if options.language else True,
        **_speakers(options),
        keyterms_prompt=terms or None,
    )
    message = json.dumps(plain(config.raw), sort_keys=True)
    return AssemblyAIRequest(
        config=config,
        model=model,
        detects=options.language is None,
        words=options.word_timestamps,
        silence_guard=options.silence_guard,
        notices=notices,
        digest=hashlib.sha256(message.encode()).hexdigest()[:16],
    )


def _speakers(options: Options) -> dict[str, Any]:
    if not options.diarize:
        return {}
    bounds = {
        "min_speakers_expected": options.min_speakers,
        "max_speakers_expected": options.max_speakers,
    }
    return {
        "speaker_labels": True,
        "speakers_expected": options.speakers,
        "speaker_options": parsed(types.SpeakerOptions, bounds) if any(bounds.values()) else None,
    }


def plain(model: Any) -> dict[str, Any]:
    """One of the SDK's models as a dict, without what is None.

    The SDK uses pydantic 1 or 2, whichever the machine has.
    """
    dump = getattr(model, "model_dump", None) or model.dict
    mapping: dict[str, Any] = dump(exclude_none=True, by_alias=True)
    return mapping


def parsed(kind: Any, answer: dict[str, Any]) -> Any:
    """An answer as one of the SDK's models. Raises ValueError where it does not fit."""
    return (getattr(kind, "model_validate", None) or kind.parse_obj)(answer)


def _terms(hotwords: str) -> tuple[list[str], tuple[str, ...]]:
    """Words to expect, one a line or between commas, as far as they are taken."""
    items = [" ".join(term.split()) for term in re.split(r"[,;\n]", hotwords)]
    items = list(dict.fromkeys(term for term in items if term))
    short = [term for term in items if len(term.split()) <= MOST_WORDS_OF_A_TERM]
    notices = []
    if len(short) < len(items):
        notices.append(
            UserMessage("aai_long_terms", most=MOST_WORDS_OF_A_TERM, n=len(items) - len(short))
        )
    if len(short) > MOST_TERMS:
        notices.append(UserMessage("aai_terms", most=MOST_TERMS, n=len(short) - MOST_TERMS))
    return short[:MOST_TERMS], tuple(notices)
