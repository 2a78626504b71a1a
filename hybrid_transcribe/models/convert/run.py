"""One conversion, whole or not at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from filelock import FileLock

from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.models.convert import ct2, huggingface, openai
from hybrid_transcribe.models.disk_space import need

#: What can be written.
TARGETS = ("huggingface", "openai")

#: The file that says a folder was converted, and from what.
MARK = "converted.json"

#: Longest wait for another process that converts the same model (3 GB take half a minute).
_LOCK_TIMEOUT_S = 600.0

#: Tokenizer and configuration beside the weights, in bytes, rounded up.
_SMALL_BYTES = 8_000_000


def convert(
    source: Path, layout: str, folder: Path, *, name: str, lock: Path | None = None
) -> Path:
    """Write the CTranslate2 model in ``source`` as another layout into ``folder``; the folder.

    ``name`` names the checkpoint of openai-whisper. What lies in ``folder`` is replaced, at
    the end and at once, if it was converted too. Another process that writes the same is waited
    for by the file ``lock``, by default beside the folder. Raises ModelUnavailable for weights
    we cannot read, a missing library and a disk without room.
    """
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        waiting = lock or folder.with_name(f".{folder.name}.lock")
        waiting.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(waiting, timeout=_LOCK_TIMEOUT_S):
            if not _is_from(folder, source, layout):
                _replace(source, layout, folder, name)
    except (OSError, TimeoutError) as error:
        raise ModelUnavailable(
            UserMessage("not_converted", path=source, folder=folder, why=error)
        ) from error
    return folder


def _replace(source: Path, layout: str, folder: Path, name: str) -> None:
    if folder.exists() and not (folder / MARK).is_file() and any(folder.iterdir()):
        raise ModelUnavailable(UserMessage("folder_taken", folder=folder))
    # Under the lock nobody else writes it: one that is here was left by a process that died.
    fresh = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    weights = ct2.read(source / "model.bin")
    need(
        folder.parent,
        weights.float_bytes + _SMALL_BYTES,
        UserMessage("layout_model", layout=layout, name=name),
    )
    try:
        fresh.mkdir()
        _write(weights, source, layout, fresh, name)
        if folder.exists():
            shutil.rmtree(folder)
        fresh.replace(folder)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _write(weights: ct2.Weights, source: Path, layout: str, folder: Path, name: str) -> None:
    config = _json(source / "config.json")
    if layout == "huggingface":
        huggingface.write(weights, config, source, folder)
    else:
        openai.write(weights, config, name, folder)
    mark = json.dumps(_mark(source, layout), indent=2)
    (folder / MARK).write_text(mark + "\n", encoding="utf-8")


def _mark(source: Path, layout: str) -> dict[str, Any]:
    """From which weights the folder came, as far as a look tells."""
    status = (source / "model.bin").stat()
    return {
        "from": "ctranslate2",
        "to": layout,
        "size": status.st_size,
        "mtime_ns": status.st_mtime_ns,
    }


def _is_from(folder: Path, source: Path, layout: str) -> bool:
    return (folder / MARK).is_file() and _json(folder / MARK) == _mark(source, layout)


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ModelUnavailable(UserMessage("no_json_file", path=path, why=error)) from error
    if not isinstance(content, dict):
        raise ModelUnavailable(UserMessage("no_json_object", path=path))
    return content
