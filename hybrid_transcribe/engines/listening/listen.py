"""The former name of `hybrid_transcribe.engines.common.postprocess`."""

from hybrid_transcribe.engines.common.postprocess import postprocess

listen = postprocess
