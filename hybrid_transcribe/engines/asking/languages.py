"""The former name of `hybrid_transcribe.engines.common.languages`."""

from hybrid_transcribe.engines.common.languages import LANGUAGES, language_code

__all__ = ["LANGUAGES", "language_code"]
