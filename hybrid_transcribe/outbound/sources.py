"""Recordings given as addresses: fetched to where uploads lie, within the limits of uploads."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import unquote, urlsplit

from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import InvalidRequest, NotAllowed
from hybrid_transcribe.messages import UserMessage
from hybrid_transcribe.outbound.call import Caller, checked
from hybrid_transcribe.uploads.files import Files
from hybrid_transcribe.uploads.received import ReceivedFile, UploadLimits

#: The field that names them.
FIELD = "source_url"

#: Longest that fetching all of a request's recordings may take, in seconds.
FETCH_S = 600.0

#: Most addresses in one request.
MOST = 100

# Of their own: a slow sender elsewhere holds up nobody's upload.
_FETCHERS = ThreadPoolExecutor(4, thread_name_prefix="hybrid-transcribe-fetch")


async def fetched(value: Any, settings: Settings, folder: Path) -> tuple[ReceivedFile, ...]:
    """The recordings at the address, or the list of them, that a request names.

    The new files are the caller's. Raises NotAllowed where this server fetches nothing,
    UnsafeInput, InputMissing, TooLarge, InvalidRequest.
    """
    urls = [value] if isinstance(value, str) else value
    if urls is None:
        return ()
    if not isinstance(urls, list) or not all(isinstance(url, str) and url for url in urls):
        raise InvalidRequest(UserMessage("address_or_list", field=FIELD))
    if len(urls) > MOST:
        raise InvalidRequest(UserMessage("many_addresses", n=len(urls), field=FIELD, most=MOST))
    if not settings.allow_source_urls:
        raise NotAllowed(UserMessage("no_sources", field=FIELD))
    for url in urls:
        checked(url)
    loop = asyncio.get_running_loop()
    files = await loop.run_in_executor(_FETCHERS, _fetch, urls, settings, folder)
    return files.uploads


def _fetch(urls: list[str], settings: Settings, folder: Path) -> Files:
    """On a thread and a loop of its own, since it writes to disk as it reads."""
    files = Files(folder, UploadLimits.of(settings))
    try:
        asyncio.run(asyncio.wait_for(_fetch_all(urls, settings, files), FETCH_S))
    except BaseException as error:
        files.discard()
        if isinstance(error, asyncio.TimeoutError):
            raise InvalidRequest(UserMessage("fetch_slow", seconds=FETCH_S)) from None
        raise
    return files


async def _fetch_all(urls: list[str], settings: Settings, files: Files) -> None:
    caller = Caller.of(settings.fetch_private_hosts)
    for url in urls:
        files.new(name_of(url))
        await caller.fetch(url, files.write, most_bytes=settings.max_file_bytes, within_s=FETCH_S)
        files.done()


def name_of(url: str) -> str:
    """What to call the recording at an address.

    >>> name_of("https://example.org/talks/my%20talk.mp3?key=1"), name_of("http://example.org")
    ('my talk.mp3', 'recording')
    """
    return PurePosixPath(unquote(urlsplit(url).path)).name or "recording"
