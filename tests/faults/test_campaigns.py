"""The campaigns in short: the same code, fewer trials."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.campaigns import edits, kills, load, stages
from tests.campaigns.__main__ import campaigns, main


def test_every_campaign_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """The command without a name says what there is."""
    assert main([]) == 0
    said = capsys.readouterr().out
    assert all(name in said for name in campaigns())
    assert {"kills", "edits", "stages", "commits", "damage", "soak", "http", "load"} <= set(
        campaigns()
    )


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_f01_random_kills_in_short(tmp_path: Path) -> None:
    """Whatever was acknowledged is there after each of 25 kills."""
    report = kills.random_kills(tmp_path, 25, 5)
    assert report.losses == []
    assert report.figures["jobs acknowledged"] != 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_f118_kills_amid_edits_in_short(tmp_path: Path) -> None:
    """Every revision that was acknowledged says the same after each of 20 kills."""
    report = edits.edits(tmp_path, 20, 5)
    assert report.losses == []
    assert report.figures["edits acknowledged"] != 0


def test_a_lost_edit_is_found() -> None:
    """A revision that is gone, one that says something else, one that has no number of its own."""
    ledger = edits.EditLedger({"r 0": [0, True, "a"], "r 1": [1, True, "b"], "r 9": [9, True, "z"]})
    content = {"r 0": [0, True, "a"], "r 1": [1, True, "c"], "r 3": [2, True, "d"]}
    assert len(list(ledger.check(content, ["journal_damaged"]))) == 5


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_f116_kills_amid_stages_and_edits_in_short(tmp_path: Path) -> None:
    """Parents and workers die while stages and people work on the same texts."""
    report = stages.stages(tmp_path, 12, 5)
    assert report.losses == []
    assert report.figures["edits acknowledged"] != 0


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_f12_damage_in_short(tmp_path: Path) -> None:
    """No journal damaged at random keeps a service from starting, or changes a text untold."""
    assert kills.damage(tmp_path, 60, 5).losses == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_soak_in_short(tmp_path: Path) -> None:
    """Jobs that come and go leave nothing."""
    assert kills.soak(tmp_path, 20, 5).losses == []


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_f87_hostile_requests_in_short(tmp_path: Path) -> None:
    """No 5xx, no traceback, and the jobs of others come through."""
    report = load.http(tmp_path, 400, 5)
    assert report.losses == []
    assert report.figures["answered 2xx"] != 0
    assert report.figures["canaries"] == 2


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_f88_many_jobs_in_short(tmp_path: Path) -> None:
    """All that was acknowledged is told by streams and is there after a kill."""
    report = load.load(tmp_path, 100, 5)
    assert report.losses == []
    assert report.figures["jobs"] == 100


def test_hostile_requests_are_the_same_again() -> None:
    """A loss can be looked at: the seed gives the same requests."""
    first, second = load.Fuzz(3, b"RIFF" * 100), load.Fuzz(3, b"RIFF" * 100)
    assert [first.request() for _ in range(200)] == [second.request() for _ in range(200)]


def test_a_loss_is_found() -> None:
    """A job that is gone, a text that is gone, one that came back: each is told."""
    ledger = kills.Ledger(jobs={"a"}, deleted={"b"}, being_deleted={"b"}, results={"r"})
    recording = {"has_result": False, "numbers": [0, 2], "n_segments": 3, "worker_deaths": 1}
    job = {"kept": False, "recordings": {"r": {**recording, "file": False}}}
    assert len(list(ledger.check({"warnings": ["x"], "jobs": {"b": job}}))) == 7
