"""The hub: what its client has already, and fetching what it has not.

The client resumes a cut connection by itself. What it does not do for plain downloads is to
compare what arrived with the digest the hub publishes; `fetch` does.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.models import checksums, places
from hybrid_transcribe.models.catalogue import Layout

#: How long the hub may take to answer at all, in seconds: a machine without a network should
#: say so soon. The client's own default is 10 s, several times over.
ANSWER_TIMEOUT_S = 4.0

#: How often progress is looked at while fetching, in seconds.
_LOOK_S = 0.25

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be fetched: blob name to size in bytes, and file name to SHA-256."""

    sizes: Mapping[str, int] = field(default_factory=dict)
    sha256: Mapping[str, str] = field(default_factory=dict)


def cached(repo: str, layout: Layout) -> Path | None:
    """The snapshot folder of the repository in the hub client's cache, if it is complete."""
    from huggingface_hub import snapshot_download

    try:
        folder = Path(
            snapshot_download(
                repo,
                cache_dir=places.hub_dir(),
                local_files_only=True,
                allow_patterns=list(layout.fetch),
            )
        )
    except (OSError, ValueError):
        # Every "not here" of the client's is one of these, in all versions we allow.
        return None
    return None if layout.missing(folder) else folder


def fetch(repo: str, layout: Layout, report: Callable[[float | None], None]) -> Path:
    """Fetch a repository's files of one layout and check their digests; the snapshot's folder.

    ``report`` gets None until sizes are known, then 0..100, never falling. Raises
    ModelUnavailable when what arrived is wrong, and whatever the client raises otherwise.
    """
    report(None)
    wanted = _ask(repo, layout)
    folder = _watch(lambda: _download(repo, layout), repo, wanted, report)
    for path in layout.weight_files(folder):
        _check(path, wanted.sha256.get(path.name))
    report(100.0)
    return folder


def _ask(repo: str, layout: Layout) -> Wanted:
    """Ask for sizes and digests first: it is quick, and has a time limit of its own."""
    from fnmatch import fnmatch

    from huggingface_hub import HfApi

    info = HfApi().model_info(repo, timeout=ANSWER_TIMEOUT_S, files_metadata=True)
    sizes: dict[str, int] = {}
    digests: dict[str, str] = {}
    for file in info.siblings or ():
        if any(fnmatch(file.rfilename, pattern) for pattern in layout.fetch):
            lfs: Any = file.lfs
            blob = lfs["sha256"] if lfs else file.blob_id
            if blob and file.size:
                sizes[blob] = file.size
            if lfs:
                digests[file.rfilename] = lfs["sha256"]
    return Wanted(sizes, digests)


def _download(repo: str, layout: Layout) -> Path:
    from huggingface_hub import snapshot_download
    from tqdm import tqdm

    class Quiet(tqdm):  # type: ignore[misc]
        """No bars: progress is ours to show."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            # An argument of the client's own bar class.
            kwargs.pop("name", None)
            super().__init__(*args, **{**kwargs, "disable": True})

    return Path(
        snapshot_download(
            repo,
            cache_dir=places.hub_dir(),
            allow_patterns=list(layout.fetch),
            etag_timeout=ANSWER_TIMEOUT_S,
            tqdm_class=Quiet,
        )
    )


def _watch(
    work: Callable[[], Path],
    repo: str,
    wanted: Wanted,
    report: Callable[[float | None], None],
) -> Path:
    """Run the work in a thread and report, from this one, how many bytes have arrived.

    Bytes on disk rather than the client's bars: those differ in every major version.
    """
    outcome: list[Path | BaseException] = []

    def run() -> None:
        try:
            outcome.append(work())
        except BaseException as error:
            outcome.append(error)

    # A daemon, so that a caller who gives up (an exception from `report`) can leave.
    thread = threading.Thread(target=run, name="model-download", daemon=True)
    thread.start()
    highest = 0.0
    while thread.is_alive():
        thread.join(_LOOK_S)
        total = sum(wanted.sizes.values())
        if total:
            highest = max(highest, min(100.0, 100 * _arrived(repo, wanted) / total))
            report(highest)
    if isinstance(outcome[0], BaseException):
        raise outcome[0]
    return outcome[0]


def _arrived(repo: str, wanted: Wanted) -> int:
    """Bytes of the wanted blobs that are on disk, finished or not."""
    best: dict[str, int] = {}
    try:
        for path in (places.hub_folder(repo) / "blobs").iterdir():
            # "<etag>", "<etag>.incomplete" or "<etag>.<random>.incomplete".
            etag = path.name.split(".", 1)[0]
            if etag in wanted.sizes:
                best[etag] = max(best.get(etag, 0), path.stat().st_size)
    except OSError:
        # Not there yet, or a file was renamed while we looked: the next look sees it.
        pass
    return sum(min(size, wanted.sizes[etag]) for etag, size in best.items())


def _check(path: Path, published: str | None) -> None:
    """Compare a fetched file with the digest the hub published, and delete it if it differs."""
    # The blob of a large file is named by its digest; one step, since a blob may link further.
    blob = Path(path.readlink()).name if path.is_symlink() else ""
    expected = published or (blob if _SHA256.fullmatch(blob) else None)
    if expected is None:
        return
    found = checksums.sha256_of(path)
    if found != expected:
        target = path.resolve()
        path.unlink(missing_ok=True)
        target.unlink(missing_ok=True)
        error = checksums.mismatch(path, expected, found)
        raise ModelUnavailable(f"{error}; it was deleted, so that a retry fetches it again")
