"""The lines of the pages for curl, as people copy them, on every host."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, shell_lines
from tests.rest.hosts.running import Running
from tests.services import wavs

#: A stream of events does not end by itself, and proxies of this machine are none of ours.
LIMITS = "noproxy = *\nsilent\nshow-error\nmax-time = 30\n"

GUIDE = ROOT / "docs" / "guide" / "server.md"


def _lines() -> list[str]:
    return [line for line in shell_lines(GUIDE) if "Authorization" in line or "curl" in line]


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_the_curl_lines_work(host: Running, tmp_path: Path) -> None:
    """No session is named in any of them: a job's id opens it."""
    (talk,) = wavs(tmp_path, "talk")
    talk.rename(tmp_path / "talk.m4a")
    with zipfile.ZipFile(tmp_path / "notes.zip", "w") as archive:
        archive.write(wavs(tmp_path, "note")[0], "note.wav")
    (tmp_path / ".curlrc").write_text(LIMITS)
    wavs(tmp_path, "ana")
    token, submit, put, download, edit, events, voices, asr = _lines()
    variables = {**os.environ, "CURL_HOME": str(tmp_path), "HOME": str(tmp_path)}
    variables |= {"TOKEN": str(host.token), "URL": host.url}

    def run(line: str, **more: str) -> bytes:
        ran = subprocess.run(
            ["bash", "-c", f"{token}\n{line}"],
            cwd=tmp_path,
            env={**variables, **more},
            capture_output=True,
            timeout=60,
        )
        return ran.stdout

    (first,) = [line for line in shell_lines(ROOT / "README.md") if line.startswith("curl")]
    assert json.loads(run(first))["recordings"][0]["name"] == "talk.m4a"
    job = json.loads(run(submit))
    assert [r["name"] for r in job["recordings"]] == ["talk.m4a", "note.wav"]
    assert json.loads(run(put))["recordings"][0]["name"] == "talk.m4a"
    with host.client() as client:
        # The queue is first come, first served: with the answer to this the others are done.
        client.post("/asr", files={"audio_file": ("a.wav", (tmp_path / "talk.m4a").read_bytes())})
        while client.get(f"/jobs/{job['job_id']}").json()["state"] != "completed":
            pass
    run(download, JOB=job["job_id"])
    with zipfile.ZipFile(tmp_path / "texts.zip") as archive:
        assert sorted(archive.namelist()) == ["note.txt", "talk.txt"]
    revised = json.loads(run(edit, JOB=job["job_id"], ID=job["recordings"][0]["recording_id"]))
    assert (revised["revision"], revised["kind"]) == (1, "person")
    assert b"event: snapshot" in run(events.replace("-N", "-N -m 2"))
    assert b"-->" in run(asr)
    # Last of all: telling speakers apart may have to look for its models first.
    assert json.loads(run(voices))["options"]["voices"] == [{"name": "Ana"}]
