"""What is particular to a service elsewhere: it goes away, comes back, and is told apart."""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hybrid_transcribe import RemoteService, Service
from hybrid_transcribe.audio.intake import Uploaded
from hybrid_transcribe.errors import (
    HybridTranscribeError,
    InputMissing,
    InvalidEdit,
    InvalidOption,
    InvalidRequest,
    NotFound,
    NoToken,
    ServiceClosed,
    UnknownJob,
    Unreachable,
)
from hybrid_transcribe.events import Event, Resync, SegmentAdded
from hybrid_transcribe.remote import from_environment, http_client
from hybrid_transcribe.rest.server import Server
from hybrid_transcribe.testing import Script
from hybrid_transcribe.types import Options, State
from tests.faults.test_rest_events import as_sent, job_ended
from tests.proxy import Wire
from tests.services import service as local_service
from tests.services import until_segment, wavs


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Service, Server]]:
    """One service for all that leave it as it is; its worker is warm."""
    with local_service() as service, service.serve() as server:
        service.submit(wavs(tmp_path_factory.mktemp("warm"), "up")).result(30)
        yield service, server


@pytest.fixture(scope="module")
def opened() -> Iterator[tuple[Service, Server]]:
    """One that asks for no token: nobody owns it."""
    with local_service() as service, service.serve(open_to_all=True) as server:
        yield service, server


def port_of(server: Server) -> int:
    return urlsplit(server.url).port or 0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as item:
        return int(item.getsockname()[1])


@pytest.mark.slow
@settings(
    max_examples=12,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(cuts=st.lists(st.integers(0, 4000), max_size=6))
def test_cut_anywhere(
    served: tuple[Service, Server], tmp_path_factory: pytest.TempPathFactory, cuts: list[int]
) -> None:
    """Wherever connections break, in headers, numbers or text, events come once and in order."""
    service, server = served
    (path,) = wavs(tmp_path_factory.mktemp("cut"), "talk", seconds=6)
    with (
        Wire(port_of(server)) as wire,
        RemoteService(wire.url, server.token) as remote,
        service.subscribe() as local,
        remote.subscribe() as there,
    ):
        wire.cuts(cuts)
        wire.cut()
        job = service.submit(path)
        items: list[Event] = []
        while not job_ended(items, job.job_id):
            event = there.get(30)
            assert event is not None
            items.append(event)
        job.result(30)
        expected = []
        while (event := local.get(0)) is not None and event.seq <= items[-1].seq:
            expected.append(as_sent(event))
    assert items == expected


def test_a_server_that_starts_again(tmp_path: Path) -> None:
    """On the same folder and port: listeners are told to look again, and the job goes on."""
    port = free_port()
    (path,) = wavs(tmp_path, "talk", seconds=8)
    with RemoteService(f"http://127.0.0.1:{port}", "s3cret") as remote:
        with local_service(tmp_path / "state") as first:
            first.serve(port=port, token="s3cret")
            job = remote.submit(path, model=Script(delay_s=0.1).model)
            listener = remote.subscribe()
            waiting = remote._wait(job.job_id)
            until_segment(first, 2)
        with local_service(tmp_path / "state") as second:
            second.serve(port=port, token="s3cret")
            waiting.result(30)
            (transcript,) = job.result(30)
            items = []
            while not job_ended(items, job.job_id):
                event = listener.get(30)
                assert event is not None
                items.append(event)
    assert [s.text for s in transcript.segments] == [f"talk.wav {i}" for i in range(8)]
    (again,) = [i for i, event in enumerate(items) if isinstance(event, Resync)]
    segments = [e.index for e in items if isinstance(e, SegmentAdded)]
    assert sorted(set(segments)) == segments
    assert items[again + 1 :]


def test_segments_over_a_restart(tmp_path: Path) -> None:
    """`async for segment in job` gives each once, though the server went in between."""
    port = free_port()
    (path,) = wavs(tmp_path, "talk", seconds=8)
    with RemoteService(f"http://127.0.0.1:{port}", "s3cret") as remote:
        first = local_service(tmp_path / "state")
        first.serve(port=port, token="s3cret")
        job = remote.submit(path, model=Script(delay_s=0.1).model)
        seen = []
        segments = iter(job)
        seen.append(next(segments))
        first.close()
        with local_service(tmp_path / "state") as second:
            second.serve(port=port, token="s3cret")
            seen.extend(segments)
    assert [s.text for s in seen] == [f"talk.wav {i}" for i in range(8)]


def test_nobody_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every call ends in time with an error that says where nobody answers."""
    monkeypatch.setattr(http_client, "FIRST_PAUSE_S", 0.01)
    port = free_port()
    with RemoteService(f"http://127.0.0.1:{port}", session_id="mine") as remote:
        for ask in (
            remote.snapshots,
            remote.subscribe,
            lambda: remote.submit(wavs(tmp_path, "a")),
            lambda: remote.wait("0" * 32),
            lambda: remote.delete("0" * 32),
        ):
            with pytest.raises(Unreachable, match=f"127.0.0.1:{port}|All connection"):
                ask()


def test_waiting_does_not_last_for_ever(tmp_path: Path) -> None:
    """Whoever waits for a job of a server that stays away is told so in the end."""
    service = local_service()
    server = service.serve()
    with RemoteService(server.url, server.token, patience_s=0.3) as remote:
        job = remote.submit(wavs(tmp_path, "talk"), model=Script(delay_s=60).model)
        waiting = remote._wait(job.job_id)
        service.close()
        with pytest.raises(Unreachable):
            waiting.result(30)


def test_closing_tells_those_who_wait(served: tuple[Service, Server], tmp_path: Path) -> None:
    """Waiting and listening end when this side hangs up; the job goes on."""
    service, server = served
    gate = tmp_path / "gate"
    remote = RemoteService(server.url, server.token)
    job = remote.submit(wavs(tmp_path, "talk"), model=Script(gate=str(gate)).model)
    listener = remote.subscribe()
    threading.Timer(0.2, remote.close).start()
    with pytest.raises(ServiceClosed):
        job.result(30)
    assert list(listener)[-1:] != [None]
    with pytest.raises(ServiceClosed):
        remote.snapshots()
    remote.close()
    gate.touch()
    assert len(service.job(job.job_id).result(30)) == 1


def test_the_wrong_token_and_the_wrong_address(served: tuple[Service, Server]) -> None:
    """Both are named for what they are, at once, also when subscribing."""
    _, server = served
    with RemoteService(server.url, "wrong", "mine") as remote:
        for ask in (remote.snapshots, remote.subscribe):
            with pytest.raises(NoToken):
                ask()
    with (
        RemoteService(f"{server.url}/elsewhere", server.token) as remote,
        pytest.raises(NotFound, match="elsewhere"),
    ):
        remote.snapshots()
    for url in ("127.0.0.1:1", "file:///etc", "http://", "http://me:word@here"):
        with pytest.raises(InvalidRequest):
            RemoteService(url)


def test_capabilities_stay_secret(
    served: tuple[Service, Server], tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """No log line and no repr of ours or of the client library has a token or a session."""
    _, server = served
    token = server.token or ""
    with caplog.at_level(logging.DEBUG):
        remote = RemoteService(f"{server.url}/?token={token}")
        with remote, remote.subscribe():
            session = remote.new_session()
            job = remote.submit(wavs(tmp_path, "talk"), session_id=session)
            job.result(30)
            assert remote.snapshots(session_ids=[session])
            remote.delete_session(session)
            lines = [repr(remote), str(remote), repr(job), repr(remote._address)]
    for secret in (token, session, remote.session_id if not remote.closed else token):
        assert secret not in caplog.text
        assert secret not in " ".join(lines)


def test_sessions_without_an_owner(opened: tuple[Service, Server], tmp_path: Path) -> None:
    """Where nobody owns the service each client has a session, and no other's jobs."""
    _, server = opened
    with RemoteService(server.url) as ana, RemoteService(server.url) as rui:
        assert ana.session_id == ana.session_id != rui.session_id
        job = ana.submit(wavs(tmp_path, "talk"))
        other = ana.submit(wavs(tmp_path, "talk"), session_id=ana.new_session())
        assert len(job.result(30)) == len(other.result(30)) == 1
        assert {s.job_id for s in ana.snapshots()} == {job.job_id, other.job_id}
        assert rui.snapshots() == () == ana.snapshots(session_ids=[])
        with pytest.raises(UnknownJob):
            rui.job(job.job_id)
        with pytest.raises(UnknownJob):
            ana.snapshot(job.job_id, session_ids=[])
        with RemoteService(server.url, session_id=ana.session_id) as again:
            assert [j.job_id for j in again.jobs()] == [job.job_id]


def test_sending_keeps_memory_flat(tmp_path: Path) -> None:
    """A large file is read while it is sent."""
    (path,) = wavs(tmp_path, "long", seconds=1)
    with path.open("ab") as file:
        file.truncate(300 << 20)
    me = psutil.Process()
    with (
        local_service() as service,
        service.serve() as server,
        RemoteService(server.url, server.token) as remote,
    ):
        remote.snapshots()
        before, most = me.memory_info().rss, 0
        sending = threading.Thread(target=lambda: remote.submit(path).delete())
        sending.start()
        while sending.is_alive():
            most = max(most, me.memory_info().rss)
            time.sleep(0.01)
    # Both sides of it are in this process.
    assert most - before < 100 << 20


def test_more_files_than_may_be_open(tmp_path: Path) -> None:
    """A folder of many recordings is one request, in order."""
    folder = tmp_path / "many"
    names = [f"n{i:03d}" for i in range(200)]
    wavs(folder, *names, seconds=0.1)
    (folder / "notes.txt").write_text("only words")
    with (
        local_service() as service,
        service.serve() as server,
        RemoteService(server.url, server.token) as remote,
    ):
        open_before = psutil.Process().num_fds()
        job = remote.submit(folder)
        assert psutil.Process().num_fds() < open_before + 50
        assert [r.name for r in job.recordings] == [f"{name}.wav" for name in names]
        job.delete()


def test_options_arrive_as_they_are(served: tuple[Service, Server], tmp_path: Path) -> None:
    """Of every kind, by name or as a whole; a priority too; odd names of files as well."""
    service, server = served
    (path,) = wavs(tmp_path, 'a "b"; name=x %22 ção')
    chosen = Options(temperature=(0.0, 0.2), suppress_tokens=(1, 2), initial_prompt="é\r\n--x")
    with RemoteService(server.url, server.token) as remote:
        job = remote.submit(path, options=chosen, beam_size=1, vad_filter=True, priority=3)
        snapshot = service.snapshot(job.job_id)
        assert snapshot.spec.options == remote.snapshot(job.job_id).spec.options
        assert snapshot.spec.options.temperature == (0.0, 0.2)
        assert snapshot.spec.options.initial_prompt == "é\r\n--x"
        assert (snapshot.spec.options.beam_size, snapshot.spec.options.vad_filter) == (1, True)
        assert (snapshot.priority, snapshot.recordings[0].name) == (3, path.name)
        with pytest.raises(InvalidOption, match="'beam'"):
            remote.submit(path, beam=1)


def test_uploaded_files_go_when_they_are_sent(
    served: tuple[Service, Server], tmp_path: Path
) -> None:
    """What somebody gave this side to send does not stay, sent or refused."""
    _, server = served
    with RemoteService(server.url, server.token) as remote:
        folder = remote.uploads_dir
        (path,) = wavs(folder, "0123")
        assert remote.submit([Uploaded(path, "talk.wav")]).recordings[0].name == "talk.wav"
        (folder / "x").write_text("words")
        with pytest.raises(HybridTranscribeError):
            remote.submit([Uploaded(folder / "x", "x.wav")])
        assert list(folder.iterdir()) == []
    assert not folder.exists()


def test_a_file_that_shrinks(served: tuple[Service, Server], tmp_path: Path) -> None:
    """A recording that is not what it was when it was looked at is named."""
    from hybrid_transcribe.audio.intake import InputFile
    from hybrid_transcribe.remote.multipart_upload import MultipartUpload

    path = tmp_path / "a.wav"
    path.write_bytes(b"12345")
    form = MultipartUpload({}, [InputFile("a.wav", path, owned=False, size_bytes=9)])
    with pytest.raises(InputMissing, match="shorter"):
        b"".join(form)


def test_cancel_keep_retry(served: tuple[Service, Server], tmp_path: Path) -> None:
    """Control of one recording and of all arrives."""
    service, server = served
    gate = tmp_path / "gate"
    with RemoteService(server.url, server.token) as remote:
        job = remote.submit(wavs(tmp_path, "a", "b"), model=Script(gate=str(gate)).model)
        job.cancel(job.recordings[1].recording_id)
        gate.touch()
        job.wait(30)
        assert [r.state for r in job.recordings] == [State.COMPLETED, State.CANCELED]
        job.keep()
        assert service.snapshot(job.job_id).kept
        job.retry(options=Options(beam_size=2), word_timestamps=True)
        result = job.result(30)
        assert len(result) == 2
        assert result[1].words


def test_awaiting_many(served: tuple[Service, Server], tmp_path: Path) -> None:
    """Many who wait share one connection."""
    service, server = served
    with Wire(port_of(server)) as wire, RemoteService(wire.url, server.token) as remote:
        gate = tmp_path / "gate"
        jobs = [
            remote.submit(path, model=Script(gate=str(gate)).model)
            for path in wavs(tmp_path, *(f"n{i}" for i in range(10)), seconds=0.2)
        ]
        before = service.call(lambda room: room.bus.listeners).result()

        async def all_of_them() -> int:
            waiting = asyncio.gather(*(remote.wait_async(job.job_id) for job in jobs))
            await asyncio.sleep(0.3)
            n = service.call(lambda room: room.bus.listeners).result()
            gate.touch()
            await waiting
            return n - before

        assert asyncio.run(all_of_them()) <= 1


def test_from_the_environment() -> None:
    """Kernels find their service by two variables."""
    result = from_environment(
        {"HYBRID_TRANSCRIBE_URL": "http://h:1/x/", "HYBRID_TRANSCRIBE_TOKEN": "t"}
    )
    with result:
        assert repr(result) == "<RemoteService at http://h:1/x>"
        assert result._address.token == "t"
    with pytest.raises(InvalidRequest, match="HYBRID_TRANSCRIBE_URL"):
        from_environment({})


def test_an_edit_that_is_too_large(served: tuple[Service, Server], tmp_path: Path) -> None:
    """Said here, with its size: a server would hang up on it without a word."""
    _, server = served
    with RemoteService(server.url, server.token) as remote:
        job = remote.submit(wavs(tmp_path, "a"))
        job.result(30)
        edit = job.edit()
        for _ in range(60):
            edit.replace_text("1.0", "x" * 20_000)
        with pytest.raises(InvalidEdit, match=r"1\.1 MiB.*at most 1 MiB"), edit:
            edit.delete("1.1")
        assert len(job.revisions()) == 1
        with job.edit() as edit:
            for _ in range(50):
                edit.replace_text("1.0", "x" * 20_000)
        assert job.transcript().segments[0].text == "x" * 20_000
