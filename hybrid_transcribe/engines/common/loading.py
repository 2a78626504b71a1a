"""What engines with local models share: a Whisper's abilities, and checks around loading."""

from __future__ import annotations

from pathlib import Path

from hybrid_transcribe.engines.common.languages import LANGUAGES
from hybrid_transcribe.errors import EngineFailed, EngineUnavailable, ModelUnavailable
from hybrid_transcribe.interfaces import Capabilities, Engine, LoadRequest, ModelFiles
from hybrid_transcribe.messages import UserMessage

#: What a Whisper can do. An engine adds its options, number formats and layout of models.
WHISPER = Capabilities(
    languages=LANGUAGES,
    translates=True,
    word_timestamps=True,
    default_model="base",
    devices=("auto", "gpu", "cpu"),
)


def check_available(engine: Engine, request: LoadRequest) -> None:
    """Raises EngineUnavailable, which says what is missing."""
    missing = engine.available(request.settings)
    if missing:
        raise EngineUnavailable(missing)


def model_folder(model: ModelFiles) -> Path:
    """The folder of a model. Raises ModelUnavailable where it has none."""
    if model.folder is None:
        raise ModelUnavailable(UserMessage("model_no_folder", model=model.name))
    return model.folder


def load_error(
    meaning: Exception, model: ModelFiles, where: object, why: Exception | str
) -> Exception:
    """An error of loading: ``meaning``, or a broken model where that says no more than failed."""
    if not isinstance(meaning, EngineFailed):
        return meaning
    return ModelUnavailable(UserMessage("model_broken", model=model.name, folder=where, why=why))
