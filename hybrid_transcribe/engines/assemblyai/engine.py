"""AssemblyAI: the recording goes to their machines, the text comes back.

The way there is our own around the SDK, whose polling never ends, repeats nothing and cannot be
canceled. What is under way is noted, so that a restart goes on waiting and pays once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from typing import ClassVar

from hybrid_transcribe.config import Settings
from hybrid_transcribe.engines.assemblyai.account import Account, account_of, wanting
from hybrid_transcribe.engines.assemblyai.choices import DEFAULT_MODEL, LANGUAGES, MODELS
from hybrid_transcribe.engines.assemblyai.note import Note
from hybrid_transcribe.engines.assemblyai.pace import PollingPace
from hybrid_transcribe.errors import EngineFailed, EngineUnavailable, UnknownModel
from hybrid_transcribe.interfaces import (
    Capabilities,
    ClipDone,
    Engine,
    Heard,
    Loaded,
    LoadRequest,
)
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.types import Clip, Options


class AssemblyAI(Engine):
    """Speech-to-text in the cloud. ``pace`` says how often it is asked."""

    name: ClassVar[str] = "assemblyai"
    capabilities: ClassVar[Capabilities] = Capabilities(
        options=frozenset(
            {"language", "hotwords", "diarize", "speakers", "min_speakers", "max_speakers"}
        ),
        languages=LANGUAGES,
        word_timestamps=True,
        default_model=DEFAULT_MODEL,
        models=MODELS,
        devices=("auto",),
        needs_network=True,
        sends_audio_to="AssemblyAI",
        whole_recordings=True,
    )

    def __init__(self, pace: PollingPace | None = None) -> None:
        self._pace = pace or PollingPace()
        self._account: Account | None = None
        self._model = DEFAULT_MODEL
        self._patience_s = 0.0

    def available(self, settings: Settings) -> str | None:
        """None when the SDK is installed, there is a key and the settings allow clouds."""
        if settings.never_cloud:
            return UserMessage("cloud_forbidden")
        if find_spec("assemblyai") is None:
            return UserMessage("no_sdk", install="pip install 'hybrid-transcribe[assemblyai]'")
        return wanting(settings)

    def load(self, request: LoadRequest) -> Loaded:
        """Nothing is sent yet. Also raises UnknownModel."""
        missing = self.available(request.settings)
        if missing:
            raise EngineUnavailable(UserMessage("labelled", label=self.name, why=missing))
        model = request.model.name or DEFAULT_MODEL
        if model not in MODELS:
            raise UnknownModel(model, MODELS)
        self._account, self._model = account_of(request.settings), model
        self._patience_s = request.settings.cloud_timeout_s
        return Loaded("cloud")

    def transcribe(
        self, clip: Clip, options: Options, canceled: Callable[[], bool]
    ) -> Iterator[Heard]:
        """Also raises InvalidOption for an unknown language, and TimedOut."""
        for _, event in self.transcribe_many([(0, clip)], options, lambda _: canceled()):
            if isinstance(event, Exception):
                raise event
            if not isinstance(event, ClipDone) and not canceled():
                yield event

    def transcribe_many(
        self,
        clips: Iterable[tuple[int, Clip]],
        options: Options,
        canceled: Callable[[int], bool],
    ) -> Iterator[tuple[int, Heard | ClipDone | Exception]]:
        """All at once. A note given after a cancel says what is left to delete, or nothing.

        ``clips`` is iterated on a thread of its own.
        """
        if self._account is None:
            raise EngineFailed(UserMessage("model_not_loaded"))
        from hybrid_transcribe.engines.assemblyai.request import request_for
        from hybrid_transcribe.engines.assemblyai.transcriber import CloudTranscriber

        request = request_for(options, self._model)
        yield from CloudTranscriber(self._account, request, self._pace, self._patience_s).events(
            clips, canceled
        )

    def erase(self, note: str, settings: Settings) -> None:
        """Delete the transcript. The audio goes by itself (uploads are kept for two days)."""
        message = Note.read(note)
        if message is None:
            raise EngineFailed(UserMessage("not_a_note", engine=self.name, note=note[:200]))
        from hybrid_transcribe.engines.assemblyai.transcriber import erase

        erase(account_of(settings), message, self._pace)

    def unload(self) -> None:
        """Forget the key."""
        self._account = None
