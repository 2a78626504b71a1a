"""What can be done to a transcript's text after the engine: pure functions of documents.

``apply`` does operations, ``delta`` is what a journal keeps of them, ``rebase`` and ``merge_stage``
bring together what several did at once.
"""

from hybrid_transcribe.revisions.apply import apply, operation_name, operation_names
from hybrid_transcribe.revisions.delta import apply_delta, delta, n_changed
from hybrid_transcribe.revisions.documents import (
    engine_document,
    engine_id,
    fault,
    new_id,
    stage_fault,
)
from hybrid_transcribe.revisions.merge import merge_stage, numbered
from hybrid_transcribe.revisions.names import keep_names
from hybrid_transcribe.revisions.rebase import rebase

__all__ = [
    "apply",
    "apply_delta",
    "delta",
    "engine_document",
    "engine_id",
    "fault",
    "keep_names",
    "merge_stage",
    "n_changed",
    "new_id",
    "numbered",
    "operation_name",
    "operation_names",
    "rebase",
    "stage_fault",
]
