"""Kills of the parent process, damage to its journal, and a long run.

Children are real processes with the scripted engine; they are killed with SIGKILL. What a child
was told (its calls returned) must be there when the next process opens the folder.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from hybrid_transcribe import Service
from hybrid_transcribe.audio.intake import Uploaded
from hybrid_transcribe.errors import HybridTranscribeError
from hybrid_transcribe.testing import tone, write_wav
from hybrid_transcribe.types import JobSnapshot, State
from tests.campaigns import Campaign, Report
from tests.services import environment, service

#: Segments of each recording here: one a second.
N_SEGMENTS = 3

#: How long a folder may take to come to rest after it was opened, in seconds.
REST_S = 60.0

# ------------------------------------------------------------------------------ random kills

#: A process that opens the folder, tells all it finds there, and then does one thing after
#: another until it is killed. A call is told before it is made and after it has returned.
_BUSY = """
import json, os, random, sys, time
from hybrid_transcribe import Service
from hybrid_transcribe.audio.intake import Uploaded
from hybrid_transcribe.errors import HybridTranscribeError
from tests.campaigns.kills import describe, sound
from hybrid_transcribe.testing import Script

state, seed = sys.argv[1], int(sys.argv[2])
chance = random.Random(seed)
service = Service(state, engine="scripted")
say = lambda *words: print(json.dumps(words), flush=True)
say("open", describe(service))
names = iter(range(10**9))
while True:
    jobs = service.jobs()
    what = "submit" if len(jobs) < 4 else chance.choice(
        ["submit"] * 3 + ["retry"] * 3 + ["change"] * 3 + ["cancel", "keep", "delete"]
    )
    if what == "submit" and len(jobs) >= 12:
        what = "delete"
    job = None if what == "submit" else chance.choice(jobs)
    say("asked", what, job and job.job_id)
    try:
        if what == "submit":
            inputs = [Uploaded(sound(service), "talk.wav") for _ in range(chance.randint(1, 3))]
            job = service.submit(inputs, model=Script(delay_s=0.01).model)
        elif what == "retry":
            job.retry()
        elif what == "change":
            job.retry(language=chance.choice(["pt", "de", "es", "en"]))
        else:
            getattr(job, what)()
    except HybridTranscribeError as error:
        say("refused", what, job and job.job_id, error.code)
        continue
    say("done", what, job.job_id)
    time.sleep(chance.choice([0, chance.uniform(0, 0.1)]))
"""


def sound(of: Service) -> Path:
    """A recording that somebody sent."""
    return write_wav(of.uploads_dir / f"{os.urandom(16).hex()}.wav", tone(float(N_SEGMENTS)))


def describe(of: Service) -> dict[str, Any]:
    """All jobs of a service with their texts, as JSON values."""
    return {
        "warnings": [code for code, _ in of.warnings],
        "jobs": {job.job_id: _described(of, job) for job in of.snapshots()},
    }


def _described(of: Service, job: JobSnapshot) -> dict[str, Any]:
    recordings = {}
    for recording in job.recordings:
        transcript = of.transcript(job.job_id, recording.recording_id, partial=True)
        run = recording.result_run or recording.run
        n_of_run = {r.run: r.n_segments for r in recording.runs}
        recordings[recording.recording_id] = {
            "state": str(recording.state),
            "has_result": recording.has_result,
            "numbers": [int(s.text.rsplit(" ", 1)[1]) for s in transcript.segments],
            "n_segments": n_of_run.get(run, recording.n_segments)
            if run != recording.run
            else recording.n_segments,
            "worker_deaths": recording.worker_deaths,
            "file": Path(recording.path).is_file(),
        }
    return {"kept": job.kept, "recordings": recordings}


@dataclass(slots=True)
class Ledger:
    """What was acknowledged so far."""

    jobs: set[str] = field(default_factory=set)
    deleted: set[str] = field(default_factory=set)
    being_deleted: set[str] = field(default_factory=set)
    kept: set[str] = field(default_factory=set)
    results: set[str] = field(default_factory=set)
    n_calls: int = 0

    def hear(self, line: list[Any]) -> None:
        """A line of the child's."""
        kind, what, job_id = (*line, None)[:3]
        if kind == "asked" and what == "delete":
            self.being_deleted.add(job_id)
        elif kind == "done":
            self.n_calls += 1
            if what == "submit":
                self.jobs.add(job_id)
            elif what == "keep":
                self.kept.add(job_id)
            elif what == "delete":
                self.deleted.add(job_id)

    def check(self, content: dict[str, Any]) -> Iterator[str]:
        """What is missing or wrong in what a process finds when it opens the folder."""
        there = content["jobs"]
        if content["warnings"]:
            yield f"warnings {content['warnings']}"
        for job_id in self.jobs - self.being_deleted - set(there):
            yield f"job {job_id} is gone"
        for job_id in self.deleted & set(there):
            yield f"job {job_id} is back"
        for job_id in (self.kept - self.being_deleted) & set(there):
            if not there[job_id]["kept"]:
                yield f"job {job_id} is no longer kept"
        for job in there.values():
            for recording_id, recording in job["recordings"].items():
                yield from self._check_recording(recording_id, recording)

    def _check_recording(self, recording_id: str, recording: dict[str, Any]) -> Iterator[str]:
        numbers = recording["numbers"]
        if numbers != list(range(recording["n_segments"])):
            yield f"{recording_id}: segments {numbers} of {recording['n_segments']}"
        if recording["has_result"]:
            self.results.add(recording_id)
            if len(numbers) != N_SEGMENTS:
                yield f"{recording_id}: a result with segments {numbers}"
        elif recording_id in self.results:
            yield f"{recording_id}: its result is gone"
        if recording["worker_deaths"]:
            yield f"{recording_id}: was blamed for a death of the parent"
        if not recording["file"]:
            yield f"{recording_id}: its upload is gone"


def random_kills(folder: Path, count: int, seed: int) -> Report:
    """``count`` processes on one folder, each killed at a random moment."""
    chance = random.Random(seed)
    report = Report("Random kills of the parent process")
    ledger, state = Ledger(), folder / "state"
    n_amid_call = 0
    for number in range(count):
        child = subprocess.Popen(
            [sys.executable, "-c", _BUSY, str(state), str(chance.randrange(1 << 30))],
            stdout=subprocess.PIPE,
            env=environment(),
        )
        assert child.stdout is not None
        first = child.stdout.readline()
        if not first:
            child.wait()
            report.losses.append(f"process {number} did not open the folder")
            break
        content = json.loads(first)[1]
        report.losses += [f"process {number}: {loss}" for loss in ledger.check(content)]
        # Some at once, some amid the work of their workers.
        time.sleep(chance.choice([0.0, chance.uniform(0.0, 0.3), chance.uniform(0.0, 1.5)]))
        child.send_signal(signal.SIGKILL)
        rest, _ = child.communicate()
        lines = [json.loads(line) for line in rest.splitlines() if line.endswith(b"]")]
        for line in lines:
            ledger.hear(line)
        n_amid_call += bool(lines) and lines[-1][0] == "asked"
    with service(state) as s:
        content = _at_rest(s)
    report.losses += [f"in the end: {loss}" for loss in ledger.check(content)]
    report.figures.update(
        {
            "kills": count,
            "of these amid a call": n_amid_call,
            "calls acknowledged": ledger.n_calls,
            "jobs acknowledged": len(ledger.jobs),
            "complete texts watched": len(ledger.results),
        }
    )
    return report


def _at_rest(s: Service) -> dict[str, Any]:
    for job in s.jobs():
        job.wait(REST_S)
    return describe(s)


# ------------------------------------------------------------------ after each and every commit

#: One long scenario; the process kills itself after so many commits.
_SCENARIO = """
import json, os, signal, sys
from contextlib import contextmanager
import hybrid_transcribe.jobs.journal_sqlite as journal
from hybrid_transcribe import Service
from hybrid_transcribe.audio.intake import Uploaded
from hybrid_transcribe.testing import Script
from tests.campaigns.kills import sound

state, left = sys.argv[1], [int(sys.argv[2])]
commit = journal.SqliteJournal._commit

@contextmanager
def killing(self):
    with commit(self) as db:
        yield db
    left[0] -= 1
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)

journal.SqliteJournal._commit = killing
say = lambda *words: print(json.dumps(words), flush=True)
service = Service(None if state == "-" else state, engine="scripted")
if state == "-":
    say("done", "open", None)
    service.close()
    sys.exit()
a = service.submit([Uploaded(sound(service), "a.wav") for _ in range(2)])
say("done", "submit", a.job_id)
a.result()
a.retry(language="pt"); say("done", "change", a.job_id)
a.result()
b = service.submit([Uploaded(sound(service), "b.wav")], model=Script(delay_s=1.0).model)
say("done", "submit", b.job_id)
while not b.recordings[0].n_segments:
    pass
b.cancel(); say("done", "cancel", b.job_id)
b.wait()
b.retry(); say("done", "retry", b.job_id)
b.result()
b.retry(model=Script(delay_s=0.1).model, language="de"); say("done", "change", b.job_id)
while b.recordings[0].n_segments == 0:
    pass
b.cancel(); say("done", "cancel", b.job_id)
b.wait()
a.keep(); say("done", "keep", a.job_id)
say("asked", "delete", b.job_id)
b.delete(); say("done", "delete", b.job_id)
service.close()
"""


def every_commit(folder: Path, count: int = 0, seed: int = 0, *, step: int = 1) -> Report:
    """Kill after the 1st, 2nd, 3rd… commit; ``count`` ends it early, ``step`` leaves some out."""
    report = Report("Kills after each commit")
    number, is_over = 1, False
    n_kills = 0
    while not is_over and (not count or n_kills < count):
        is_over = _killed_after(number, folder / f"state-{number}", report)
        n_kills += not is_over
        number += step
    report.figures["kills in submit, retry, change, cancel, keep, delete"] = n_kills
    number, is_over, n_adopting = 1, False, 0
    while not is_over and (not count or n_adopting < count):
        is_over = _adoption_killed_after(number, folder / f"home-{number}", report)
        n_adopting += not is_over
        number += step
    report.figures["kills while the jobs of a dead process are adopted"] = n_adopting
    return report


def _killed_after(number: int, state: Path, report: Report) -> bool:
    """True when the scenario had fewer commits."""
    ran = subprocess.run(
        [sys.executable, "-c", _SCENARIO, str(state), str(number)],
        stdout=subprocess.PIPE,
        env=environment(),
        timeout=120,
    )
    ledger = Ledger()
    for line in ran.stdout.splitlines():
        ledger.hear(json.loads(line))
    if ran.returncode not in (0, -signal.SIGKILL):
        report.losses.append(f"commit {number}: the scenario ended with {ran.returncode}")
    with service(state) as s:
        report.losses += [f"commit {number}: {x}" for x in ledger.check(describe(s))]
        report.losses += [f"commit {number}, at rest: {x}" for x in ledger.check(_at_rest(s))]
    shutil.rmtree(state)
    return ran.returncode == 0


def _adoption_killed_after(number: int, home: Path, report: Report) -> bool:
    folders = {name: str(home) for name in ("XDG_STATE_HOME", "HOME")}
    # Whatever this process was told: the default folders are meant.
    folders["HYBRID_TRANSCRIBE_STATE_DIR"] = ""
    default = home / "hybrid_transcribe"
    with service(default / "default-2") as s:
        job = s.submit([Uploaded(sound(s), "a.wav") for _ in range(3)])
        job.result(REST_S)
    ledger = Ledger(jobs={job.job_id})
    ran = subprocess.run(
        [sys.executable, "-c", _SCENARIO, "-", str(number)],
        stdout=subprocess.PIPE,
        env=environment(**folders),
        timeout=120,
    )
    again = subprocess.run(
        [sys.executable, "-c", _SCENARIO, "-", "0"],
        stdout=subprocess.DEVNULL,
        env=environment(**folders),
        timeout=120,
    )
    if ran.returncode not in (0, -signal.SIGKILL) or again.returncode:
        report.losses.append(f"adoption, commit {number}: {ran.returncode}, {again.returncode}")
    with service(default / "default") as s:
        report.losses += [f"adoption, commit {number}: {x}" for x in ledger.check(describe(s))]
    shutil.rmtree(home)
    return ran.returncode == 0


# ----------------------------------------------------------------------------- damaged journals


def damage(folder: Path, count: int, seed: int) -> Report:
    """``count`` copies of a folder, each with its journal damaged in another way, then opened."""
    chance = random.Random(seed)
    report = Report("Damaged journals")
    whole, texts = _folder_with_jobs(folder / "whole")
    kinds: dict[str, int] = {}
    outcomes: dict[str, int] = {}
    for number in range(count):
        state = folder / f"state-{number}"
        shutil.copytree(whole, state)
        kind = chance.choice(sorted(DAMAGES))
        DAMAGES[kind](state / "journal.db", chance)
        kinds[kind] = kinds.get(kind, 0) + 1
        try:
            outcome = _opened_damaged(state, texts)
        except Exception as error:
            outcome = f"LOST {type(error).__name__}: {error}"
        if outcome.startswith("LOST"):
            report.losses.append(f"{kind} {number} (seed {seed}): {outcome}")
        outcomes[outcome.partition(" ")[0]] = outcomes.get(outcome.partition(" ")[0], 0) + 1
        shutil.rmtree(state)
    report.figures.update({f"damaged by {kind}": n for kind, n in sorted(kinds.items())})
    report.figures.update({f"outcome {name}": n for name, n in sorted(outcomes.items())})
    return report


def _folder_with_jobs(state: Path) -> tuple[Path, dict[str, str]]:
    with service(state) as s:
        jobs = [s.submit([Uploaded(sound(s), f"{i}.wav")], priority=i) for i in range(8)]
        for job in jobs:
            job.result(REST_S)
        jobs[0].retry(language="pt")
        jobs[0].result(REST_S)
        for number, job in enumerate(jobs[::2]):
            for n in range(number + 1):
                with job.edit() as edit:
                    edit.replace_text(edit.transcript.segments[0], f"corrected {number}")
                with job.edit() as edit:
                    edit.insert(5.0 + n, 5.5 + n, "added")
        return state, {job.job_id: job.result().text for job in jobs}


def _opened_damaged(state: Path, texts: dict[str, str]) -> str:
    """What became of it, ``LOST…`` where something is wrong and nobody is told."""
    uploads = {path.name for path in (state / "uploads").iterdir()}
    with service(state) as s:
        codes = {code for code, _ in s.warnings}
        if "journal_quarantined" in codes:
            kept = {path.name for path in s.uploads_dir.iterdir()}
            return "quarantined" if kept == uploads else "LOST uploads of a quarantined journal"
        wrong = [job_id for job_id, text in texts.items() if not _is_whole(s, job_id, text)]
        if not wrong:
            return "whole"
        return "told" if codes | {c for c, _ in s.warnings} else f"LOST {wrong} without a word"


def _is_whole(s: Service, job_id: str, text: str) -> bool:
    """False where it is not and says so. Raises what no request may answer with."""
    try:
        job = s.snapshot(job_id)
        transcripts = [s.transcript(job_id, r.recording_id) for r in job.recordings]
    except HybridTranscribeError:
        return False
    if not all(t.complete for t in transcripts):
        return False
    revisions = [(t.revision, r.revision) for t, r in zip(transcripts, job.recordings, strict=True)]
    if any(read != current for read, current in revisions):
        # An earlier revision stands for one that cannot be read.
        return False
    joined = "\n".join(t.text for t in transcripts)
    if transcripts and joined != text:
        raise AssertionError(f"another text: {joined!r}")
    return bool(transcripts) and job.state is State.COMPLETED


def _flip_bits(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    for _ in range(chance.choice([1, 1, 3, 30])):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
    path.write_bytes(data)


def _zero_page(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    start = chance.randrange(len(data) // 4096) * 4096
    data[start : start + 4096] = bytes(4096)
    path.write_bytes(data)


def _truncate(path: Path, chance: random.Random) -> None:
    os.truncate(path, chance.randrange(path.stat().st_size))


def _swap_pages(path: Path, chance: random.Random) -> None:
    data = bytearray(path.read_bytes())
    first, second = (chance.randrange(len(data) // 4096) * 4096 for _ in range(2))
    data[first : first + 4096], data[second : second + 4096] = (
        data[second : second + 4096],
        data[first : first + 4096],
    )
    path.write_bytes(data)


def _change_row(path: Path, chance: random.Random) -> None:
    db = sqlite3.connect(path)
    table = chance.choice(["jobs", "recordings", "segments", "revisions"])
    rows = db.execute(f"SELECT body FROM {table}").fetchall()
    body = bytearray(chance.choice(rows)[0])
    whole = bytes(body)
    body[chance.randrange(len(body))] ^= 1 << chance.randrange(8)
    with db:
        db.execute(f"UPDATE {table} SET body = ? WHERE body = ?", (bytes(body), whole))
    db.close()


def _delete_row(path: Path, chance: random.Random) -> None:
    db = sqlite3.connect(path)
    table = chance.choice(["jobs", "segments", "revisions"])
    rows = db.execute(f"SELECT body FROM {table}").fetchall()
    with db:
        db.execute(f"DELETE FROM {table} WHERE body = ?", chance.choice(rows))
    db.close()


DAMAGES = {
    "flipped bits": _flip_bits,
    "a page of zeros": _zero_page,
    "a cut end": _truncate,
    "swapped pages": _swap_pages,
    "a changed row": _change_row,
    "a deleted row": _delete_row,
}


# ------------------------------------------------------------------------------------- a long run

#: More growth than this (MB an hour, after the first third) is a leak.
MOST_MB_PER_HOUR = 60.0


def soak(folder: Path, count: int, seed: int) -> Report:
    """``count`` seconds of jobs that come, are read and go; memory is watched meanwhile."""
    report = Report("A long run")
    chance = random.Random(seed)
    process = psutil.Process()
    samples: list[tuple[float, float]] = []
    n_jobs = 0
    began = time.monotonic()
    with service(folder / "state") as s:
        while (now := time.monotonic() - began) < count:
            jobs = [s.submit([Uploaded(sound(s), "a.wav")] * 1) for _ in range(8)]
            for job in jobs:
                if job.result(REST_S).text.count("a.wav") != N_SEGMENTS:
                    report.losses.append(f"job {job.job_id} has no whole text")
            n_jobs += len(jobs)
            retried = chance.choice(jobs)
            retried.retry(language="pt")
            retried.result(REST_S)
            with chance.choice(jobs).edit() as edit:
                edit.replace_all("a.wav", "talk", whole_words=False)
            for job in jobs:
                job.delete()
            samples.append((now, process.memory_info().rss / 1e6))
        n_left = len(list(s.uploads_dir.iterdir())) + len(s.snapshots())
        with contextlib.closing(sqlite3.connect(folder / "state" / "journal.db")) as db:
            n_rows = sum(
                db.execute(f"SELECT count(*) FROM {t}").fetchone()[0]
                for t in ("jobs", "recordings", "segments", "revisions")
            )
    if n_left or n_rows:
        report.losses.append(f"{n_left} files or jobs and {n_rows} rows stay after all was deleted")
    late = samples[len(samples) // 3 :]
    slope = _slope_per_s(late) * 3600
    if count >= 600 and slope > MOST_MB_PER_HOUR:
        report.losses.append(f"memory grows by {slope:.0f} MB an hour")
    report.figures.update(
        {
            "jobs": n_jobs,
            "memory at a third, MB": round(late[0][1], 1),
            "memory at the end, MB": round(late[-1][1], 1),
            "slope, MB an hour": round(slope, 1),
        }
    )
    return report


def _slope_per_s(samples: list[tuple[float, float]]) -> float:
    """Least squares."""
    mean_x = sum(x for x, _ in samples) / len(samples)
    mean_y = sum(y for _, y in samples) / len(samples)
    spread = sum((x - mean_x) ** 2 for x, _ in samples)
    return sum((x - mean_x) * (y - mean_y) for x, y in samples) / spread if spread else 0.0


CAMPAIGNS = {
    "kills": Campaign(random_kills, 1000, "SIGKILL of the parent process at random moments"),
    "commits": Campaign(every_commit, 1000, "SIGKILL after each commit of a long scenario"),
    "damage": Campaign(damage, 500, "journals damaged at random, then opened"),
    "soak": Campaign(soak, 1200, "jobs that come and go for so many seconds"),
}
