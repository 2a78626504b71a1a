"""A short recording that comes with the package, to try things on."""

from __future__ import annotations

from pathlib import Path

#: What is said in the sample.
SAMPLE_TEXT = (
    "And so, my fellow Americans, ask not what your country can do for you, "
    "ask what you can do for your country."
)


def sample() -> Path:
    """Eleven seconds of English: John F. Kennedy's inaugural address, 1961, public domain.

    >>> sample().name
    'jfk.m4a'
    """
    return Path(__file__).with_name("jfk.m4a")
