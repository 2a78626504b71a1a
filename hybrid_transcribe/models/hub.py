"""The hub: what its client has already, and fetching what it has not.

The client (2.4) resumes a cut connection within one call only: each call starts a file of its
own, and what a killed process had fetched is never used again. Nor does it compare what came
with the digest the hub publishes. So `fetch` gets the large files itself and puts them where
the client's cache has them, by digest; the client does the rest.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.models import checksums, paths
from hybrid_transcribe.models.catalogue import Layout
from hybrid_transcribe.models.disk_space import need
from hybrid_transcribe.models.fetch import Remote
from hybrid_transcribe.models.fetch import fetch as fetch_file

#: How long the hub may take to answer at all, in seconds: a machine without a network should
#: say so soon. The client's own default is 10 s, several times over.
ANSWER_TIMEOUT_S = 4.0

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be fetched: blob name to size in bytes, and file name to SHA-256.

    ``commit`` says of which state; files without a SHA-256 are small.
    """

    commit: str
    sizes: Mapping[str, int] = field(default_factory=dict)
    sha256: Mapping[str, str] = field(default_factory=dict)


def cached(repo: str, layout: Layout) -> Path | None:
    """The snapshot folder of the repository in the hub client's cache, if it is complete."""
    from huggingface_hub import snapshot_download

    try:
        folder = Path(
            snapshot_download(
                repo,
                cache_dir=paths.hub_dir(),
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

    ``report`` gets None until sizes are known, then 0..100, never falling. What arrived before
    a cut is kept, also for another process. Raises ModelUnavailable when what arrived is wrong
    or there is no room, and whatever the clients raise otherwise.
    """
    report(None)
    required = _ask(repo, layout)
    need(paths.hub_dir(), sum(required.sizes.values()) - _arrived(repo, required), repo)
    tell = _rising(repo, required, report)
    for name, digest in required.sha256.items():
        _fetch_large(repo, name, digest, required, tell)
    folder = _download(repo, layout)
    for path in layout.weight_files(folder):
        _check(path, required.sha256.get(path.name))
    report(100.0)
    return folder


def _rising(
    repo: str, required: Wanted, report: Callable[[float | None], None]
) -> Callable[[int, int | None], None]:
    """Reports the percentage on disk, unless a file that was wrong made it fall."""
    highest, total = 0.0, sum(required.sizes.values())

    def tell(*_: int | None) -> None:
        nonlocal highest
        if total:
            highest = max(highest, min(100.0, 100 * _arrived(repo, required) / total))
            report(highest)

    return tell


def _fetch_large(
    repo: str, name: str, digest: str, required: Wanted, tell: Callable[[int, int | None], None]
) -> None:
    from huggingface_hub import get_token, hf_hub_url

    url = hf_hub_url(repo, name, revision=required.commit)
    blobs = paths.hub_folder(repo) / "blobs"
    fetch_file(
        Remote(url, digest, required.sizes.get(digest), get_token()),
        blobs / digest,
        # Clients before 1.0 call it so too, and go on with what they find.
        part=blobs / f"{digest}.incomplete",
        lock=paths.hub_lock(repo, digest),
        report=tell,
    )


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
            # The names of the client's blobs.
            blob = lfs["sha256"] if lfs else file.blob_id
            if blob and file.size:
                sizes[blob] = file.size
            if lfs:
                digests[file.rfilename] = lfs["sha256"]
    return Wanted(info.sha or "main", sizes, digests)


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
            cache_dir=paths.hub_dir(),
            allow_patterns=list(layout.fetch),
            etag_timeout=ANSWER_TIMEOUT_S,
            tqdm_class=Quiet,
        )
    )


def _arrived(repo: str, required: Wanted) -> int:
    """Bytes of the wanted blobs that are on disk, finished or not."""
    blobs = paths.hub_folder(repo) / "blobs"
    return sum(
        min(size, max(_size(blobs / name), _size(blobs / f"{name}.incomplete")))
        for name, size in required.sizes.items()
    )


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        # Not there yet, or renamed while we looked.
        return 0


def _check(path: Path, published: str | None) -> None:
    """Compare a fetched file with the digest the hub published, and delete it if it differs."""
    # The blob of a large file is named by its digest; one step, since a blob may link further.
    blob = Path(path.readlink()).name if path.is_symlink() else ""
    expected = published or (blob if _SHA256.fullmatch(blob) else None)
    if expected is None:
        return
    result = checksums.sha256_of(path)
    if result != expected:
        target = path.resolve()
        path.unlink(missing_ok=True)
        target.unlink(missing_ok=True)
        error = checksums.mismatch(path, expected, result)
        raise ModelUnavailable(UserMessage("checksum_deleted", why=error))
