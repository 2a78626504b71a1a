"""Short windows are as good as the full one, on real speech."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hybrid_transcribe.engines.faster_whisper.engine import FasterWhisper
from tests.engines.mistakes import count
from tests.engines.short_context.heard import heard_as

pytestmark = [pytest.mark.model, pytest.mark.timeout(600)]

#: Every so manieth clip of LibriSpeech: a dozen.
EVERY = 8

#: Points of wrong words that the short windows may have more, of few clips.
MARGIN = 2.0


def test_short_windows_hear_as_well(
    tiny: FasterWhisper, librispeech: list[dict[str, Any]], speech_dir: Path
) -> None:
    """Their rate of wrong words stays within a margin, and no clip is lost."""
    sample = librispeech[::EVERY]
    paths = [speech_dir / "librispeech" / item["file"] for item in sample]
    wrong = {
        context: [
            count(item["text"], text)
            for item, text in zip(sample, heard_as(tiny, paths, context), strict=True)
        ]
        for context in ("full", "auto")
    }
    rates = {
        context: 100 * sum(w for w, _ in counts) / sum(n for _, n in counts)
        for context, counts in wrong.items()
    }

    assert rates["auto"] <= rates["full"] + MARGIN
    assert all(w <= n for w, n in wrong["auto"])
