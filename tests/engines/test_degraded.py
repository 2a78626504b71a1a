"""In small what ``python -m tests.benchmarks matrix`` measures."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks import matrix, tools
from tests.benchmarks.apart import apart
from tests.benchmarks.degrade import CONDITIONS
from tests.engines.mistakes import Edits, edits

pytestmark = [pytest.mark.model, pytest.mark.slow, pytest.mark.timeout(1200)]

#: Measured: +0.9 and +2.5 points wrong, 0 and 0.3 left out; with the detector that could not hear
#: men on a telephone line +18 and +21.
WRONG_POINTS, DELETED_POINTS = 4.0, 3.0

MODEL = "base"


@pytest.mark.parametrize("condition", ["clean", "telephone"])
def test_nobodys_words_are_lost(speech_dir: Path, base_folder: Path, condition: str) -> None:
    """Readings of two men and a woman, cut as long recordings are, against the bare library."""
    reason = CONDITIONS[condition].missing()
    if reason:
        pytest.skip(reason)
    readers = {"2609", "3005", "3331"}
    recordings = [item for item in matrix.readings() if matrix.reader(item) in readers]
    both = (tools.TWO_WORKERS, tools.OURS)
    with (
        matrix.degraded_files(recordings, condition) as files,
        apart(both, MODEL, 1) as running,
    ):
        bare, ours = (
            sum(
                (
                    edits(item.text, text)
                    for item, text in zip(recordings, running[tool].hear(files), strict=True)
                ),
                Edits(),
            )
            for tool in both
        )

    assert 100 * (ours.wrong - bare.wrong) / bare.words <= WRONG_POINTS
    assert 100 * (ours.deletions - bare.deletions) / bare.words <= DELETED_POINTS
