"""The one shelf of each service, however many servers and handlers use it."""

from __future__ import annotations

import weakref

from hybrid_transcribe.core.clock import LoopClock
from hybrid_transcribe.jobs.service import Service
from hybrid_transcribe.rest.files.upload_store import UploadStore

_shelves: weakref.WeakKeyDictionary[Service, UploadStore] = weakref.WeakKeyDictionary()


def opened(service: Service) -> UploadStore | None:
    """The service's shelf, None before it was opened."""
    return _shelves.get(service)


def open_shelf(service: Service) -> UploadStore:
    """The service's shelf. Called on the engine-room loop, so that there is one."""
    shelf = _shelves.get(service)
    if shelf is None:
        shelf = _shelves[service] = UploadStore(service.partial_dir, service.settings, LoopClock())
        # What an earlier process left may be overdue.
        shelf.expire()
        shelf.watch()
        service.before_close(shelf.close)
    return shelf


def watch(service: Service) -> None:
    """Have what an earlier process left in pieces expire, though nobody asks for it."""
    if service.partial_dir.exists():
        service.call(lambda room: open_shelf(service))
