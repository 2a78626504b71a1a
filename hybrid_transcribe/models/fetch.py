"""One large file over HTTP: resumed after a cut, also by the next process, and checked.

What arrived lies beside the target until it is whole and its digest is right, so that a file
under its own name can be trusted. The hub's client keeps nothing of a download that failed,
hence a downloader of our own for files of hundreds of megabytes.
"""

from __future__ import annotations

import contextlib
import errno
import http.client
import ssl
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import IO, Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPSHandler, Request, build_opener

from filelock import FileLock

from hybrid_transcribe.core.backoff import backoff_s
from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.models import checksums
from hybrid_transcribe.models.disk_space import need

#: How often a cut is tried again without a single byte more, and the first pause (s), which
#: doubles. A server that has never answered is not waited for: people should hear soon.
TRIES = 5
PAUSE_S = 1.0

#: Longest silence of a server, in seconds.
_TIMEOUT_S = 30.0

#: Longest wait for another process that fetches the same file: an hour of a slow line.
_LOCK_TIMEOUT_S = 3600.0

_BLOCK_BYTES = 1 << 20

#: Least time between two reports, in seconds.
_REPORT_S = 0.25

#: Answers that are worth another try: too busy, or a fault of the moment.
_PASSING = frozenset({408, 425, 429, 500, 502, 503, 504})

#: Troubles of a network on the way, beside those that Python has a class for. Those of a disk
#: are not among them: they do not pass by themselves.
_ON_THE_WAY = frozenset(
    getattr(errno, name)
    for name in (
        "EHOSTDOWN",
        "EHOSTUNREACH",
        "ENETDOWN",
        "ENETRESET",
        "ENETUNREACH",
        "ENOBUFS",
        "ENONET",
        "ENOTCONN",
    )
    # No system has them all.
    if hasattr(errno, name)
)

#: The answer to a request for bytes behind the end.
_NOTHING_LEFT = 416

#: Gets the bytes that are here and, where the server tells, those of the whole file.
Report = Callable[[int, int | None], None]


@dataclass(frozen=True, slots=True)
class Remote:
    """A file elsewhere: its address, SHA-256 and, where known, size in bytes.

    ``token`` is sent to that host alone, never to one it redirects to.
    """

    url: str
    sha256: str
    size_bytes: int | None = None
    token: str | None = field(default=None, repr=False)


def fetch(remote: Remote, target: Path, *, part: Path, lock: Path, report: Report) -> None:
    """Fetch the file into ``target``; what is on its way lies in ``part``, on the same disk.

    ``report`` is told now and then. Raises ModelUnavailable for bytes that are wrong twice and
    for a disk without room, otherwise OSError or HTTPException of the last try; what arrived is
    kept for the next call.
    """
    for folder in (target.parent, part.parent, lock.parent):
        folder.mkdir(parents=True, exist_ok=True)
    with FileLock(lock, timeout=_LOCK_TIMEOUT_S):
        # Another process may have fetched it while this one waited.
        if target.is_file():
            return
        for last in (False, True):
            _complete(remote, part, report)
            result = checksums.sha256_of(part)
            if result == remote.sha256:
                part.replace(target)
                return
            part.unlink()
            if last:
                error = checksums.mismatch(remote.url, remote.sha256, result)
                raise ModelUnavailable(UserMessage("checksum_twice", why=error))


def _complete(remote: Remote, part: Path, report: Report) -> None:
    """Ask for what is missing until nothing is."""
    failed, answered = 0, False
    if remote.size_bytes is not None and _size(part) > remote.size_bytes:
        part.unlink()
    while True:
        before = _size(part)
        try:
            if _ask(remote, part, report):
                return
            error: Exception = ConnectionError(f"{remote.url}: cut after {_size(part)} bytes")
            answered = True
        except HTTPError as refused:
            refused.close()
            if refused.code == _NOTHING_LEFT:
                return  # The digest says whether it is the file.
            if refused.code not in _PASSING:
                raise
            error, answered = refused, True
        except (OSError, http.client.HTTPException) as cut:
            if isinstance(cut, OSError) and not _on_the_way(cut):
                raise
            error = cut
        answered = answered or _size(part) > before
        failed = 0 if _size(part) > before else failed + 1
        if failed >= TRIES or not answered:
            raise error
        time.sleep(backoff_s(failed, PAUSE_S))


def _on_the_way(error: OSError) -> bool:
    """Whether the network failed, rather than something on this machine."""
    passing = (URLError, ConnectionError, TimeoutError, ssl.SSLError)
    return isinstance(error, passing) or error.errno in _ON_THE_WAY


def _ask(remote: Remote, part: Path, report: Report) -> bool:
    """One request for the rest; True when everything is here afterwards."""
    here = _size(part)
    if remote.size_bytes is not None and here == remote.size_bytes:
        return True
    with _opened(remote, here) as response:
        # 200 instead of 206: the server sends it from the start, whatever was asked.
        resumed = response.status == 206
        here = here if resumed else 0
        rest = response.headers.get("Content-Length")
        whole = None if rest is None else here + int(rest)
        if rest is not None:
            need(part.parent, int(rest), remote.url)
        with part.open("ab" if resumed else "wb") as file:
            arrived = _pour(response, file, here, lambda here: report(here, whole))
    # A server that tells no length closes the connection at the end: the digest decides.
    return whole is None or arrived == whole


@contextlib.contextmanager
def _opened(remote: Remote, here: int) -> Iterator[Any]:
    opener = build_opener(HTTPSHandler(context=_trust()))
    with opener.open(_request(remote, here), timeout=_TIMEOUT_S) as response:
        yield response


def _request(remote: Remote, here: int) -> Request:
    if urlsplit(remote.url).scheme not in ("http", "https"):
        raise ModelUnavailable(UserMessage("models_by_http", url=remote.url))
    request = Request(remote.url)  # noqa: S310 - the line above
    if here:
        request.add_header("Range", f"bytes={here}-")
    if remote.token:
        request.add_unredirected_header("Authorization", f"Bearer {remote.token}")
    return request


@lru_cache(maxsize=1)
def _trust() -> ssl.SSLContext:
    """The system's certificates, and those that came with the hub's client."""
    context = ssl.create_default_context()
    # Python from python.org on a Mac, and small containers, have none of their own.
    with contextlib.suppress(ImportError, OSError):
        import certifi

        context.load_verify_locations(certifi.where())
    return context


def _pour(response: Any, file: IO[bytes], here: int, report: Callable[[int], None]) -> int:
    """Write what comes until it ends; the bytes that are here then."""
    message = -_REPORT_S
    while block := response.read1(_BLOCK_BYTES):
        file.write(block)
        # On disk before anybody hears of it, so that a kill costs nothing that was told.
        file.flush()
        here += len(block)
        if time.monotonic() - message >= _REPORT_S:
            message = time.monotonic()
            report(here)
    report(here)
    return here


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
