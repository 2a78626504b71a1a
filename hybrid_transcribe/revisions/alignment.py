"""Which tokens of one text stand in another: in order, each once."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher

#: Beyond so many pairs of tokens, tokens that occur once divide the work first: difflib compares
#: each with each, which takes 0.3 s for 1,000 by 1,000 in the worst case.
MOST_PAIRS = 250_000

#: Equal stretches: where they begin in the one and in the other, and how many tokens they have.
Match = tuple[int, int, int]


def matches(old: Sequence[str], new: Sequence[str]) -> Iterator[Match]:
    """Equal stretches of two sequences, in order."""
    yield from _matches(old, new, 0, len(old), 0, len(new))


def _matches(
    old: Sequence[str], new: Sequence[str], a: int, a_end: int, b: int, b_end: int
) -> Iterator[Match]:
    head = _equal(old, new, a, b, 1, min(a_end - a, b_end - b))
    if head:
        yield a, b, head
    a, b = a + head, b + head
    tail = _equal(old, new, a_end - 1, b_end - 1, -1, min(a_end - a, b_end - b))
    a_end, b_end = a_end - tail, b_end - tail
    if (a_end - a) * (b_end - b) <= MOST_PAIRS:
        matcher = SequenceMatcher(None, old[a:a_end], new[b:b_end], autojunk=False)
        blocks = matcher.get_matching_blocks()
        yield from ((a + i, b + j, size) for i, j, size in blocks if size)
    else:
        yield from _divided(old, new, a, a_end, b, b_end)
    if tail:
        yield a_end, b_end, tail


def _equal(old: Sequence[str], new: Sequence[str], a: int, b: int, step: int, most: int) -> int:
    """How many tokens are equal from there on."""
    size = 0
    while size < most and old[a + step * size] == new[b + step * size]:
        size += 1
    return size


def _divided(
    old: Sequence[str], new: Sequence[str], a: int, a_end: int, b: int, b_end: int
) -> Iterator[Match]:
    """The same, between tokens that occur once in both (patience diff)."""
    anchors = _anchors(old, new, a, a_end, b, b_end)
    if not anchors:
        return
    for i, j in [*anchors, (a_end, b_end)]:
        yield from _matches(old, new, a, i, b, j)
        if i < a_end:
            yield i, j, 1
        a, b = i + 1, j + 1


def _anchors(
    old: Sequence[str], new: Sequence[str], a: int, a_end: int, b: int, b_end: int
) -> list[tuple[int, int]]:
    n_old, n_new = Counter(old[a:a_end]), Counter(new[b:b_end])
    places = {new[j]: j for j in range(b, b_end) if n_new[new[j]] == 1}
    pairs = [
        (i, places[old[i]]) for i in range(a, a_end) if n_old[old[i]] == 1 and old[i] in places
    ]
    return [pairs[i] for i in increasing([j for _, j in pairs])]


def increasing(values: Sequence[int]) -> list[int]:
    """Where a longest rising part of some numbers is.

    >>> increasing([3, 0, 1, 5, 2])
    [1, 2, 4]
    """
    tails: list[int] = []
    ends: list[int] = []
    before: list[int] = []
    for i, value in enumerate(values):
        n = bisect_left(tails, value)
        tails[n : n + 1] = [value]
        ends[n : n + 1] = [i]
        before.append(ends[n - 1] if n else -1)
    result = []
    i = ends[-1] if ends else -1
    while i >= 0:
        result.append(i)
        i = before[i]
    return result[::-1]
