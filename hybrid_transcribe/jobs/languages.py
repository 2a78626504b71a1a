"""The language of a job."""

from __future__ import annotations

from hybrid_transcribe.core.languages import parse_language as make_language

__all__ = ["make_language"]
