"""Readers of subtitles and tables as other programs read them; they know no writer of ours."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape


@dataclass(frozen=True)
class Cue:
    """What a player shows, from when to when (ms)."""

    start_ms: int
    end_ms: int
    text: str


def read_srt(text: str) -> list[Cue]:
    """Blocks parted by empty lines: a number, the times, the text. Raises on anything else."""
    cues = []
    for number, block in enumerate(_blocks(text), 1):
        first, times, *lines = block
        assert first == str(number)
        cues.append(Cue(*_times(times, ","), "\n".join(lines)))
    return cues


def read_vtt(text: str) -> list[Cue]:
    """The header, then blocks: the times, the text, in which only a voice tag is markup."""
    header, *blocks = _blocks(text)
    assert header == ["WEBVTT"]
    return [Cue(*_times(times, "."), _vtt_text("\n".join(lines))) for times, *lines in blocks]


def _vtt_text(payload: str) -> str:
    voiceless = re.sub(r"\A<v [^<>]*>", "", payload)
    assert "<" not in voiceless, "markup that players would act on"
    return unescape(voiceless)


def _blocks(text: str) -> list[list[str]]:
    assert "\r" not in text
    return [block.split("\n") for block in re.split(r"\n{2,}", text.strip("\n")) if block]


def _times(line: str, point: str) -> tuple[int, int]:
    text = rf"(\d\d+):([0-5]\d):([0-5]\d){re.escape(point)}(\d\d\d)"
    match = re.fullmatch(rf"{text} --> {text}", line)
    assert match, f"not a line of times: {line!r}"
    h1, m1, s1, ms1, h2, m2, s2, ms2 = map(int, match.groups())
    return ((h1 * 60 + m1) * 60 + s1) * 1000 + ms1, ((h2 * 60 + m2) * 60 + s2) * 1000 + ms2
