"""What models are here, getting one and letting one go."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.models import catalogue, hub, places, starter
from hybrid_transcribe.models.resolve import resolve


@dataclass(frozen=True, slots=True)
class Installed:
    """A model that needs no network.

    Attributes:
        name: the short name where it has one, else the id on the hub or the folder's name.
        where: its folder.
        size_bytes: what its files take on disk.
        source: ``"cache"`` (our own folder), ``"hub"`` (the hub client's), ``"starter"`` (a
            wheel) or ``"folder"`` (one that was named).
    """

    name: str
    layout: str
    where: Path
    size_bytes: int
    source: str


@dataclass(frozen=True, slots=True)
class Freed:
    """What was removed: the folders and their size in bytes."""

    name: str
    folders: tuple[Path, ...]
    size_bytes: int


def listing(settings: Settings) -> tuple[Installed, ...]:
    """Every model here, by name, then by layout. Nothing is hashed, joined or fetched."""
    found = (*_own(settings), *_in_hub(), *_in_wheels())
    return tuple(sorted(found, key=lambda i: (i.name, i.layout, i.source)))


def get(
    name: str,
    layout: str,
    settings: Settings,
    report: Callable[[float | None], None] = lambda _: None,
) -> Installed:
    """Make sure a model is here. Reports and raises as `resolve` does."""
    folder = resolve(name, layout, settings, report).folder
    if folder is None:
        raise ModelUnavailable(f"Model {name!r} has no files")
    return Installed(name, layout, folder, _size(folder), _source(folder, settings))


def remove(name: str, settings: Settings) -> Freed:
    """Delete a model from our cache and the hub client's, in every layout.

    Never touches a folder that was named nor an installed package. Raises ModelUnavailable
    when there is nothing it may delete, and UnknownModel.
    """
    folders = [f for f in _removable(name, settings) if f.is_dir()]
    if not folders:
        packages = " ".join(starter.STARTERS[name].packages) if starter.carried(name) else ""
        raise ModelUnavailable(
            f"Model {name!r} is part of an installed package: pip uninstall {packages}"
            if packages
            else f"No files of model {name!r} in {places.models_dir(settings)} "
            f"or {places.hub_dir()}"
        )
    freed = sum(_size(folder) for folder in folders)
    for folder in folders:
        shutil.rmtree(folder)
    return Freed(name, tuple(folders), freed)


def _removable(name: str, settings: Settings) -> list[Path]:
    if catalogue.is_path(name):
        raise ModelUnavailable(f"{name} is a folder of yours: delete it yourself")
    own = [places.own_folder(name, layout, settings) for layout in catalogue.LAYOUTS]
    if catalogue.is_plain(name) and any(folder.is_dir() for folder in own):
        # One carried here by hand has a name that nobody else knows.
        repos = {catalogue.find_repo(name, layout) for layout in catalogue.LAYOUTS} - {None}
    else:
        repos = {catalogue.repo_of(name, layout) for layout in catalogue.LAYOUTS}
    return own + [places.hub_folder(repo) for repo in sorted(filter(None, repos))]


def _own(settings: Settings) -> Iterator[Installed]:
    for folder in _folders(places.models_dir(settings)):
        for layout, shape in catalogue.LAYOUTS.items():
            if not shape.missing(folder):
                name = folder.name.removesuffix(f".{layout}").replace("--", "/")
                yield Installed(name, layout, folder, _size(folder), "cache")


def _in_hub() -> Iterator[Installed]:
    short = {
        (repo, layout): entry.name
        for entry in catalogue.MODELS.values()
        for layout, repo in entry.repos.items()
    }
    for folder in _folders(places.hub_dir()):
        if not folder.name.startswith("models--"):
            continue
        repo = folder.name.removeprefix("models--").replace("--", "/")
        for layout, shape in catalogue.LAYOUTS.items():
            snapshot = hub.cached(repo, shape)
            if snapshot is not None:
                name = short.get((repo, layout), repo)
                yield Installed(name, layout, snapshot, _size(folder), "hub")


def _in_wheels() -> Iterator[Installed]:
    for name, parts in starter.STARTERS.items():
        files = starter.carried(name)
        if files is not None:
            size = sum(path.stat().st_size for path in files.values())
            where = files[parts.parts[0]].parent
            yield Installed(name, "ctranslate2", where, size, "starter")


def _source(folder: Path, settings: Settings) -> str:
    if folder.is_relative_to(places.models_dir(settings)):
        return "cache"
    if folder.is_relative_to(places.hub_dir().resolve()):
        return "hub"
    wheels = [i.where for i in _in_wheels()]
    return "starter" if folder in wheels else "folder"


def _folders(parent: Path) -> list[Path]:
    try:
        found = [p for p in parent.iterdir() if p.is_dir() and not p.name.startswith(".")]
    except OSError:
        return []
    return sorted(found)


def _size(folder: Path) -> int:
    """Bytes on disk. A link counts as what it points to, once."""
    seen: dict[str, int] = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = Path(parent, name)
            if path.exists():
                seen[os.path.realpath(path)] = path.stat().st_size
    return sum(seen.values())
