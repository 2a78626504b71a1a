"""The checkpoints of openai-whisper: where their makers have them, and with which digest.

The table is the installed package's own. It is read, not imported: importing it loads torch,
seconds and hundreds of megabytes for a process that only wants an address.
"""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.models import catalogue, checksums, fetch, paths
from hybrid_transcribe.models.fetch import Remote

_LAYOUT = "openai"


def remote(name: str) -> Remote | None:
    """The official checkpoint of that name, None where there is none.

    Raises ModelUnavailable where openai-whisper is not installed.
    """
    entry = catalogue.entry_for(name)
    url = table().get(entry.name) if entry else None
    # The digest is the last folder of the address, as the package itself has it.
    return Remote(url, url.split("/")[-2]) if url else None


def table() -> Mapping[str, str]:
    """Name to address. Raises ModelUnavailable where openai-whisper is not installed."""
    result = importlib.util.find_spec("whisper")
    addresses = _table_in(Path(result.origin)) if result and result.origin else {}
    if not addresses:
        raise ModelUnavailable(UserMessage("checkpoints_unknown"))
    return addresses


@lru_cache(maxsize=1)
def _table_in(source: Path) -> Mapping[str, str]:
    """``_MODELS`` of that module; empty in another package that is called "whisper" too."""
    try:
        tree = ast.parse(source.read_text(encoding="utf-8"))
        values = (
            ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "_MODELS"
        )
        return dict(next(values, {}))
    except (OSError, SyntaxError, ValueError, TypeError):
        return {}


def digest(name: str) -> str | None:
    """The SHA-256 of the official checkpoint, where it can be known."""
    try:
        entry = remote(name)
    except ModelUnavailable:
        return None
    return entry.sha256 if entry else None


def cached(name: str, settings: Settings) -> Path | None:
    """The checkpoint in openai-whisper's own cache, if it is there and the right one."""
    file = whisper_file(name)
    expected = digest(name)
    if file is None or expected is None or not file.is_file():
        return None
    try:
        checksums.verify(file, expected, paths.stamps_dir(settings))
    except (ModelUnavailable, OSError):
        # Left by a download that was cut: the package would fetch it again, and so do we.
        return None
    return file


def whisper_file(name: str) -> Path | None:
    """Where openai-whisper keeps a model of the catalogue, there or not."""
    entry = catalogue.entry_for(name)
    return paths.whisper_dir() / f"{entry.name}.pt" if entry else None


def part_file(name: str, settings: Settings) -> Path:
    """Where a checkpoint lies while it is being fetched, there or not."""
    folder = paths.own_folder(name, _LAYOUT, settings)
    return folder.with_name(f".{folder.name}.incomplete")


def fetched(
    name: str, source: Remote, settings: Settings, report: Callable[[float | None], None]
) -> Path:
    """Fetch an official checkpoint into our cache; its file. Raises as `fetch.fetch` does."""
    report(None)
    folder, highest = paths.own_folder(name, _LAYOUT, settings), 0.0
    target = folder / f"{folder.name.removesuffix(f'.{_LAYOUT}')}.pt"

    def tell(here: int, whole: int | None) -> None:
        nonlocal highest
        # Not lower where a file that was wrong is fetched again.
        highest = max(highest, 100 * here / whole if whole else 0.0)
        report(highest)

    fetch.fetch(
        source,
        target,
        part=part_file(name, settings),
        lock=folder.with_name(f".{folder.name}.lock"),
        report=tell,
    )
    checksums.stamp(target, source.sha256, paths.stamps_dir(settings))
    report(100.0)
    return target
