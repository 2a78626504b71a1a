"""Kills of a process in the middle of edits: every revision that was acknowledged stays as it was.

Children are real processes, killed with SIGKILL at a random moment, or before or after a random
commit. What a revision said when it was acknowledged, the next process must read, word for word.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hybrid_transcribe import Service
from hybrid_transcribe.audio.intake import Uploaded
from hybrid_transcribe.types import Transcript
from tests.campaigns import Campaign, Report
from tests.campaigns.kills import REST_S, sound
from tests.services import environment, service

#: A process that opens the folder, tells all revisions it finds there, and edits on two threads,
#: with now and then a new transcription, until it is killed. It tells each revision once it has it.
_EDITING = """
import json, os, random, signal, sys, threading, time
from contextlib import contextmanager
import hybrid_transcribe.jobs.journal_sqlite as journal
from hybrid_transcribe import Service
from hybrid_transcribe.errors import HybridTranscribeError
from tests.campaigns.edits import change, every_revision, said

state, seed, left, when = sys.argv[1], int(sys.argv[2]), [int(sys.argv[3])], sys.argv[4]
begin = journal.SqliteJournal._commit

@contextmanager
def killing(self):
    left[0] -= 1
    with begin(self) as db:
        yield db
        if not left[0] and when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
    if not left[0]:
        os.kill(os.getpid(), signal.SIGKILL)

service = Service(state, engine="scripted")
lock = threading.Lock()

def say(*words):
    with lock:
        print(json.dumps(words), flush=True)

say("open", every_revision(service), [code for code, _ in service.warnings])
journal.SqliteJournal._commit = killing

def edit(number):
    chance = random.Random(seed + number)
    while True:
        try:
            revision = change(service, chance, f"{seed}.{number}")
        except HybridTranscribeError as error:
            say("refused", error.code)
            continue
        if revision is not None:
            say("done", *revision)
        time.sleep(chance.choice([0, 0, chance.uniform(0, 0.02)]))

threads = [threading.Thread(target=edit, args=(n,), daemon=True) for n in range(2)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def said(transcript: Transcript) -> list[list[Any]]:
    """What a text says: of each segment its id, times, speaker, words and text."""
    return [
        [s.id, s.start_s, s.end_s, s.speaker, s.text, [w.text for w in s.words]]
        for s in transcript.segments
    ]


def every_revision(of: Service) -> dict[str, list[Any]]:
    """What each revision of each recording says, by recording and number."""
    result = {}
    for job in of.snapshots():
        for recording in job.recordings:
            for info in of.revisions(job.job_id, recording.recording_id):
                transcript = of.transcript(
                    job.job_id, recording.recording_id, revision=info.revision
                )
                key = f"{recording.recording_id} {info.revision}"
                result[key] = [transcript.revision, transcript.complete, said(transcript)]
    return result


def change(of: Service, chance: random.Random, mark: str) -> tuple[str, list[Any]] | None:
    """One change of a random recording: the revision's key, and what it says."""
    job = chance.choice(of.jobs())
    recording = chance.choice(job.recordings)
    at = recording.recording_id
    if chance.random() < 0.03 and recording.state.terminal:
        job.retry(at, language=chance.choice(["pt", "de", "es", "en"]))
        return None
    if chance.random() < 0.05:
        info = job.restore(chance.randrange(recording.revision + 1), at)
    else:
        with job.edit(at, author=mark) as edit:
            for _ in range(chance.choice([1, 1, 1, 2, 5])):
                _ask(edit, chance, mark)
        if edit.info is None:
            return None
        info = edit.info
    transcript = of.transcript(job.job_id, at, revision=info.revision)
    return f"{at} {info.revision}", [info.revision, True, said(transcript)]


def _ask(edit: Any, chance: random.Random, mark: str) -> None:
    """One operation, of which some cannot be done."""
    segments = edit.transcript.segments
    segment = chance.choice(segments)
    kind = chance.choice(["text"] * 4 + ["split", "merge", "delete", "insert", "speaker", "all"])
    text = f"{mark} says {chance.randrange(1000)}"
    if kind == "text" or len(segments) < 2:
        edit.replace_text(segment, text)
    elif kind == "split":
        edit.split(segment, chance.randrange(1, len(segment.text)))
    elif kind == "merge":
        place = chance.randrange(len(segments) - 1)
        edit.merge(*segments[place : place + 2])
    elif kind == "delete":
        edit.delete(segment)
    elif kind == "insert":
        end_s = segments[-1].end_s
        edit.insert(end_s + 0.1, end_s + 0.5, text)
    elif kind == "speaker":
        edit.set_speaker(segment, chance.choice(["S1", "S2", None]))
    else:
        edit.replace_all(str(chance.randrange(10)), mark, whole_words=False)


@dataclass(slots=True)
class EditLedger:
    """What was acknowledged so far: the text of each revision by its key."""

    texts: dict[str, list[Any]] = field(default_factory=dict)

    def check(self, content: dict[str, list[Any]], warnings: list[str]) -> Iterator[str]:
        """What a process that opens the folder finds otherwise."""
        if warnings:
            yield f"warnings {warnings}"
        for key, text in self.texts.items():
            if content.get(key) != text:
                yield f"{key}: {content.get(key)} instead of {text}"
        latest: dict[str, int] = {}
        for key, (revision, is_complete, _) in content.items():
            recording_id, number = key.split()
            if int(number) != revision or not is_complete:
                yield f"{key}: revision {revision} was read, complete {is_complete}"
            if int(number) != latest.get(recording_id, -1) + 1:
                yield f"{key} comes after {latest.get(recording_id)}"
            latest[recording_id] = int(number)
        # Whatever it says now, it must say for ever.
        self.texts.update(content)


def edits(folder: Path, count: int, seed: int) -> Report:
    """``count`` processes that edit the same texts, each killed at a random moment or commit."""
    chance = random.Random(seed)
    report = Report("Kills in the middle of edits")
    ledger, state = EditLedger(), folder / "state"
    with service(state) as s:
        for _ in range(2):
            s.submit([Uploaded(sound(s), "talk.wav") for _ in range(2)]).result(REST_S)
        ledger.texts.update(every_revision(s))
    n_done, kinds = 0, {"moment": 0, "before": 0, "after": 0}
    for number in range(count):
        when = chance.choice(list(kinds))
        kinds[when] += 1
        n_done += _killed(state, chance, when, ledger, report, f"process {number}")
    with service(state) as s:
        content = every_revision(s)
        report.losses += [f"in the end: {loss}" for loss in ledger.check(content, [])]
    report.figures.update(
        {
            "killed at a random moment": kinds["moment"],
            "killed before a commit": kinds["before"],
            "killed after a commit": kinds["after"],
            "edits acknowledged": n_done,
            "revisions in the end": len(content),
        }
    )
    return report


def _killed(
    state: Path, chance: random.Random, when: str, ledger: EditLedger, report: Report, label: str
) -> int:
    """One process; how many revisions it acknowledged before it was killed."""
    n_commits = 10**9 if when == "moment" else chance.randint(1, 60)
    arguments = [str(state), str(chance.randrange(1 << 30)), str(n_commits), when]
    child = subprocess.Popen(
        [sys.executable, "-c", _EDITING, *arguments], stdout=subprocess.PIPE, env=environment()
    )
    assert child.stdout is not None
    first = child.stdout.readline()
    if not first:
        child.wait()
        report.losses.append(f"{label} did not open the folder")
        return 0
    _, content, warnings = json.loads(first)
    report.losses += [f"{label}: {loss}" for loss in ledger.check(content, warnings)]
    if when == "moment":
        time.sleep(chance.uniform(0.0, 0.6))
        child.send_signal(signal.SIGKILL)
    rest, _ = child.communicate(timeout=REST_S)
    n_done = 0
    for line in rest.splitlines():
        if line.endswith(b"]") and (words := json.loads(line))[0] == "done":
            _, key, text = words
            ledger.texts[key] = text
            n_done += 1
    return n_done


CAMPAIGNS = {
    "edits": Campaign(edits, 300, "SIGKILL of a process in the middle of edits"),
}
