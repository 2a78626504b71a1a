"""Names of engines, post-processors and writers, looked up only when asked for.

Listing names imports no model library. Other packages add theirs by entry points in the
groups ``hybrid_transcribe.engines``, ``hybrid_transcribe.postprocessors`` and
``hybrid_transcribe.writers``; a name of our own always wins over one from outside.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import metadata
from typing import Any

from hybrid_transcribe.core.lookup import load_object
from hybrid_transcribe.errors import UnknownEngine, UnknownFormat, UnknownPostProcessor
from hybrid_transcribe.interfaces import Engine, PostProcessor, Writer
from hybrid_transcribe.types import SPEAKERS


class Registry:
    """Names to ``"module:attribute"``, ours plus those of installed packages.

    >>> Registry("no.such.group", {"a": "json:dumps"}, UnknownFormat).get("a").__name__
    'dumps'
    """

    def __init__(
        self,
        group: str,
        own: Mapping[str, str],
        error: type[UnknownEngine] | type[UnknownFormat] | type[UnknownPostProcessor],
    ) -> None:
        self._group = group
        self._own = dict(own)
        self._error = error
        self._outside: dict[str, str] | None = None

    def targets(self) -> dict[str, str]:
        """Every name with its target, ours first, then entry points by name."""
        # Reading every installed package's metadata takes 30 ms: once is enough.
        if self._outside is None:
            points = metadata.entry_points(group=self._group)
            self._outside = {p.name: p.value for p in sorted(points, key=lambda p: p.name)}
        return {**self._own, **{n: t for n, t in self._outside.items() if n not in self._own}}

    def refresh(self) -> None:
        """Look again: a package was installed meanwhile."""
        self._outside = None

    def names(self) -> tuple[str, ...]:
        """Every name, without importing anything."""
        return tuple(self.targets())

    def get(self, name: str, extra: Mapping[str, str] | None = None) -> Any:
        """The class registered under that name. Raises the registry's error, or ImportError."""
        targets = {**self.targets(), **(extra or {})}
        if name not in targets:
            raise self._error(name, tuple(targets))
        return load_object(targets[name])


class _Engines(Registry):
    def make(self, name: str, extra: Mapping[str, str] | None = None) -> Engine:
        """A fresh engine of that name. Raises UnknownEngine."""
        engine: Engine = self.get(name, extra)()
        return engine


class _PostProcessors(Registry):
    def make(self, name: str, extra: Mapping[str, str] | None = None) -> PostProcessor:
        """A fresh post-processor of that name. Raises UnknownPostProcessor."""
        instance: PostProcessor = self.get(name, extra)()
        return instance


class _Writers(Registry):
    def make(self, name: str) -> Writer:
        """The writer of that name. Raises UnknownFormat."""
        writer: Writer = self.get(name)()
        return writer


ENGINES = _Engines(
    "hybrid_transcribe.engines",
    {
        "faster-whisper": "hybrid_transcribe.engines.faster_whisper.engine:FasterWhisper",
        "openai-whisper": "hybrid_transcribe.engines.openai_whisper.engine:OpenAIWhisper",
        "transformers": "hybrid_transcribe.engines.transformers.engine:Transformers",
        "sherpa-onnx": "hybrid_transcribe.engines.sherpa_onnx.engine:SherpaOnnx",
        "assemblyai": "hybrid_transcribe.engines.assemblyai.engine:AssemblyAI",
    },
    UnknownEngine,
)

POSTPROCESSORS = _PostProcessors(
    "hybrid_transcribe.postprocessors",
    {SPEAKERS: "hybrid_transcribe.postprocessors.speakers:Speakers"},
    UnknownPostProcessor,
)

WRITERS = _Writers(
    "hybrid_transcribe.writers",
    {
        "txt": "hybrid_transcribe.outputs.txt:Txt",
        "srt": "hybrid_transcribe.outputs.srt:Srt",
        "vtt": "hybrid_transcribe.outputs.vtt:Vtt",
        "tsv": "hybrid_transcribe.outputs.tsv:Tsv",
        "json": "hybrid_transcribe.outputs.json:Json",
    },
    UnknownFormat,
)
