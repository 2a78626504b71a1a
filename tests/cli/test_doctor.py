"""``doctor``: a page for people, an object for programs, an exit code for scripts."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from hybrid_transcribe.config import PREFIX
from tests.cli.conftest import Ran

Cli = Callable[..., Ran]


def test_all_is_well_where_the_default_engine_can_run(cli: Cli) -> None:
    """Exit code 0, a mark for each result, and an end that says so."""
    ran = cli("doctor")

    assert ran.code == 0, ran.out
    assert ran.out.splitlines()[-1] == "Ready to transcribe."
    assert "✓ worker" in ran.out


def test_programs_get_the_same_findings(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that is not here makes it not ready, with the hint beside it."""
    monkeypatch.setenv(PREFIX + "ENGINE", "faster-whisper")
    monkeypatch.setenv(PREFIX + "MODEL", "org/none")

    ran = cli("doctor", "--json")

    whole = json.loads(ran.out)
    (model,) = (check for check in whole["checks"] if check["name"] == "model org/none")
    assert (ran.code, whole["ready"], model["ok"]) == (1, False, False)
    assert "models get org/none" in model["hint"]
