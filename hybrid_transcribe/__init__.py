"""Recordings into text, from a notebook: `transcribe`, `submit`, `Service`.

The path of a recording: ``audio`` takes it in, ``jobs`` queues and remembers it, ``worker``
decodes it and hands it to one of the ``engines`` (with what ``models`` found), and
``outputs`` writes what was heard. ``cli`` is one face of all that; nothing heavy is imported
before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from hybrid_transcribe._version import __version__
from hybrid_transcribe.core import telemetry
from hybrid_transcribe.core.lookup import provide

# Before any library that would send something is loaded, by us or by the notebook.
telemetry.disable()

# What lower layers offer and higher ones do: `Transcript.save`, `Transcript.edit`, `Service.serve`.
provide("save_transcript", f"{__name__}.outputs.save:save")
provide("edit_transcript", f"{__name__}.jobs.transcript_edit:edit_transcript")
provide("serve", f"{__name__}.rest.server:serve")
provide("decode", f"{__name__}.audio.decode:decode")

if TYPE_CHECKING:
    from hybrid_transcribe.api import (
        default_service,
        enable_nested_asyncio,
        submit,
        transcribe,
    )
    from hybrid_transcribe.comparison import Comparison, compare
    from hybrid_transcribe.config import Settings
    from hybrid_transcribe.engines.listing import list_engines
    from hybrid_transcribe.errors import HybridTranscribeError
    from hybrid_transcribe.hud.panel import show as hud
    from hybrid_transcribe.interfaces import (
        Capabilities,
        Engine,
        PostProcessor,
        PostProcessorCapabilities,
        Progress,
        Writer,
    )
    from hybrid_transcribe.jobs.handle import Job, JobResult
    from hybrid_transcribe.jobs.service import Service
    from hybrid_transcribe.jobs.transcript_edit import TranscriptEdit
    from hybrid_transcribe.models.advice import Advice, advise
    from hybrid_transcribe.postprocessors.listing import list_postprocessors
    from hybrid_transcribe.remote.service import RemoteService
    from hybrid_transcribe.revision_types import Document, RevisionInfo
    from hybrid_transcribe.samples import sample
    from hybrid_transcribe.types import (
        Clip,
        EngineInfo,
        JobSnapshot,
        Options,
        PostProcessorInfo,
        Recording,
        Rejection,
        Segment,
        Speaker,
        State,
        Transcript,
        WithheldSegment,
        Word,
    )

#: Where each public name lives.
_HOMES = {
    "Advice": "models.advice",
    "Capabilities": "interfaces",
    "Clip": "types",
    "Comparison": "comparison",
    "Document": "revision_types",
    "Engine": "interfaces",
    "EngineInfo": "types",
    "HybridTranscribeError": "errors",
    "Job": "jobs.handle",
    "JobResult": "jobs.handle",
    "JobSnapshot": "types",
    "Options": "types",
    "PostProcessor": "interfaces",
    "PostProcessorCapabilities": "interfaces",
    "PostProcessorInfo": "types",
    "Progress": "interfaces",
    "Recording": "types",
    "Rejection": "types",
    "RemoteService": "remote.service",
    "RevisionInfo": "revision_types",
    "Segment": "types",
    "Service": "jobs.service",
    "Settings": "config",
    "Speaker": "types",
    "State": "types",
    "Transcript": "types",
    "WithheldSegment": "types",
    "TranscriptEdit": "jobs.transcript_edit",
    "Word": "types",
    "Writer": "interfaces",
    "advise": "models.advice",
    "compare": "comparison",
    "default_service": "api",
    "enable_nested_asyncio": "api",
    "list_engines": "engines.listing",
    "list_postprocessors": "postprocessors.listing",
    "sample": "samples",
    "submit": "api",
    "transcribe": "api",
}

__all__ = [
    "Advice",
    "Capabilities",
    "Clip",
    "Comparison",
    "Document",
    "Engine",
    "EngineInfo",
    "HybridTranscribeError",
    "Job",
    "JobResult",
    "JobSnapshot",
    "Options",
    "PostProcessor",
    "PostProcessorCapabilities",
    "PostProcessorInfo",
    "Progress",
    "Recording",
    "Rejection",
    "RemoteService",
    "RevisionInfo",
    "Segment",
    "Service",
    "Settings",
    "Speaker",
    "State",
    "Transcript",
    "TranscriptEdit",
    "WithheldSegment",
    "Word",
    "Writer",
    "__version__",
    "advise",
    "compare",
    "default_service",
    "enable_nested_asyncio",
    "hud",
    "list_engines",
    "list_postprocessors",
    "sample",
    "submit",
    "transcribe",
]


def __getattr__(name: str) -> Any:
    """Public names are imported when first asked for, so that importing the package is cheap."""
    if name == "hud":
        # A package that can be called: everybody gets that one, in whatever order they import.
        return import_module(f"{__name__}.hud")
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Where Jupyter Server finds its extension."""
    return [{"module": f"{__name__}.rest.hosts.jupyter"}]
