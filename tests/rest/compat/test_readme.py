"""The README's OpenAI client runs, where that package is installed."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).resolve().parents[3] / "README.md"


@pytest.mark.model
def test_the_example_runs(tmp_path: Path) -> None:
    """As it stands, and prints what was said."""
    blocks = re.findall(r"^```python\n(.*?)^```$", README.read_text("utf-8"), re.M | re.S)
    block = next(text for text in blocks if text.startswith("# openai_client.py"))
    ran = subprocess.run(
        [sys.executable, "-c", block], cwd=tmp_path, capture_output=True, text=True, timeout=120
    )
    assert ran.returncode == 0, ran.stderr
    assert "what your country can do for you" in ran.stdout
