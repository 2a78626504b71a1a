"""Where two transcripts say something else, word by word."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass

from hybrid_transcribe.comparison.words import BY_CHARACTER, Stretch, align
from hybrid_transcribe.types import Segment, Transcript

#: Equal words shown on either side, and the most between two differences shown as one.
CONTEXT, JOINED = 4, 2


@dataclass(frozen=True, slots=True)
class Difference:
    """One stretch in which two texts differ, with a few words around it.

    Attributes:
        at_s: about where in the recording: a word's own time, else by its place in a segment.
        first, second: what either says, as written; empty where it says nothing.
    """

    recording: str
    at_s: float
    before: str
    first: str
    second: str
    after: str

    def __str__(self) -> str:
        middle = f"[{self.first or '–'} | {self.second or '–'}]"
        return " ".join(part for part in (self.before, middle, self.after) if part)


@dataclass(frozen=True, slots=True)
class _Token:
    """A word or, in some languages, a character: as written, and what counts of it."""

    text: str
    key: str
    at_s: float


def differences(
    first: Transcript, second: Transcript, language: str | None = None
) -> tuple[Difference, ...]:
    """Every stretch in which they differ, in time order; case and punctuation do not count.

    ``language`` says whether words or characters are compared.
    """
    characters = language in BY_CHARACTER
    ours, theirs = _tokens(first, characters), _tokens(second, characters)
    aligned = align([t.key for t in ours], [t.key for t in theirs])
    space = "" if characters else " "
    return tuple(
        _difference(first.name, stretch, ours, theirs, space) for stretch in _joined(aligned)
    )


def _difference(
    name: str, stretch: Stretch, ours: list[_Token], theirs: list[_Token], space: str
) -> Difference:
    start, stop = stretch.first.start, stretch.first.stop
    here = [theirs[n] for n in stretch.second]
    before, after = ours[max(0, start - CONTEXT) : start], ours[stop : stop + CONTEXT]
    said = ours[start:stop]
    return Difference(
        name,
        # What only the second says has its time from there.
        (said or here)[0].at_s,
        _text(before, space, "… " if start > CONTEXT else "", ""),
        _text(said, space),
        _text(here, space),
        _text(after, space, "", " …" if stop + CONTEXT < len(ours) else ""),
    )


def _text(tokens: list[_Token], space: str, head: str = "", tail: str = "") -> str:
    text = space.join(token.text for token in tokens)
    return f"{head}{text}{tail}" if text else ""


def _joined(stretches: list[Stretch]) -> Iterator[Stretch]:
    """Only those that differ; with few equal words between them they are one."""
    last: Stretch | None = None
    for stretch in stretches:
        if stretch.equal:
            continue
        if last is not None and stretch.first.start - last.first.stop <= JOINED:
            last = Stretch(
                False,
                range(last.first.start, stretch.first.stop),
                range(last.second.start, stretch.second.stop),
            )
            continue
        if last is not None:
            yield last
        last = stretch
    if last is not None:
        yield last


def _tokens(transcript: Transcript, characters: bool) -> list[_Token]:
    items = (
        _Token(text, key, at_s)
        for segment in transcript.segments
        for text, at_s in _timed(segment, characters)
        if (key := _key(text))
    )
    return list(items)


def _timed(segment: Segment, characters: bool) -> Iterator[tuple[str, float]]:
    """Each word (character) with its own time, or one by its place in the segment."""
    if segment.words and not characters:
        for word in segment.words:
            yield from ((text, word.start_s) for text in word.text.split())
        return
    texts = list("".join(segment.text.split())) if characters else segment.text.split()
    length_s = segment.end_s - segment.start_s
    for n, text in enumerate(texts):
        yield text, segment.start_s + length_s * n / len(texts)


def _key(text: str) -> str:
    """What counts of a word: letters, marks and digits, without case."""
    return "".join(c for c in text.casefold() if unicodedata.category(c)[0] in "LMN")
