"""Kills of parents and workers while stages work on texts that people edit: nothing is lost.

A process opens the folder, tells all revisions it finds, and then edits texts while post-processors
work on them and on new jobs; its worker is killed now and then, and in the end it is killed itself,
both with SIGKILL at random moments. The next process must read every revision that was seen.
"""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from hybrid_transcribe.audio.intake import Uploaded
from hybrid_transcribe.types import State
from tests.campaigns import Campaign, Report
from tests.campaigns.edits import EditLedger, every_revision
from tests.campaigns.kills import REST_S, sound
from tests.services import environment, service

#: Jobs in the folder at most: every process reads all of their revisions.
MOST_JOBS = 6

_BUSY = """
import json, os, random, signal, sys, threading, time
from hybrid_transcribe import Service
from hybrid_transcribe.audio.intake import Uploaded
from hybrid_transcribe.errors import HybridTranscribeError
from hybrid_transcribe.testing import StageScript
from tests.campaigns.edits import change, every_revision
from tests.campaigns.kills import sound
from tests.campaigns.stages import MOST_JOBS

state, seed = sys.argv[1], int(sys.argv[2])
service = Service(state, engine="scripted")
lock = threading.Lock()

def say(*words):
    with lock:
        print(json.dumps(words), flush=True)

say("open", every_revision(service), [code for code, _ in service.warnings])

def edit(chance):
    revision = change(service, chance, str(seed))
    if revision is not None:
        say("edit", *revision)

def process(chance):
    script = StageScript(speakers=chance.randint(1, 3), delay_s=chance.uniform(0, 0.1))
    jobs = service.jobs()
    if len(jobs) < MOST_JOBS and chance.random() < 0.3:
        inputs = [Uploaded(sound(service), "talk.wav") for _ in range(2)]
        service.submit(inputs, postprocess=["scripted-stage"], hotwords=script.hotwords)
        say("submit")
    else:
        chance.choice(jobs).refine("scripted-stage", hotwords=script.hotwords)
        say("refine")

def kill_worker(chance):
    time.sleep(chance.uniform(0, 0.5))
    for worker in service.workers():
        if worker.pid is not None:
            say("worker")
            os.kill(worker.pid, signal.SIGKILL)

def repeat(act, number, pause_s):
    chance = random.Random(seed + number)
    while True:
        try:
            act(chance)
        except (HybridTranscribeError, IndexError, ProcessLookupError):
            say("refused")
        time.sleep(chance.uniform(0, pause_s))

acts = [(edit, 0.02), (edit, 0.05), (process, 0.1)]
if random.Random(seed).random() < 0.5:
    acts.append((kill_worker, 0.2))
for number, (act, pause_s) in enumerate(acts):
    threading.Thread(target=repeat, args=(act, number, pause_s), daemon=True).start()
threading.Event().wait()
"""


def stages(folder: Path, count: int, seed: int) -> Report:
    """``count`` processes on one folder, each killed at a random moment."""
    chance = random.Random(seed)
    report = Report("Kills while stages work on texts that are edited")
    ledger, state = EditLedger(), folder / "state"
    counts: Counter[str] = Counter()
    with service(state) as s:
        for _ in range(2):
            s.submit([Uploaded(sound(s), "talk.wav") for _ in range(2)]).result(REST_S)
        ledger.texts.update(every_revision(s))
    for number in range(count):
        counts += _killed(state, chance, ledger, report, f"process {number}")
    with service(state) as s:
        report.losses += [f"in the end: {x}" for x in ledger.check(every_revision(s), [])]
        for job in s.jobs():
            job.wait(REST_S)
        content = every_revision(s)
        report.losses += [f"at rest: {loss}" for loss in ledger.check(content, [])]
        report.losses += [
            f"{recording.recording_id} is {recording.state} at rest"
            for job in s.snapshots()
            for recording in job.recordings
            if recording.state is not State.COMPLETED
        ]
        infos = [
            info.kind
            for job in s.snapshots()
            for recording in job.recordings
            for info in s.revisions(job.job_id, recording.recording_id)
        ]
    report.figures.update(
        {
            "parents killed": count,
            "workers killed": counts["worker"],
            "edits acknowledged": counts["edit"],
            "stages asked for": counts["refine"] + counts["submit"],
            **{f"revisions of kind {kind}": n for kind, n in sorted(Counter(infos).items())},
        }
    )
    return report


def _killed(
    state: Path, chance: random.Random, ledger: EditLedger, report: Report, label: str
) -> Counter[str]:
    """One process; how often it did what before it was killed."""
    child = subprocess.Popen(
        [sys.executable, "-c", _BUSY, str(state), str(chance.randrange(1 << 30))],
        stdout=subprocess.PIPE,
        env=environment(),
    )
    assert child.stdout is not None
    first = child.stdout.readline()
    if not first:
        child.wait()
        report.losses.append(f"{label} did not open the folder")
        return Counter()
    _, content, warnings = json.loads(first)
    report.losses += [f"{label}: {loss}" for loss in ledger.check(content, warnings)]
    # Some at once, some amid the work of their workers.
    time.sleep(chance.choice([chance.uniform(0.0, 0.3), chance.uniform(0.3, 3.0)]))
    child.send_signal(signal.SIGKILL)
    rest, _ = child.communicate(timeout=REST_S)
    counts: Counter[str] = Counter()
    for line in rest.splitlines():
        if line.endswith(b"]"):
            words = json.loads(line)
            counts[words[0]] += 1
            if words[0] == "edit":
                ledger.texts[words[1]] = words[2]
    return counts


CAMPAIGNS = {
    "stages": Campaign(stages, 500, "SIGKILL of parents and workers amid stages and edits"),
}
