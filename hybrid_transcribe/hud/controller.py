"""Whatever a panel asks, answered: every message is checked, none raises, none waits for another.

Chunks are written where they come in; what asks the service goes to threads, so that a slow
service, or a thousand files to look into, holds up no cell.
"""

from __future__ import annotations

import errno
import logging
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import msgspec

from hybrid_transcribe._version import __version__
from hybrid_transcribe.audio.sniff import EXTENSIONS
from hybrid_transcribe.config import Settings
from hybrid_transcribe.core.names import display_name, new_id
from hybrid_transcribe.engines.listing import list_engines
from hybrid_transcribe.errors import (
    DiskFull,
    HybridTranscribeError,
    InvalidOption,
    InvalidRequest,
    NotFound,
    Unreachable,
)
from hybrid_transcribe.hud import messages as m
from hybrid_transcribe.hud import uploads, view
from hybrid_transcribe.hud.downloads import Downloads, find_file
from hybrid_transcribe.hud.updater import PanelUpdater
from hybrid_transcribe.jobs.request import OPTION_NAMES, make_options
from hybrid_transcribe.jobs.speaker_options import refuse_paths
from hybrid_transcribe.messages import UserMessage, known_phrase
from hybrid_transcribe.registry import WRITERS
from hybrid_transcribe.service_protocol import HostedService
from hybrid_transcribe.types import EngineInfo, ErrorInfo, Options, PostProcessorInfo

log = logging.getLogger(__name__)

#: Who keeps the session: this kernel, or the page of a visitor.
KERNEL, PAGE = "kernel", "page"
REMEMBER = (KERNEL, PAGE)

#: What a panel may say about how to transcribe. Whose job it is, is not for it to say.
HOW = ("engine", "model", "device", *OPTION_NAMES)

#: Where partial files for a service elsewhere wait, below the user's cache folder.
PARTIAL = "hud-uploads"

#: Submissions and downloads that are prepared side by side.
_SIDE_BY_SIDE = 3

#: A session's id as pages may bring it: nobody guesses 32 characters, and it fits in a header.
_SESSION = re.compile(r"[!-+\--~]{32,200}")

#: Sends plain JSON values and the buffers beside them.
Send = Callable[[dict[str, Any], list[bytes] | None], None]


def well_formed(session_id: str | None) -> bool:
    """True for what may be a session of ours.

    >>> well_formed("0123456789abcdef0123456789abcdef"), well_formed("ana"), well_formed(None)
    (True, False, False)
    """
    return session_id is not None and _SESSION.fullmatch(session_id) is not None


class Catalogue(Protocol):
    """A service elsewhere that knows its own engines; without it ours are offered."""

    def engines(self) -> Sequence[EngineInfo]: ...


class PanelController:
    """Where the messages of one panel arrive.

    Args:
        service: of this process or elsewhere.
        send: gives a message to the panel; called on any thread, never on two at once.
        session_id: whose jobs these are; None is the service's own, and all it lets us see.
        remember: ``"kernel"``, or ``"page"`` for visitors, whose browsers bring their session:
            theirs alone is ever shown or touched.
    """

    def __init__(
        self,
        service: HostedService,
        send: Send,
        *,
        session_id: str | None = None,
        remember: str = KERNEL,
        link: str | None = None,
    ) -> None:
        if remember not in REMEMBER:
            raise InvalidOption(
                UserMessage("not_among", name="remember", value=repr(remember), choices=REMEMBER)
            )
        self._service, self._plain_send = service, send
        self._remember, self._link = remember, link
        self.session_id = session_id or (new_id() if remember == PAGE else None)
        self.settings: Settings = service.settings
        self._sending = threading.Lock()
        self._closed = False
        self._bridge: PanelUpdater | None = None
        self._bridged: str | None = None
        # In order: a later wish counts more than an earlier one.
        self._in_order = ThreadPoolExecutor(1, thread_name_prefix="hud-asks")
        self._at_leisure = ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="hud-works")
        # By key, so that a panel which lost an answer may ask again.
        self._jobs_made: dict[str, Future[tuple[str, tuple[m.Refused, ...]]]] = {}
        self._downloads = Downloads(self._send)
        self._uploads = uploads.PanelUploads(self._partial_folder(), self.settings)

    # --------------------------------------------------------------------------- coming in

    def receive(self, content: Any, buffers: Sequence[Any] = ()) -> None:
        """A message of the panel, whatever it is. Never raises, never waits for the service."""
        if self._closed:
            return
        try:
            self._dispatch(m.read(content), buffers)
        except msgspec.ValidationError as error:
            problem = InvalidRequest(UserMessage("not_understood", why=error))
            self._send(m.Problem(ref=_ref_in(content), error=problem.info()))
        except Exception as error:
            self._send(m.Problem(ref=_ref_in(content), error=info(error)))

    def _dispatch(self, message: m.FromPanel, buffers: Sequence[Any]) -> None:
        match message:
            case m.UploadBegin() | m.UploadChunk() | m.UploadCancel():
                self._upload(message, buffers)
            case m.BlobAt(ref=ref, offset=offset):
                self._downloads.arrived(ref, offset)
            case m.BlobCancel(ref=ref):
                self._downloads.cancel(ref)
            case m.Submit():
                self._do(self._at_leisure, message.ref, partial(self._submit, message))
            case m.Fetch():
                self._do(self._at_leisure, message.ref, partial(self._fetch, message))
            case m.Hello():
                self._do(self._in_order, None, partial(self._hello, message))
            case m.Engines():
                self._do(self._in_order, None, self._tell_choices)
            case m.Follow():
                self._do(self._in_order, None, partial(self._follow, message))
            case _:
                self._do(self._in_order, message.ref, partial(self._control, message))

    def _do(self, threads: Executor, ref: int | None, action: Callable[[], None]) -> None:
        def run() -> None:
            if self._closed:
                return
            try:
                action()
            except Exception as error:
                self._send(m.Problem(ref=ref, error=info(error)))

        # Closed a moment ago.
        with suppress(RuntimeError):
            threads.submit(run)

    # ------------------------------------------------------------------------ what is done

    def _hello(self, hello: m.Hello) -> None:
        if self._remember == PAGE and well_formed(hello.session_id):
            self.session_id = hello.session_id
        self._uploads.loosen()
        engines = self._engines()
        bridge, fresh = self._bridged_to(view.receivers(engines))
        self._send(self._welcome())
        self._send(self._choices(engines))
        if fresh:
            bridge.start()
        else:
            bridge.again()

    def _bridged_to(self, receivers: Mapping[str, str | None]) -> tuple[PanelUpdater, bool]:
        old = self._bridge
        if old is not None:
            if old.alive and self._bridged == self.session_id:
                return old, False
            old.close()
        self._bridge = None
        panel_updater = PanelUpdater(
            self._service, self._send, session_ids=self._sessions, receivers=receivers
        )
        self._bridge, self._bridged = panel_updater, self.session_id
        if self._closed:
            panel_updater.close()
        return panel_updater, True

    def _welcome(self) -> m.Welcome:
        return m.Welcome(
            version=__version__,
            session_id=self.session_id if self._remember == PAGE else None,
            link=self._link,
            chunk_bytes=uploads.CHUNK_BYTES,
            window=uploads.WINDOW,
            max_file_bytes=self.settings.max_file_bytes,
            max_files=self.settings.max_files,
            retention_s=self.settings.retention_s,
            now=time.time(),
        )

    def _choices(self, engines: Sequence[EngineInfo]) -> m.Choices:
        return m.Choices(
            engines=tuple(engines),
            postprocessors=self._postprocessors(),
            formats=WRITERS.names(),
            extensions=tuple(sorted(EXTENSIONS)),
        )

    def _tell_choices(self) -> None:
        self._send(self._choices(self._engines()))

    def _postprocessors(self) -> tuple[PostProcessorInfo, ...]:
        """Those of the service; none where an older one elsewhere has no word for them."""
        try:
            return tuple(self._service.postprocessors())
        except NotFound:
            return ()

    def _engines(self) -> Sequence[EngineInfo]:
        """Those of the service: one elsewhere may tell its own, as a `Catalogue`."""
        if not hasattr(self._service, "engines"):
            return list_engines(self.settings)
        elsewhere: Catalogue = self._service
        return elsewhere.engines()

    def _upload(
        self, message: m.UploadBegin | m.UploadChunk | m.UploadCancel, buffers: Sequence[Any]
    ) -> None:
        try:
            match message:
                case m.UploadBegin():
                    upload = self._uploads.begin(
                        message.upload_id,
                        self.session_id or "",
                        message.name,
                        message.size_bytes,
                        message.modified_ms,
                        message.folder,
                    )
                case m.UploadChunk(upload_id=upload_id, offset=offset):
                    upload = self._uploads.chunk(upload_id, offset, _only(buffers))
                case m.UploadCancel(upload_id=upload_id):
                    self._uploads.cancel(upload_id)
                    return
        except Exception as error:
            self._send(m.UploadFailed(upload_id=message.upload_id, error=info(error)))
            return
        upload_at = m.UploadAt(
            upload_id=message.upload_id, offset=upload.offset, complete=upload.complete
        )
        self._send(upload_at)

    def _submit(self, message: m.Submit) -> None:
        job_id, rejected = self._once(message)
        self._send(m.Submitted(ref=message.ref, job_id=job_id, rejected=rejected))

    def _once(self, message: m.Submit) -> tuple[str, tuple[m.Refused, ...]]:
        """What this submission made, now or when it came before. A failed one may come again."""
        if message.key is None:
            return self._make(message)
        future: Future[tuple[str, tuple[m.Refused, ...]]] = Future()
        entry = self._jobs_made.setdefault(message.key, future)
        if entry is not future:
            return entry.result()
        try:
            future.set_result(self._make(message))
        except BaseException as error:
            del self._jobs_made[message.key]
            future.set_exception(error)
            raise
        return future.result()

    def _make(self, message: m.Submit) -> tuple[str, tuple[m.Refused, ...]]:
        options = _checked(message.arguments)
        # One elsewhere gets the bytes and leaves the files.
        into = self._service.uploads_dir if self._service.in_process else None
        job = self._uploads.submit(
            message.upload_ids,
            into,
            lambda files: self._service.submit(files, session_id=self.session_id, **options),
        )
        refused = tuple(
            m.Refused(name=display_name(item.name), error=item.error) for item in job.rejected
        )
        return job.job_id, refused

    def _fetch(self, message: m.Fetch) -> None:
        self._downloads.begin(message.ref, find_file(self._service, message, self._sessions))

    def _follow(self, message: m.Follow) -> None:
        if self._bridge is not None:
            self._bridge.follow(message.job_id, message.recording_id)

    def _control(self, message: m.Cancel | m.Retry | m.Keep | m.Delete) -> None:
        mine = {"session_ids": self._sessions}
        match message:
            case m.Cancel(job_id=job_id, recording_id=recording_id):
                self._service.cancel(job_id, recording_id, **mine)
            case m.Retry(job_id=job_id, recording_id=recording_id, changes=changes):
                self._service.retry(job_id, recording_id, **mine, **_anew(changes))
            case m.Keep(job_id=job_id, keep=keep):
                self._service.keep(job_id, keep, **mine)
            case m.Delete(job_id=job_id):
                self._service.delete(job_id, **mine)
        self._send(m.Done(ref=message.ref))

    # ----------------------------------------------------------------------------- inside

    @property
    def _sessions(self) -> list[str] | None:
        return None if self.session_id is None else [self.session_id]

    def sheet(self) -> view.TableState:
        """The queue as it stands. Raises what the service raises."""
        jobs = self._service.snapshots(session_ids=self._sessions)
        return view.sheet(jobs, {})

    def _partial_folder(self) -> Path:
        """What is not complete stays on this machine, also between two services elsewhere."""
        if self._service.in_process:
            return self._service.partial_dir / "hud"
        return self.settings.cache_path / PARTIAL

    def _send(self, message: m.FromKernel, buffer: bytes | None = None) -> None:
        if self._remember == PAGE and isinstance(message, m.Notice):
            # Visitors may know what is the matter, but not where the owner's files lie.
            message = m.Notice(code=message.code, message="", over=message.over)
        with self._sending:
            if self._closed:
                return
            try:
                self._plain_send(m.plain(message), None if buffer is None else [buffer])
            except Exception:
                # The kernel is going, or the panel's line with it.
                log.debug("The panel cannot be told", exc_info=True)

    @property
    def closed(self) -> bool:
        """True after `close`."""
        return self._closed

    def close(self) -> None:
        """Hear and tell no more; jobs go on. Twice is once."""
        if self._closed:
            return
        self._closed = True
        if self._bridge is not None:
            self._bridge.close()
        self._downloads.close()
        # A visitor's page that is loaded again may go on with what it was sending.
        self._uploads.close(keep=self._remember == PAGE)
        for threads in (self._in_order, self._at_leisure):
            threads.shutdown(wait=False, cancel_futures=True)


def info(error: Exception) -> ErrorInfo:
    """An error as the panel is told."""
    if isinstance(error, HybridTranscribeError):
        return error.info()
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return DiskFull(UserMessage("disk_full")).info()
    if isinstance(error, ConnectionError):
        return Unreachable(UserMessage("no_answer")).info()
    log.error("The panel's wish failed", exc_info=error)
    return HybridTranscribeError(
        UserMessage("labelled", label=type(error).__name__, why=error)
    ).info()


def _checked(options: Mapping[str, Any]) -> dict[str, Any]:
    unknown = sorted(set(options) - set(HOW))
    if unknown:
        raise InvalidOption(UserMessage("no_option", name=unknown[0][:80], choices=HOW))
    for name in ("engine", "model", "device", "language"):
        if not isinstance(options.get(name), str | None):
            raise InvalidOption(
                UserMessage(
                    "option_kind",
                    option=name,
                    value=repr(options[name]),
                    phrase=known_phrase("text"),
                )
            )
    refuse_paths(options)
    return dict(options)


def _anew(changes: Mapping[str, Any]) -> dict[str, Any]:
    """For `Service.retry`: none, or all options, so that one may be as if it was never set."""
    parameters = _checked(changes)
    if not parameters:
        return {}
    options = {name: parameters.pop(name) for name in OPTION_NAMES if name in parameters}
    return {**parameters, "options": make_options(Options(), options)}


def _only(buffers: Sequence[Any]) -> memoryview:
    if len(buffers) != 1:
        raise InvalidRequest(UserMessage("one_buffer", n=len(buffers)))
    return memoryview(buffers[0])


def _ref_in(content: Any) -> int | None:
    ref = content.get("ref") if isinstance(content, Mapping) else None
    return ref if isinstance(ref, int) else None
