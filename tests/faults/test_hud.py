"""Faults 36, 38 and 41 as far as the panel's kernel side goes."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_transcribe import Service
from hybrid_transcribe.hud import messages as m
from hybrid_transcribe.hud.panel import Hud
from tests.hud.lines import desk_for, files_in
from tests.services import service as local_service
from tests.services import wavs

HOSTILE = [
    "../../../etc/passwd.wav",
    "..\\..\\C:\\windows\\talk.wav",
    "C:\\talk.wav",
    "talk\x00.wav",
    "\u202evaw.klat.wav",
    "x" * 4000 + ".wav",
    "CON.wav",
    "a/b/c.wav",
    "twin.wav",
    "twin.wav",
    ".wav",
    " ",
    "\ud800.wav",
]
MARKUP = "<img src=x onerror=alert(1)>.wav"


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with local_service(tmp_path / "state") as instance:
        yield instance


@pytest.fixture
def sound(tmp_path: Path) -> bytes:
    (path,) = wavs(tmp_path / "given", "talk", seconds=1.0)
    return path.read_bytes()


def test_f36_no_name_is_ever_part_of_a_path(service: Service, sound: bytes, tmp_path: Path) -> None:
    """Stored under random names, shown without what hides or reorders; in zips unique and safe."""
    before = set(files_in(tmp_path))
    with desk_for(service) as line:
        line.hello()
        ids = [line.upload(sound, name) for name in HOSTILE]
        instance = line.submit(*ids)
        assert isinstance(instance, m.Submitted), instance
        service.job(instance.job_id).result(60)
        line.until(
            lambda: all(r.state in ("completed", "rejected") for r in line.shown.rows.values())
        )
        stored = {path for path in files_in(service.uploads_dir) if path not in before}
        assert all(
            len(path.name) == 32 and set(path.name) <= set("0123456789abcdef") for path in stored
        )
        assert {path.parent for path in stored} == {service.uploads_dir}
        assert len(line.shown.rows) == len(HOSTILE)
        for row in line.shown.rows.values():
            assert len(row.name) <= 120
            assert not set(row.name) & set("/\\\x00\u202e\ud800")
        _, packed = line.fetch(part="results", job_id=instance.job_id, format="zip")
        with zipfile.ZipFile(io.BytesIO(packed)) as archive:
            inside = [name for name in archive.namelist() if name != "_errors.txt"]
        assert len({name.lower() for name in inside}) == len(inside)
        assert not any(set(name) & set('/\\:*?"<>|\x00') for name in inside)
        assert not any(name.startswith("CON.") for name in inside)


def test_f36_an_id_of_a_panel_is_no_path_either(
    service: Service, sound: bytes, tmp_path: Path
) -> None:
    """Uploads are found by it in a table and nowhere else."""
    with desk_for(service) as line:
        begin = m.UploadBegin(upload_id="../../x", name="a.wav", size_bytes=len(sound))
        line.say(begin)
        line.say(m.UploadChunk(upload_id="../../x", offset=0), sound)
        line.first(m.UploadAt, complete=True)
        assert all(path.parent.name == "hud" for path in files_in(service.partial_dir))
        line.say(m.UploadBegin(upload_id="x" * 10_000, name="a.wav", size_bytes=1))
        assert line.first(m.UploadFailed).error.code == "invalid_request"


def test_f38_markup_travels_as_text_only(service: Service, sound: bytes) -> None:
    """As a JSON value to the panel, and nowhere as HTML: neither named nor shown by the kernel."""
    with desk_for(service) as line:
        line.hello()
        instance = line.submit(line.upload(sound, MARKUP))
        assert isinstance(instance, m.Submitted)
        assert line.row("completed").name == MARKUP
    hud = Hud(service)
    data, *_ = hud._repr_mimebundle_()
    hud.close()
    assert set(data) == {"text/plain", "application/vnd.jupyter.widget-view+json"}
    assert MARKUP in data["text/plain"]
    assert MARKUP not in json.dumps(hud.widget.get_state())


def test_f41_what_is_anothers_does_not_exist_for_a_panel(service: Service, sound: bytes) -> None:
    """Not its jobs, nor the uploads of which it knows the id."""
    with desk_for(service, remember="page") as ana, desk_for(service, remember="page") as bia:
        ana.hello()
        bia.hello()
        upload_id = ana.upload(sound, "hers.wav")
        assert isinstance(bia.submit(upload_id), m.Problem)
        instance = ana.submit(upload_id)
        assert isinstance(instance, m.Submitted)
        ana.row("completed")
        for kind in (m.Cancel, m.Retry, m.Keep, m.Delete):
            theirs, none = (bia.ask(kind, job_id=i).error for i in (instance.job_id, "f" * 32))
            assert (theirs.code, theirs.message.replace(instance.job_id, "f" * 32)) == (
                none.code,
                none.message,
            )
        assert bia.ask(m.Fetch, part="results", job_id=instance.job_id).error.code == "unknown_job"
        assert bia.shown.rows == {}
