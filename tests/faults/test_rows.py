"""Rows 26 and 36 through the whole path, and a count of the rows that have a test."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest

from tests.services import service, wavs

#: The rows that this package holds; 25 is about machines of a cluster, which it does not use.
ROWS = [
    *range(1, 25),
    *range(26, 45),
    *(46, 47),
    *range(48, 60),
    *range(60, 70),
    *range(70, 74),
    *range(80, 90),
    *range(110, 120),
]


@pytest.mark.parametrize("row", ROWS)
def test_every_row_has_a_test(row: int) -> None:
    """A row without a test named after it is not held."""
    folder = Path(__file__).parent
    text = "".join(p.read_text(encoding="utf-8") for p in folder.glob("test_*.py"))
    assert re.search(rf"def test_f{row:02d}_", text), f"row {row} has no test"


def test_f26_one_bad_file_among_twenty(tmp_path: Path) -> None:
    """Nineteen transcripts and one clear error, also in the zip that comes out."""
    names = [f"note {i:02d}" for i in range(20)]
    paths = wavs(tmp_path, *names, seconds=1)
    paths[13].write_bytes(paths[13].read_bytes()[:44] + b"")
    with service() as s:
        result = s.submit(paths).result(60)
        result.save_zip(tmp_path / "out.zip")
    assert len(result) == 19
    (error,) = result.errors
    assert error.name == "note 13.wav"
    with zipfile.ZipFile(tmp_path / "out.zip") as out:
        assert len(out.namelist()) == 20
        lines = out.read("_errors.txt").decode().splitlines()
    assert len(lines) == 1
    assert lines[0].startswith("note 13.wav: ")


def test_f36_hostile_names_stay_names(tmp_path: Path) -> None:
    """Names from a zip that climb, hide or repeat end as files inside the folder asked for."""
    (wav,) = wavs(tmp_path, "x", seconds=1)
    hostile = ["../../up.wav", "C:\\w.wav", "a\u202egpj.wav", "a/same.wav", "b/SAME.wav", "…" * 900]
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for name in hostile:
            archive.writestr(name, wav.read_bytes())
    with service() as s:
        job = s.submit(tmp_path / "in.zip")
        result = job.result(60)
        uploads = s.call(lambda room: room.state.uploads).result()
        assert all(Path(r.path).parent == uploads for r in job.recordings)
    saved = result.save(tmp_path / "out", "txt")
    assert len(saved) == len({p.name.lower() for p in saved}) == len(hostile)
    assert {p.parent for p in saved} == {tmp_path / "out"}
    assert not any("\u202e" in p.name for p in saved)
