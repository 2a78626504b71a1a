"""Files come in pieces, in any order of accidents, and lie on the disk as they were."""

from __future__ import annotations

import errno
import io
import os
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_transcribe import Service
from hybrid_transcribe.audio.intake import Uploaded
from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import (
    DiskFull,
    EmptyInput,
    InvalidRequest,
    NoAudio,
    QueueFull,
    TooLarge,
    TooMany,
    UnknownUpload,
    UploadConflict,
)
from hybrid_transcribe.hud import messages as m
from hybrid_transcribe.hud.uploads import PanelUploads
from hybrid_transcribe.testing import ManualClock
from hybrid_transcribe.uploads import store
from tests.hud.lines import desk_for, files_in
from tests.services import wavs

DATA = bytes(range(256)) * 40


def uploads(folder: Path, **settings: Any) -> PanelUploads:
    return PanelUploads(folder / "partial", Settings(**settings), free_bytes=lambda path: 1 << 40)


def send(to: PanelUploads, upload_id: str, data: bytes = DATA, *, name: str = "a.wav") -> None:
    to.begin(upload_id, "s", name, len(data), 1.0)
    to.chunk(upload_id, 0, data)


def taken(to: PanelUploads, folder: Path, *upload_ids: str) -> list[tuple[str, bytes]]:
    """Name and bytes of what a job is made of."""
    into = folder / "uploads"
    into.mkdir(exist_ok=True)
    instance: list[tuple[str, bytes]] = to.submit(
        upload_ids, into, lambda files: [(f.name, f.path.read_bytes()) for f in files]
    )
    return instance


@given(cuts=st.lists(st.integers(0, len(DATA)), max_size=6), stray=st.integers(0, 20_000))
def test_a_file_is_the_sum_of_its_chunks(
    tmp_path_factory: pytest.TempPathFactory, cuts: list[int], stray: int
) -> None:
    """However it is cut, and whatever comes where it does not belong."""
    folder = tmp_path_factory.mktemp("cut")
    to = uploads(folder)
    at = to.begin("u", "s", "a.wav", len(DATA), 1.0).offset
    for end in [*sorted(cuts), len(DATA)]:
        assert to.chunk("u", at + stray + 1, b"stray").offset == at
        at = to.chunk("u", at, DATA[at:end]).offset
    assert taken(to, folder, "u") == [("a.wav", DATA)]


def test_a_file_that_was_cut_off_goes_on(tmp_path: Path) -> None:
    """In another kernel too: by session, folder, name, size and time of change."""
    first = uploads(tmp_path)
    first.begin("u", "s", "a.wav", len(DATA), 1.0)
    first.chunk("u", 0, DATA[:1000])
    first.close(keep=True)
    second = uploads(tmp_path)
    assert second.begin("v", "s", "a.wav", len(DATA), 1.0).offset == 1000
    assert second.begin("w", "other", "a.wav", len(DATA), 1.0).offset == 0
    assert second.begin("x", "s", "a.wav", len(DATA), 2.0).offset == 0
    assert second.begin("y", "s", "a.wav", len(DATA), 1.0, "another folder").offset == 0
    second.chunk("v", 1000, DATA[1000:])
    assert taken(second, tmp_path, "v") == [("a.wav", DATA)]


def test_a_page_loaded_again_takes_its_file_up(tmp_path: Path) -> None:
    """In the same kernel, where the upload before the reload is still known."""
    to = uploads(tmp_path)
    to.begin("u", "s", "a.wav", len(DATA), 1.0)
    to.chunk("u", 0, DATA[:1000])
    to.loosen()
    assert to.begin("v", "s", "a.wav", len(DATA), 1.0).offset == 1000
    with pytest.raises(UnknownUpload):
        to.chunk("u", 1000, b"late")


def test_the_same_file_twice_is_two_uploads(tmp_path: Path) -> None:
    """At the same time neither disturbs the other."""
    to = uploads(tmp_path)
    to.begin("u", "s", "a.wav", len(DATA), 1.0)
    to.begin("v", "s", "a.wav", len(DATA), 1.0)
    to.chunk("u", 0, DATA)
    assert to.chunk("v", 0, DATA[:5]).offset == 5
    to.chunk("v", 5, DATA[5:])
    assert taken(to, tmp_path, "u", "v") == [("a.wav", DATA)] * 2


def test_many_come_at_the_same_time(tmp_path: Path) -> None:
    """Each from a thread of its own."""
    to = uploads(tmp_path)

    def bring(n: int) -> None:
        data = bytes([n]) * 50_000
        to.begin(f"u{n}", "s", f"{n}.wav", len(data), 1.0)
        for at in range(0, len(data), 1000):
            to.chunk(f"u{n}", at, data[at : at + 1000])

    threads = [threading.Thread(target=bring, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    result = taken(to, tmp_path, *(f"u{n}" for n in range(8)))
    assert result == [(f"{n}.wav", bytes([n]) * 50_000) for n in range(8)]


def test_limits_are_checked_before_anything_comes(tmp_path: Path) -> None:
    """Size, number and sum; an empty file is refused at once."""
    to = uploads(tmp_path, max_file_bytes=100, max_files=2, max_upload_bytes=150)
    with pytest.raises(TooLarge, match=r"a\.wav"):
        to.begin("u", "s", "a.wav", 101, 1.0)
    with pytest.raises(EmptyInput):
        to.begin("u", "s", "a.wav", 0, 1.0)
    with pytest.raises(InvalidRequest):
        to.begin("u", "s", "a.wav", -1, 1.0)
    to.begin("u", "s", "a.wav", 100, 1.0)
    with pytest.raises(TooLarge, match="at the same time"):
        to.begin("v", "s", "b.wav", 60, 1.0)
    to.begin("v", "s", "b.wav", 10, 1.0)
    with pytest.raises(TooMany):
        to.begin("w", "s", "c.wav", 10, 1.0)


def test_more_than_was_announced_is_refused(tmp_path: Path) -> None:
    """A sender that lies about the size fills no disk."""
    to = uploads(tmp_path)
    to.begin("u", "s", "a.wav", 10, 1.0)
    with pytest.raises(TooLarge):
        to.chunk("u", 0, b"x" * 11)


def test_a_full_disk_is_told_before_and_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its own name; what had come is kept, and goes on when there is room again."""
    tight = PanelUploads(tmp_path / "partial", Settings(), free_bytes=lambda path: 5)
    with pytest.raises(DiskFull):
        tight.begin("u", "s", "a.wav", 6, 1.0)
    assert files_in(tmp_path) == []

    to = uploads(tmp_path)
    to.begin("u", "s", "a.wav", len(DATA), 1.0)
    to.chunk("u", 0, DATA[:100])

    def full(*given: object) -> io.RawIOBase:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(store, "open_end", full)
        with pytest.raises(DiskFull):
            to.chunk("u", 100, DATA[100:200])
    assert to.chunk("u", 100, DATA[100:]).complete


def test_what_was_left_goes_in_its_time(tmp_path: Path) -> None:
    """What is older than allowed, and the oldest of what is too much; never what is coming."""
    folder = tmp_path / "partial"
    folder.mkdir()
    clock = ManualClock()
    for n in range(5):
        path = folder / f"{n:032x}"
        path.write_bytes(b"x" * 10)
        path.with_suffix(".json").write_text('{"length": 20, "metadata": ""}')
        at = clock.wall() - 9.5 + n
        os.utime(path, (at, at))
    (folder / "notes.txt").write_text("not ours")
    limits = Settings(upload_idle_s=7.0, max_open_uploads=2)
    PanelUploads(folder, limits, clock=clock).begin("u", "s", "a.wav", 5, 1.0)
    remaining = {path.name for path in files_in(folder)}
    kept = {f"{n:032x}{end}" for n in (3, 4) for end in ("", ".json")}
    assert kept | {"notes.txt"} < remaining
    assert len(remaining) == 7


def test_a_job_needs_complete_uploads(tmp_path: Path) -> None:
    """Each named once; what is missing is named."""
    to = uploads(tmp_path)
    to.begin("u", "s", "a.wav", 10, 1.0)
    with pytest.raises(UploadConflict, match=r"a\.wav .*0 of 10"):
        taken(to, tmp_path, "u")
    with pytest.raises(UnknownUpload):
        taken(to, tmp_path, "nobody")
    with pytest.raises(InvalidRequest, match="twice"):
        taken(to, tmp_path, "u", "u")
    with pytest.raises(InvalidRequest):
        taken(to, tmp_path)


def test_a_refused_job_can_be_tried_again(tmp_path: Path) -> None:
    """Nothing is sent twice because an option was wrong; unusable files go at once."""
    to = uploads(tmp_path)
    send(to, "u")

    def refuse(error: Exception) -> Any:
        def make(files: list[Uploaded]) -> None:
            assert files[0].path.read_bytes() == DATA
            raise error

        return make

    for error in (QueueFull("full"), NoAudio("none")):
        with pytest.raises(type(error)):
            to.submit(["u"], None, refuse(error))
    with pytest.raises(UnknownUpload):
        taken(to, tmp_path, "u")
    assert files_in(tmp_path) == []


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    """Neither of what was canceled nor of what was open when the panel closed."""
    to = uploads(tmp_path)
    send(to, "u")
    to.cancel("u")
    to.cancel("u")
    assert files_in(tmp_path) == []
    send(to, "v")
    to.close(keep=False)
    assert files_in(tmp_path) == []


def test_a_swept_file_begins_again(tmp_path: Path) -> None:
    """Its sender is told to go on at the beginning."""
    to = uploads(tmp_path)
    to.begin("u", "s", "a.wav", len(DATA), 1.0)
    to.chunk("u", 0, DATA[:100])
    for path in files_in(tmp_path):
        path.unlink()
    assert to.chunk("u", 100, DATA[100:]).offset == 0
    assert to.chunk("u", 0, DATA).complete


# ------------------------------------------------------------------ through the messages


def test_uploads_become_a_job(service: Service, tmp_path: Path) -> None:
    """Its recordings have the people's names, and the service the only copy."""
    item, two = (path.read_bytes() for path in wavs(tmp_path, "a", "b"))
    with desk_for(service) as line:
        line.hello()
        ids = line.upload(item, "a.wav"), line.upload(two, "Ação.wav")
        instance = line.submit(*ids, language="pt")
        assert isinstance(instance, m.Submitted)
        result = service.job(instance.job_id).result(30)
        assert [(t.name, t.language) for t in result] == [("a.wav", "pt"), ("Ação.wav", "pt")]
        assert files_in(service.partial_dir) == []
        assert len(files_in(service.uploads_dir)) == 2
        service.delete(instance.job_id)


def test_one_bad_file_sinks_no_other(service: Service, tmp_path: Path) -> None:
    """It is refused by name, in the answer and as a row."""
    (path,) = wavs(tmp_path, "good")
    with desk_for(service) as line:
        line.hello()
        ids = line.upload(path.read_bytes(), "good.wav"), line.upload(b"words", "bad.wav")
        instance = line.submit(*ids)
        assert isinstance(instance, m.Submitted)
        assert [(r.name, r.error.code) for r in instance.rejected] == [
            ("bad.wav", "unsupported_media")
        ]
        assert line.row("rejected").name == "bad.wav"
        assert line.row("completed").name == "good.wav"


def test_errors_are_those_of_everywhere(service: Service, tmp_path: Path) -> None:
    """And a submission that was refused for its options goes through when they are mended."""
    (path,) = wavs(tmp_path, "a")
    with desk_for(service) as line:
        line.hello()
        upload_id = line.upload(path.read_bytes(), "a.wav")
        for options, code in (
            ({"engine": "none"}, "unknown_engine"),
            ({"device": "toaster"}, "unknown_device"),
            ({"beam_size": "many"}, "invalid_option"),
            ({"session_id": "another"}, "invalid_option"),
            ({"model": 5}, "invalid_option"),
        ):
            refused = line.submit(upload_id, **options)
            assert isinstance(refused, m.Problem)
            assert refused.error.code == code
        assert isinstance(line.submit(upload_id, beam_size=1), m.Submitted)


def test_an_upload_that_cannot_be_is_told(service: Service) -> None:
    """By its own id, so that the panel knows which."""
    with desk_for(service) as line:
        line.say(m.UploadBegin(upload_id="u", name="a.wav", size_bytes=0))
        assert line.first(m.UploadFailed, upload_id="u").error.code == "empty_input"
        line.say(m.UploadChunk(upload_id="v", offset=0), b"x")
        assert line.first(m.UploadFailed, upload_id="v").error.code == "unknown_upload"
        line.say(m.UploadBegin(upload_id="w", name="a.wav", size_bytes=5))
        line.say(m.UploadChunk(upload_id="w", offset=0))
        assert line.first(m.UploadFailed, upload_id="w").error.code == "invalid_request"


def test_a_full_disk_is_told_to_the_panel(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Before a byte was sent for nothing, and by its own code."""
    monkeypatch.setattr("hybrid_transcribe.hud.uploads._free_bytes", lambda folder: 1)
    with desk_for(service) as line:
        line.say(m.UploadBegin(upload_id="u", name="a.wav", size_bytes=1000))
        assert line.first(m.UploadFailed, upload_id="u").error.code == "disk_full"
