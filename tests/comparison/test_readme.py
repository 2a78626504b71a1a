"""The README's comparison runs, where its extra is installed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[2] / "README.md"


@pytest.mark.model
@pytest.mark.slow
def test_the_example_runs(tmp_path: Path) -> None:
    """As it stands, and prints a table of the shape that is shown below it."""
    blocks = re.findall(r"^```(\w+)\n(.*?)^```$", README.read_text("utf-8"), re.M | re.S)
    place = next(n for n, (_, text) in enumerate(blocks) if text.startswith("# compare_models.py"))
    (tmp_path / "compare_models.py").write_text(blocks[place][1], encoding="utf-8")
    ran = subprocess.run(
        [sys.executable, "compare_models.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=170,
    )
    assert ran.returncode == 0, ran.stderr

    display_name, error_text = blocks[place + 1][1].splitlines(), ran.stdout.splitlines()
    assert error_text[0] == display_name[0]
    assert error_text[2].split() == display_name[2].split()
    assert [line.split()[0] for line in error_text[3:5]] == [
        line.split()[0] for line in display_name[3:5]
    ]
