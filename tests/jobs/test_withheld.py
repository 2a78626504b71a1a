"""Text that was withheld: from the engine to everything that is written."""

from __future__ import annotations

import json
from pathlib import Path

from hybrid_transcribe.jobs import machine
from hybrid_transcribe.protocol import TextWithheld
from hybrid_transcribe.testing import Script
from hybrid_transcribe.types import Recording, WithheldSegment
from hybrid_transcribe.wire import parse
from tests.services import service, wavs

ITEM = WithheldSegment(0.0, 0.5, "as the script says", "no_voice")


def test_it_reaches_the_transcript_the_json_and_the_next_process(tmp_path: Path) -> None:
    """With its times and its reason; the text is without it."""
    model = Script(fault="withheld").model
    with service(tmp_path / "state") as s:
        job = s.submit(wavs(tmp_path, "talk"), model=model)
        (transcript,) = job.result(60)
        s.keep(job.job_id)
    assert transcript.withheld == (ITEM,)
    assert ITEM.text not in transcript.text
    document = json.loads(transcript.save(tmp_path / "talk.json").read_text(encoding="utf-8"))
    assert document["withheld"] == [
        {"start_s": 0.0, "end_s": 0.5, "text": ITEM.text, "reason": "no_voice"}
    ]
    # What a service elsewhere sends is this document.
    assert parse.transcript(json.dumps(document).encode()).withheld == (ITEM,)
    with service(tmp_path / "state") as s:
        again = s.transcript(job.job_id, transcript.recording_id)
    assert again.withheld == (ITEM,)


def test_a_recording_keeps_so_many_and_a_fresh_run_none() -> None:
    """Its row in the journal is written again with each."""
    recording = Recording("r", "j", 0, "talk", "/talk.wav")
    for _ in range(machine.MOST_WITHHELD + 10):
        recording = machine.step(recording, TextWithheld(ITEM), 1.0)
    assert len(recording.withheld) == machine.MOST_WITHHELD
