"""The addresses of others."""

from __future__ import annotations

from hybrid_transcribe.rest.compat.asr import Asr, DetectLanguage
from hybrid_transcribe.rest.compat.openai.audio import Transcriptions, Translations
from hybrid_transcribe.rest.compat.openai.door import NoSuchAddress
from hybrid_transcribe.rest.compat.openai.models import Model, Models
from hybrid_transcribe.rest.door import Door

#: Path to handler, below the service's own prefix.
COMPAT: tuple[tuple[str, type[Door]], ...] = (
    (r"/v1/audio/transcriptions", Transcriptions),
    (r"/v1/audio/translations", Translations),
    (r"/v1/models", Models),
    (r"/v1/models/(.+)", Model),
    (r"/v1(?:/.*)?", NoSuchAddress),
    (r"/asr", Asr),
    (r"/detect-language", DetectLanguage),
)
