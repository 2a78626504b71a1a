"""Transcripts into files: one writer a format, the merged text, the zip of a job.

To add a format: write ``outputs/<name>.py`` with a `Writer`, add a line to ``WRITERS`` in
``registry.py``; the contract tests, `save` and the zip find it there.
"""

from hybrid_transcribe.outputs.bundle import bundle
from hybrid_transcribe.outputs.merged import merged_text
from hybrid_transcribe.outputs.save import save

__all__ = ["bundle", "merged_text", "save"]
