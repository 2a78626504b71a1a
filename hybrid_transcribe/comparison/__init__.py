"""Engines side by side on the same recordings.

A ``plan`` reads what is wanted (``entries``, ``reference``), runs one engine after the other
(``run``), counts errors (``words``), finds ``differences`` and gives a ``result``, which
``report`` shows.
"""

from hybrid_transcribe.comparison.differences import Difference
from hybrid_transcribe.comparison.plan import ComparisonPlan, compare
from hybrid_transcribe.comparison.result import Comparison, ComparisonRow, Pair

__all__ = ["Comparison", "ComparisonPlan", "ComparisonRow", "Difference", "Pair", "compare"]
