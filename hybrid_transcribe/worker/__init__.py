"""The process that does the work: recordings in, segments out, one conversation with a service.

`batch` is what it does with a batch, `source` decodes ahead, `pool` keeps models warm, and
``python -m hybrid_transcribe.worker`` speaks `hybrid_transcribe.protocol` on its pipes.
"""
