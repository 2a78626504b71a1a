"""The addresses of others."""

from __future__ import annotations

from hybrid_transcribe.rest.base_handler import BaseHandler
from hybrid_transcribe.rest.compat.asr import Asr, DetectLanguage
from hybrid_transcribe.rest.compat.openai.audio import Transcriptions, Translations
from hybrid_transcribe.rest.compat.openai.base_handler import NoSuchAddress
from hybrid_transcribe.rest.compat.openai.models import OpenAIModelHandler, OpenAIModelsHandler

#: Path to handler, below the service's own prefix.
COMPAT: tuple[tuple[str, type[BaseHandler]], ...] = (
    (r"/v1/audio/transcriptions", Transcriptions),
    (r"/v1/audio/translations", Translations),
    (r"/v1/models", OpenAIModelsHandler),
    (r"/v1/models/(.+)", OpenAIModelHandler),
    (r"/v1(?:/.*)?", NoSuchAddress),
    (r"/asr", Asr),
    (r"/detect-language", DetectLanguage),
)
