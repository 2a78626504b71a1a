"""What the form of ``/v1/audio/…`` asks for, in words of ours."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from hybrid_transcribe.config import Settings
from hybrid_transcribe.core.telemetry import truth
from hybrid_transcribe.errors import InvalidOption
from hybrid_transcribe.jobs.option_text import parse
from hybrid_transcribe.jobs.request import OPTION_NAMES
from hybrid_transcribe.jobs.speaker_options import refuse_paths
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.rest.compat.openai.base_handler import Unusable, named
from hybrid_transcribe.rest.compat.openai.known_speakers import NAMES, REFERENCES, known_speakers

#: Formats of an answer; the first is OpenAI's default.
FORMATS = ("json", "text", "srt", "verbose_json", "vtt", "diarized_json")

#: The format that says who speaks; translations have it not.
DIARIZED = "diarized_json"

#: Formats in which an answer can come bit by bit.
STREAMED = ("json", "text", DIARIZED)

#: What ``verbose_json`` can tell the times of.
GRANULARITIES = ("segment", "word")

# As faster-whisper and others call them.
_SINGULAR = {"segments": "segment", "words": "word"}

# Items of a list: ``x[]`` of OpenAI's clients, ``x[0]`` of axios, PHP and others.
_INDEX = re.compile(r"\[\d*\]$")

# Said of how OpenAI's machines are to go about it; the text is the same without.
_IGNORED = ("chunking_strategy", "user")

_SESSION = "session_id"

_KNOWN = (
    *("model", "language", "languages", "keywords", "prompt", "response_format", "temperature"),
    *("timestamp_granularities", "stream", "include", NAMES, REFERENCES, *_IGNORED, _SESSION),
)


@dataclass(frozen=True, slots=True)
class TranscriptionParameters:
    """One request.

    Attributes:
        how: keyword arguments of `Service.submit`.
        format: of the answer, one of `FORMATS`.
        granularities: what ``verbose_json`` tells the times of.
        stream: the text as it comes, as server-sent events.
        session_id: the session named in the form, None without.
        references: a data URL with the voice of each known speaker.
    """

    run: Mapping[str, Any]
    format: str
    granularities: frozenset[str]
    stream: bool
    session_id: str | None
    references: Mapping[str, str]


def transcription_parameters(
    fields: Mapping[str, Sequence[str]], task: str, settings: Settings
) -> TranscriptionParameters:
    """Make sense of a form. ``task`` is ``transcribe`` or ``translate``.

    Raises Unusable, UnknownModel.
    """
    form = _Form(fields)
    model = form.text("model")
    if not model:
        raise Unusable("model", UserMessage("openai_model_missing"))
    formats = FORMATS if task == "transcribe" else tuple(f for f in FORMATS if f != DIARIZED)
    format_ = form.choice("response_format", formats)
    stream = form.flag("stream")
    if stream and format_ not in STREAMED:
        raise Unusable(
            "response_format",
            UserMessage("not_streamed", value=format_, choices=STREAMED),
        )
    granularities = _granularities(form, format_)
    if "logprobs" in form.several("include"):
        raise Unusable("include", UserMessage("no_logprobs"))
    run: dict[str, Any] = {**_ours(form), **named(model, settings), "task": task}
    run.update(_decoding(form))
    if "word" in granularities:
        run["word_timestamps"] = True
    references = known_speakers(form.several(NAMES), form.several(REFERENCES))
    if format_ == DIARIZED or references:
        run["diarize"] = True
    return TranscriptionParameters(
        run, format_, granularities, stream, form.text(_SESSION), references
    )


class _Form:
    """Fields by name; ``x[]`` and ``x[0]`` are ``x``, an empty one is none. Raises Unusable."""

    def __init__(self, fields: Mapping[str, Sequence[str]]) -> None:
        self._fields: dict[str, list[str]] = {}
        for name, values in fields.items():
            plain = _INDEX.sub("", name)
            # ``chunking_strategy[type]`` and the like are parts of a field.
            if plain.partition("[")[0] not in (*_KNOWN, *OPTION_NAMES):
                raise Unusable(plain, UserMessage("unknown_field", name=plain, choices=_KNOWN))
            self._fields.setdefault(plain, []).extend(v for v in values if v.strip())

    def several(self, name: str) -> list[str]:
        return self._fields.get(name, [])

    def text(self, name: str) -> str | None:
        values = self.several(name)
        if len(values) > 1:
            raise Unusable(name, UserMessage("field_repeated", name=name, count=len(values)))
        return values[0] if values else None

    def choice(self, name: str, choices: Sequence[str]) -> str:
        text = (self.text(name) or choices[0]).strip()
        if text not in choices:
            raise Unusable(
                name, UserMessage("not_among", name=name, value=repr(text), choices=choices)
            )
        return text

    def flag(self, name: str) -> bool:
        text = self.text(name) or "false"
        flag = truth(text)
        if flag is None:
            raise Unusable(name, UserMessage("must_be_bool", name=name, value=text))
        return flag

    def names(self) -> tuple[str, ...]:
        return tuple(self._fields)


def _listed(values: Sequence[str]) -> list[str]:
    """Values of a field that is a list: one each, with commas, or as a JSON array.

    >>> _listed(["word,segment"]), _listed(['["word", "segment"]']), _listed(["Words"])
    (['word', 'segment'], ['word', 'segment'], ['words'])
    """
    words = (word.strip(" \t[]\"'").lower() for text in values for word in text.split(","))
    return [word for word in words if word]


def _granularities(form: _Form, format_: str) -> frozenset[str]:
    named = _listed(form.several("timestamp_granularities"))
    chosen = [_SINGULAR.get(name, name) for name in named]
    for item in chosen:
        if item not in GRANULARITIES:
            raise Unusable(
                "timestamp_granularities",
                UserMessage("granularity", value=item, choices=GRANULARITIES),
            )
    if chosen and format_ != "verbose_json":
        raise Unusable(
            "timestamp_granularities",
            UserMessage("granularities_verbose"),
        )
    return frozenset(chosen or ["segment"])


def _decoding(form: _Form) -> dict[str, Any]:
    """OpenAI's words for options."""
    run: dict[str, Any] = {}
    languages = form.several("languages")
    language = form.text("language") or (languages[0] if len(languages) == 1 else None)
    if language:
        run["language"] = language
    if prompt := form.text("prompt"):
        run["initial_prompt"] = prompt
    if keywords := form.several("keywords"):
        run["hotwords"] = ", ".join(keywords)
    temperature = _temperature(form.text("temperature"))
    # 0 stands for the engine's own: it raises the temperature where the text looks unsound.
    if temperature:
        run["temperature"] = (temperature,)
    return run


def _temperature(text: str | None) -> float:
    try:
        value = float(text or 0)
    except ValueError:
        value = -1.0
    if not 0.0 <= value <= 1.0:
        raise Unusable("temperature", UserMessage("temperature_range", value=text))
    return value


def _ours(form: _Form) -> dict[str, Any]:
    """Options of ours that somebody knows of and OpenAI does not, such as ``vad_filter``."""
    run: dict[str, Any] = {}
    for name in form.names():
        text = form.text(name) if name in OPTION_NAMES and name not in _KNOWN else None
        if text is not None:
            try:
                run[name] = parse(name, text)
            except InvalidOption as error:
                raise Unusable(name, error.message) from None
    try:
        refuse_paths(run)
    except InvalidOption as error:
        raise Unusable("voices", error.message) from None
    return run
