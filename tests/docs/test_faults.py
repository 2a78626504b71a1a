"""The list of faults and the tests of faults have the same numbers."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT


def test_each_number_has_a_row_and_a_test() -> None:
    """A fault without a test is not held; a test without a row tells nobody."""
    page = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
    rows = [int(number) for number in re.findall(r"^\| (\d+) \|", page, re.MULTILINE)]
    paths = (ROOT / "tests" / "faults").glob("test_*.py")
    text = "\n".join(path.read_text(encoding="utf-8") for path in paths)
    tested = {int(number) for number in re.findall(r"def test_f(\d+)_", text)}
    assert len(rows) == len(set(rows))
    assert set(rows) == tested
