"""How long to wait before another try."""

from __future__ import annotations


def backoff_s(
    failures: int, first_s: float, longest_s: float = float("inf"), growth: float = 2.0
) -> float:
    """Seconds to wait after so many failures (from 1): the first wait, growing up to the longest.

    >>> [backoff_s(n, 0.5, 3.0) for n in (0, 1, 2, 3, 4, 9999)]
    [0.5, 0.5, 1.0, 2.0, 3.0, 3.0]
    """
    # An unbounded power of a float overflows.
    return min(first_s * growth ** min(max(failures - 1, 0), 50), longest_s)


def spread_s(wait_s: float, chance: float) -> float:
    """Half to all of a wait, by a chance of 0..1, so that many clients do not come in step."""
    return wait_s * (0.5 + 0.5 * chance)
