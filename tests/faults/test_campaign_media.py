"""The campaign of mutated media files, in short."""

from __future__ import annotations

import random
import signal
from pathlib import Path

import pytest

from tests.campaigns import media

pytestmark = pytest.mark.slow


@pytest.mark.timeout(600)
def test_mutated_recordings_neither_crash_nor_hang_nor_leak(tmp_path: Path) -> None:
    """Every one is decoded or refused in words of ours."""
    result = media.run(300, 1, random.randrange(10**6), tmp_path / "kept", per_child=300)

    assert result.faults == []
    assert sum(row.mutants for row in result.rows.values()) == 300
    assert sum(row.decoded for row in result.rows.values()) > 30
    assert sum(row.refused for row in result.rows.values()) > 30


def test_a_crash_is_found_and_its_bytes_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A child that dies of a mutant costs that one, which is named; the others go on."""
    (tmp_path / "dying.py").write_text(
        "import os, signal, sys\n"
        "from tests.campaigns import media\n"
        "real = media._say\n"
        "def say(**line):\n"
        "    real(**line)\n"
        "    if line.get('n') == 3 and 'format' in line:\n"
        "        os.kill(os.getpid(), signal.SIGSEGV)\n"
        "media._say = say\n"
        "media.run_child(*map(int, sys.argv[1:4]), media.Path(sys.argv[4]))\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setattr(media, "CHILD_MODULE", "dying")
    result = media.run(6, 1, 1, tmp_path / "kept", per_child=6)

    (fault,) = result.faults
    assert fault.startswith("mutant 3 ")
    assert f"exit status {-signal.SIGSEGV}" in fault
    assert sum(row.mutants for row in result.rows.values()) == 5
    assert len(list((tmp_path / "kept").iterdir())) == 1
