"""The guide's table of settings is that of the code."""

from __future__ import annotations

from dataclasses import fields

from hybrid_transcribe.config import Settings
from tests.docs import settings_table


def test_every_setting_is_described_once() -> None:
    """In the docstring, under the name that the field has."""
    names = [name for group, _ in settings_table.descriptions() for name in group]
    assert sorted(names) == sorted(f.name for f in fields(Settings))


def test_the_page_is_up_to_date() -> None:
    """``python -m tests.docs.settings_table`` writes it."""
    text = settings_table.PAGE.read_text(encoding="utf-8")
    assert text == settings_table.written(text)
