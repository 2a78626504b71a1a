"""The campaign of histories, in short."""

from __future__ import annotations

from pathlib import Path

from tests.campaigns.revisions import histories


def test_histories_at_random(tmp_path: Path) -> None:
    """A hundred lose nothing, and everything that can happen to an edit does."""
    report = histories(tmp_path, 100, seed=7)
    assert report.losses == []
    kinds = {"conflicts", "merged with a stage", "on an older revision", "on the current one"}
    assert all(int(str(report.figures[kind])) > 10 for kind in kinds)
