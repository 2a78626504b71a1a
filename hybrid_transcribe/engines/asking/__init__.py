"""The former place of `hybrid_transcribe.engines.common`, kept for what imports it."""
