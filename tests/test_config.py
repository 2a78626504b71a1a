"""Settings: where they come from, and what they may be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import InvalidOption

KEY = "sentinel-key"


def test_what_is_said_wins_over_the_environment() -> None:
    """Defaults, then the environment, then the caller."""
    environ = {"HYBRID_TRANSCRIBE_RETENTION_S": "7", "JANITOR_SLEEP_INTERVAL_SECONDS": "8"}
    result = Settings.load(environ, retention_s=9)
    assert (result.retention_s, result.janitor_interval_s, result.models_kept) == (9, 8, 2)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"retention_s": "abc"}, "retention_s='abc': it must be a number"),
        ({"cpu_threads": "two"}, "cpu_threads='two': it must be a whole number"),
        ({"never_cloud": "no"}, "never_cloud='no': it must be True or False"),
        ({"retention_s": -5}, "retention_s=-5: it must be 0 or more"),
        ({"model_idle_s": float("nan")}, "model_idle_s=nan: it must be 0 or more"),
        ({"cloud_workers": 0}, "cloud_workers=0: it must be 1 or more"),
        ({"engines": ["x"]}, "engines="),
        ({"colour": 1}, "No setting 'colour'; choose from: "),
    ],
)
def test_what_cannot_be_is_refused_at_once(given: dict[str, Any], said: str) -> None:
    """With its name, its value and what it must be; changed later just the same."""
    with pytest.raises(InvalidOption) as error:
        Settings.load({}, **given)
    assert said in str(error.value)
    if "colour" not in given:
        with pytest.raises(InvalidOption):
            Settings().but(**given)


def test_paths_may_be_paths(tmp_path: Path) -> None:
    """They are kept as text, which travels."""
    assert Settings.load({}, state_dir=tmp_path).state_dir == str(tmp_path)


def test_a_key_is_shown_nowhere() -> None:
    """Neither where settings are printed nor where a key is refused."""
    assert KEY not in repr(Settings.load({"ASSEMBLYAI_API_KEY": KEY}))
    with pytest.raises(InvalidOption) as error:
        Settings.load({}, assemblyai_api_key=[KEY])
    assert KEY not in str(error.value)
