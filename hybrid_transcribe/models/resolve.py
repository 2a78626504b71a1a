"""From a model's name to a folder with its files.

The order: a folder that was named, a folder carried by hand into our cache, the hub client's
cache, the starter wheels, a download from the hub.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.interfaces import ModelFiles
from hybrid_transcribe.models import catalogue, checksums, hub, places, starter

Report = Callable[[float | None], None]


def resolve(
    name: str, layout: str, settings: Settings, report: Report = lambda _: None
) -> ModelFiles:
    """The files of a model in that layout, fetched first if need be.

    ``name`` is a short name, an id on the hub or a folder. ``report`` gets the percentage
    fetched (0..100, None while unknown), only when something is fetched or joined. Raises
    UnknownModel, and ModelUnavailable with what to put where.
    """
    shape = catalogue.layout_of(layout)
    named = _named_folder(name)
    if named is not None:
        return ModelFiles(name, _checked(named, shape), layout)
    by_hand = _by_hand(name, shape, settings)
    if by_hand is not None:
        return ModelFiles(name, by_hand, layout)
    repo = catalogue.repo_of(name, layout)
    folder = (
        hub.cached(repo, shape)
        or (starter.ready(name, settings, report) if layout == "ctranslate2" else None)
        or _fetched(name, repo, shape, settings, report)
    )
    return ModelFiles(name, folder, layout)


def check(name: str, layout: str, settings: Settings) -> None:
    """Raise UnknownModel where `resolve` would, without looking for any files elsewhere."""
    shape = catalogue.LAYOUTS.get(layout)
    if shape is None or _named_folder(name) is not None:
        return
    if shape.missing(places.own_folder(name, layout, settings)):
        catalogue.repo_of(name, layout)


def _named_folder(name: str) -> Path | None:
    """The folder a name stands for, or None when it is a short name or an id on the hub."""
    if catalogue.is_path(name):
        return Path(name).expanduser()
    # Our own names win over a folder that happens to be called "base"; an id does not.
    if catalogue.find(name) is None and Path(name).is_dir():
        return Path(name)
    return None


def _checked(folder: Path, shape: catalogue.Layout) -> Path:
    if not folder.is_dir():
        raise ModelUnavailable(f"No model folder {folder}")
    missing = shape.missing(folder)
    if missing:
        raise ModelUnavailable(f"{folder} is no {shape.name} model: it lacks {', '.join(missing)}")
    return folder.absolute()


def _by_hand(name: str, shape: catalogue.Layout, settings: Settings) -> Path | None:
    """The model's folder in our own cache, if complete and, where we know it, the right one."""
    folder = places.own_folder(name, shape.name, settings)
    if not (catalogue.is_plain(name) or catalogue.is_hub_id(name)) or shape.missing(folder):
        return None
    entry = catalogue.find(name)
    known = entry.sha256 if entry and shape.name == "ctranslate2" else {}
    try:
        for path in shape.weight_files(folder):
            if path.name in known:
                checksums.verify(path, known[path.name], places.stamps_dir(settings))
    except ModelUnavailable:
        if starter.carried(name) is None:
            raise
        # The wheels are here to put it together again.
        return None
    return folder


def _fetched(
    name: str, repo: str, shape: catalogue.Layout, settings: Settings, report: Report
) -> Path:
    if settings.offline:
        raise _unavailable(name, repo, shape, settings, "settings forbid asking the hub (offline)")
    try:
        folder = hub.fetch(repo, shape, report)
    except ModelUnavailable:
        raise
    except Exception as error:
        # The client's errors share no base class across the versions we allow.
        raise _unavailable(name, repo, shape, settings, _in_short(error)) from error
    missing = shape.missing(folder)
    if missing:
        raise ModelUnavailable(
            f"{repo} on the hub is no {shape.name} model: it lacks {', '.join(missing)}"
        )
    return folder


def _unavailable(
    name: str, repo: str, shape: catalogue.Layout, settings: Settings, why: str
) -> ModelUnavailable:
    files = ", ".join([*(" or ".join(group) for group in shape.needs), *_also(name, shape)])
    folder = places.own_folder(name, shape.name, settings)
    text = (
        f"Model {name!r} is not on this machine and could not be fetched: {why}. "
        f"By hand: put {files} of {_address(repo)} into {folder}. {_starter_hint(name)}"
    )
    return ModelUnavailable(text.strip())


def _also(name: str, shape: catalogue.Layout) -> tuple[str, ...]:
    """What newer models need: without it their 128 mel bands are taken for 80."""
    entry = catalogue.find(name)
    newer = entry is not None and "large-v3" in entry.name and shape.name == "ctranslate2"
    return ("preprocessor_config.json",) if newer else ()


def unjoined(name: str, layout: str, settings: Settings) -> bool:
    """True where `resolve` would write: installed packages carry the model in parts."""
    parts = starter.STARTERS[name].parts if name in starter.STARTERS else ()
    if len(parts) < 2 or layout != "ctranslate2" or starter.carried(name) is None:
        return False
    shape = catalogue.layout_of(layout)
    own = places.own_folder(name, layout, settings)
    return bool(shape.missing(own)) and not hub.cached(catalogue.repo_of(name, layout), shape)


def _starter_hint(name: str) -> str:
    install = "pip install 'hybrid-transcribe[starter]'"
    if name in starter.STARTERS:
        return f"Or: {install} brings it."
    here = [n for n in starter.STARTERS if starter.carried(n) is not None]
    if here:
        return f"Here without a network: {', '.join(here)}."
    return f"Or: {install} brings {' and '.join(starter.STARTERS)}."


def _address(repo: str) -> str:
    from huggingface_hub import constants

    return f"{constants.ENDPOINT}/{repo}"


def _in_short(error: Exception) -> str:
    first = next((line for line in str(error).splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {first}".rstrip(": .")
