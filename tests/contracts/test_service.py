"""What everybody who holds a service may rely on, wherever its jobs run."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import pytest

from hybrid_transcribe import JobResult, Service
from hybrid_transcribe.errors import (
    EngineFailed,
    InputMissing,
    InvalidOption,
    InvalidRequest,
    InvalidTransition,
    JobCanceled,
    QueueFull,
    ServiceClosed,
    UnknownDevice,
    UnknownEngine,
    UnknownJob,
    UnknownModel,
    UnknownPostProcessor,
    UnknownRecording,
)
from hybrid_transcribe.events import Event, JobChanged, RecordingChanged, SegmentAdded
from hybrid_transcribe.testing import Script, StageScript
from hybrid_transcribe.types import Segment, State
from tests.services import service as local_service
from tests.services import until_segment, wavs


@pytest.fixture
def gate(tmp_path: Path) -> Path:
    """Scripts with this gate wait until it is touched."""
    return tmp_path / "gate"


def test_submit_answers_before_the_work(service: Service, path: Path, gate: Path) -> None:
    """A job has its id and its recordings at once, and nothing is done yet."""
    job = service.submit(path, model=Script(gate=str(gate)).model)
    assert len(job.job_id) == 32
    assert [r.name for r in job.recordings] == ["talk.wav"]
    assert not job.done
    gate.touch()
    assert job.result(30)[0].text == "talk.wav 0 talk.wav 1 talk.wav 2"


def test_result_of_several(service: Service, tmp_path: Path) -> None:
    """Transcripts come in the order of the inputs; the merged text names each."""
    result = service.submit(wavs(tmp_path, "b", "a"), language="pt").result(30)
    assert isinstance(result, JobResult)
    assert [(t.name, t.language, t.engine) for t in result] == [
        ("b.wav", "pt", "scripted"),
        ("a.wav", "pt", "scripted"),
    ]
    assert result.text.index("b.wav 0") < result.text.index("a.wav 0")


def test_detected_language_is_kept(service: Service, path: Path) -> None:
    """Where none was given, the transcript says what was found and how surely."""
    (transcript,) = service.submit(path).result(30)
    assert (transcript.language, transcript.language_probability) == ("en", 0.9)


def test_await(service: Service, path: Path) -> None:
    """`await job` gives the result without blocking its loop."""

    async def run() -> tuple[JobResult, int]:
        ticks = 0
        job = service.submit(path, model=Script(delay_s=0.05).model)
        waiting = asyncio.ensure_future(_awaited(job))
        while not waiting.done():
            await asyncio.sleep(0.01)
            ticks += 1
        return await waiting, ticks

    async def _awaited(job: object) -> JobResult:
        return await job  # type: ignore[misc,no-any-return]

    result, ticks = asyncio.run(run())
    assert len(result[0].segments) == 3
    assert ticks >= 3


def test_giving_up_an_await_leaves_the_job(service: Service, path: Path, gate: Path) -> None:
    """Canceling the coroutine that waits is not canceling the job."""

    async def run() -> None:
        job = service.submit(path, model=Script(gate=str(gate)).model)
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(job, 0.2)
        gate.touch()
        assert len((await job)[0].segments) == 3

    asyncio.run(run())


def test_segments_stream(service: Service, path: Path) -> None:
    """`async for` and `for` give each segment once and in order, live or after the end."""

    async def collect(job: object) -> list[Segment]:
        return [segment async for segment in job]  # type: ignore[attr-defined]

    job = service.submit(path, model=Script(delay_s=0.05).model)
    live = asyncio.run(collect(job))
    assert [s.text for s in live] == ["talk.wav 0", "talk.wav 1", "talk.wav 2"]
    assert asyncio.run(collect(job)) == live == list(job)


def test_many_tasks_may_wait_for_one_job(service: Service, path: Path) -> None:
    """Several coroutines and threads get the same result."""
    job = service.submit(path, model=Script(delay_s=0.05).model)
    items: list[str] = []
    threads = [threading.Thread(target=lambda: items.append(job.result(30).text)) for _ in range(3)]
    for thread in threads:
        thread.start()

    async def both() -> list[JobResult]:
        return list(await asyncio.gather(job, job))

    texts = {r.text for r in asyncio.run(both())}
    for thread in threads:
        thread.join()
    assert {*items} == texts == {"talk.wav 0 talk.wav 1 talk.wav 2"}


def test_events_tell_the_whole_story(service: Service, path: Path) -> None:
    """From acceptance to the end: numbered, in order, percentage rising, the last one final."""
    items: list[Event] = []
    with service.subscribe() as events:
        job = service.submit(path)
        for event in events:
            if event.job_id == job.job_id:
                items.append(event)
            if isinstance(event, JobChanged) and event.job and event.job.done:
                break
    assert isinstance(items[0], JobChanged)
    assert [e.seq for e in items] == sorted(e.seq for e in items)
    assert [e.index for e in items if isinstance(e, SegmentAdded)] == [0, 1, 2]
    shares = [
        e.recording.percentage for e in items if isinstance(e, RecordingChanged) and e.recording
    ]
    assert shares == sorted(shares, key=lambda share: share or 0)
    assert shares[-1] == 100.0


def test_timeout(service: Service, path: Path, gate: Path) -> None:
    """Waiting with a timeout gives up in time; the job goes on."""
    job = service.submit(path, model=Script(gate=str(gate)).model)
    assert not job.wait(0.05)
    with pytest.raises(TimeoutError):
        job.result(0.05)
    gate.touch()
    assert job.wait(30)


def test_cancel_retry(service: Service, path: Path) -> None:
    """A canceled job has its partial text and raises; retried, it goes on to the end."""
    job = service.submit(path, model=Script(delay_s=0.3).model)
    until_segment(service)
    while not job.partial()[0].segments:
        continue
    job.cancel()
    with pytest.raises(JobCanceled):
        job.result(30)
    assert job.state is State.CANCELED
    job.retry()
    (transcript,) = job.result(30)
    assert [s.text for s in transcript.segments] == ["talk.wav 0", "talk.wav 1", "talk.wav 2"]


def test_retry_with_another_model(service: Service, path: Path) -> None:
    """A failure is raised with its reason, and can be cured by other means."""
    job = service.submit(path, model=Script(fault="raise", at_s=1).model)
    with pytest.raises(EngineFailed, match=r"talk\.wav: as the script says"):
        job.result(30)
    job.retry(model="steady")
    assert len(job.result(30)[0].segments) == 3


def test_a_stage_after_the_engine(service: Service, path: Path) -> None:
    """Named at the submission it is part of the job, and its work is in the result."""
    job = service.submit(path, postprocess=["scripted-stage"])
    (transcript,) = job.result(30)
    assert [s.speaker for s in transcript.segments] == ["S1", "S2", "S1"]
    assert [s.id for s in transcript.speakers] == ["S1", "S2"]
    (recording,) = job.recordings
    assert (recording.warnings, recording.pending_stages, recording.transcribed) == ((), (), True)


def test_a_stage_later(service: Service, path: Path, gate: Path) -> None:
    """On a finished job, with options of its own; meanwhile the text is the result."""
    job = service.submit(path)
    (before,) = job.result(30)
    assert before.speakers == ()
    script = StageScript(gate=str(gate), speakers=3)
    job.refine("scripted-stage", hotwords=script.hotwords)
    (recording,) = job.recordings
    assert not job.done
    assert [stage.name for stage in recording.pending_stages] == ["scripted-stage"]
    assert (recording.has_result, recording.transcribed) == (True, True)
    assert service.transcript(job.job_id, recording.recording_id).text == before.text
    gate.touch()
    (after,) = job.result(30)
    assert [s.speaker for s in after.segments] == ["S1", "S2", "S3"]
    assert after.text == before.text


def test_a_stage_that_fails_leaves_the_text(service: Service, path: Path) -> None:
    """The job is completed, and says what is missing."""
    script = StageScript(fault="raise")
    job = service.submit(path, postprocess="scripted-stage", hotwords=script.hotwords)
    (transcript,) = job.result(30)
    assert (job.state, transcript.complete, len(transcript.segments)) == (State.COMPLETED, True, 3)
    assert "scripted-stage failed (as the script says)" in transcript.warnings[0]


def test_what_cannot_be_refined(service: Service, path: Path, gate: Path) -> None:
    """Texts that are not complete, and stages that nobody knows, with the choices."""
    job = service.submit(path, model=Script(gate=str(gate)).model)
    (recording,) = job.recordings
    with pytest.raises(InvalidTransition):
        job.refine("scripted-stage")
    with pytest.raises(InvalidTransition, match=r"talk\.wav"):
        job.refine("scripted-stage", recording.recording_id)
    gate.touch()
    job.result(30)
    with pytest.raises(UnknownPostProcessor, match=r"'nope'; choose from: .*scripted-stage"):
        job.refine("nope")
    with pytest.raises(UnknownPostProcessor, match="choose from"):
        service.submit(path, postprocess=["nope"])
    with pytest.raises(InvalidRequest, match="'wings'"):
        job.refine("scripted-stage", wings=2)
    with pytest.raises(UnknownRecording):
        job.refine("scripted-stage", "nope")
    with pytest.raises(UnknownJob):
        service.refine(job.job_id, stage="scripted-stage", session_ids=["somebody"])


def test_post_processors_are_listed(service: Service) -> None:
    """By name, with what they honour."""
    info = {item.name: item for item in service.postprocessors()}["scripted-stage"]
    assert (info.available, "hotwords" in info.options, info.needs_words) == (True, True, False)


def test_one_bad_input_sinks_nothing(service: Service, tmp_path: Path) -> None:
    """What cannot be used is named with its reason; the rest is transcribed."""
    (good,) = wavs(tmp_path, "good")
    text = tmp_path / "notes.wav"
    text.write_text("only words")
    job = service.submit([good, text, tmp_path / "missing.wav"])
    assert [r.error.code for r in job.rejected] == ["unsupported_media", "input_missing"]
    result = job.result(30)
    assert [t.name for t in result] == ["good.wav"]
    assert [e.name for e in result.errors] == ["notes.wav", "missing.wav"]


def test_nothing_usable_is_an_error_at_once(service: Service, tmp_path: Path) -> None:
    """A single missing file raises where it is asked for, naming it."""
    with pytest.raises(InputMissing, match=r"nope\.wav"):
        service.submit(tmp_path / "nope.wav")


@pytest.mark.parametrize(
    ("how", "error", "message"),
    [
        ({"engine": "whisperx"}, UnknownEngine, "'whisperx'.*faster-whisper"),
        ({"device": "tpu"}, UnknownDevice, "'tpu'.*auto, gpu, cpu"),
        ({"beam": 5}, InvalidOption, "'beam'.*beam_size"),
        ({"beam_size": "five"}, InvalidOption, "beam_size='five'"),
        ({"beam_size": 0}, InvalidOption, "beam_size=0"),
        ({"engine": "faster-whisper", "model": "huge"}, UnknownModel, "'huge'.*base"),
        ({"task": "summarise"}, InvalidOption, "'summarise'.*transcribe, translate"),
        ({"language": "Portuguese!"}, InvalidOption, "'Portuguese!'"),
        ({"engine": "faster-whisper", "language": "xx"}, InvalidOption, "'xx'.*pt"),
    ],
)
def test_bad_requests_name_value_and_choices(
    service: Service, path: Path, how: dict[str, object], error: type[Exception], message: str
) -> None:
    """A typo is answered at once with what was received and what there is."""
    with pytest.raises(error, match=f"(?s){message}"):
        service.submit(path, **how)  # type: ignore[arg-type]


@pytest.mark.parametrize("word", ["AUTOMATICO", "automático", "CPU", "auto", "GPU"])
def test_devices_in_the_words_people_use(service: Service, path: Path, word: str) -> None:
    """The Portuguese names of devices work too."""
    assert service.submit(path, device=word).snapshot().spec.device in ("auto", "cpu", "gpu")


def test_sessions_are_apart(service: Service, path: Path) -> None:
    """A job is seen with its session's id and not with another's."""
    mine, theirs = service.new_session(), service.new_session()
    job = service.submit(path, session_id=mine)
    assert [s.job_id for s in service.snapshots(session_ids=[mine])] == [job.job_id]
    assert service.snapshots(session_ids=[theirs]) == ()
    with pytest.raises(UnknownJob):
        service.cancel(job.job_id, session_ids=[theirs])
    service.delete_session(mine)
    with pytest.raises(UnknownJob):
        job.snapshot()


def test_a_zip_is_its_recordings(service: Service, tmp_path: Path) -> None:
    """Row 26: of a zip of twenty files, one broken, nineteen transcripts and one clear error."""
    names = [f"note {i:02d}" for i in range(20)]
    with zipfile.ZipFile(tmp_path / "notes.zip", "w") as archive:
        for name, wav in zip(names, wavs(tmp_path / "in", *names, seconds=1), strict=True):
            data = b"RIFF broken" if name == "note 07" else wav.read_bytes()
            archive.writestr(f"folder/{name}.wav", data)
    before = set(service.uploads_dir.iterdir())
    job = service.submit(tmp_path / "notes.zip")
    result = job.result(60)
    assert len(result) == 19
    assert [e.name for e in result.errors] == ["note 07.wav"]
    result.save_zip(tmp_path / "out.zip", "srt")
    with zipfile.ZipFile(tmp_path / "out.zip") as out:
        assert len(out.namelist()) == 20
        assert "note 07.wav" in out.read("_errors.txt").decode()
        assert b"00:00:00,000 --> 00:00:01,000" in out.read("note 00.srt")
    stored = set(service.uploads_dir.iterdir()) - before
    assert len(stored) >= 19
    job.delete()
    assert not any(p.exists() for p in stored)


def test_peoples_own_files_are_never_deleted(service: Service, path: Path) -> None:
    """Deleting a job leaves the recording where it lies."""
    job = service.submit(path)
    job.result(30)
    job.delete()
    assert path.exists()


def test_saving(service: Service, tmp_path: Path) -> None:
    """A result writes one file for each recording, in any format."""
    result = service.submit(wavs(tmp_path, "a", "b")).result(30)
    saved = result.save(tmp_path / "out", "vtt")
    assert [p.name for p in saved] == ["a.vtt", "b.vtt"]
    assert saved[0].read_text(encoding="utf-8").startswith("WEBVTT")
    result[0].save(tmp_path / "one.json")
    assert '"a.wav 0' in (tmp_path / "one.json").read_text(encoding="utf-8")


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no such names")
def test_f36_names_that_are_not_text(service: Service, tmp_path: Path) -> None:
    """A file name in bytes that are no characters is transcribed like any other."""
    odd = Path(os.fsdecode(os.fsencode(tmp_path) + b"/ol\xe1.wav"))
    wavs(tmp_path, "plain")[0].rename(odd)
    job = service.submit(odd)
    (transcript,) = job.result(30)
    assert transcript.name.startswith("ol")
    transcript.name.encode()
    job.delete()
    assert odd.exists()


def test_requests_that_are_not_text(service: Service, path: Path) -> None:
    """Half characters in a model's name or a session are refused at the door."""
    for options in ({"model": "a\udcff"}, {"session_id": "\udcff"}, {"initial_prompt": "\udcff"}):
        with pytest.raises(InvalidOption, match="Unicode"):
            service.submit(path, **options)  # type: ignore[arg-type]


def test_repr_is_plain_and_says_how_far(service: Service, path: Path) -> None:
    """What a cell shows without widgets: id, state, percentage."""
    job = service.submit(path)
    job.result(30)
    assert "completed 100 %" in repr(job)


def test_the_same_job_is_the_same_handle(service: Service, path: Path) -> None:
    """Asked for again by its id, a job is the one we had."""
    job = service.submit(path)
    assert service.job(job.job_id) is job
    assert job in service.jobs()
    job.result(30)


def test_closed_is_closed(path: Path) -> None:
    """After closing, waiting and asking are typed errors, and closing again is nothing."""
    instance = local_service()
    job = instance.submit(path, model=Script(delay_s=5).model)
    threading.Timer(0.3, instance.close).start()
    with pytest.raises(ServiceClosed):
        job.result(30)
    with pytest.raises(ServiceClosed):
        instance.submit(path)
    instance.close()


def test_work_goes_on_in_the_next_service(tmp_path: Path) -> None:
    """Closed in mid-job and opened again on the same folder, the same job ends well."""
    (path,) = wavs(tmp_path, "talk", seconds=10)
    with local_service(tmp_path / "state") as first:
        job = first.submit(path, model=Script(delay_s=0.1).model)
        until_segment(first, 2)
        session = first.session_id
    with local_service(tmp_path / "state") as second:
        assert second.session_id == session
        (transcript,) = second.job(job.job_id).result(30)
        assert [s.text for s in transcript.segments] == [f"talk.wav {i}" for i in range(10)]


def test_from_inside_a_listener(service: Service, path: Path) -> None:
    """A callback may ask the service without hanging it."""
    seen: list[float | None] = []

    def listen(event: Event) -> None:
        if isinstance(event, SegmentAdded):
            seen.append(service.snapshot(event.job_id).percentage)

    with service.subscribe(listen):
        service.submit(path).result(30)
    assert len(seen) == 3


def test_waiting_inside_a_listener_is_refused(service: Service, path: Path, gate: Path) -> None:
    """A callback that would wait for ever gets an error; for what is over it has the result."""
    seen: list[object] = []
    refused = threading.Event()

    def listen(event: Event) -> None:
        if isinstance(event, RecordingChanged) and event.recording:
            job = service.job(event.job_id)
            try:
                seen.append(job.result().text)
            except InvalidRequest:
                refused.set()

    with service.subscribe(listen):
        job = service.submit(path, model=Script(gate=str(gate)).model)
        assert refused.wait(30)
        gate.touch()
        job.result(30)
    assert "talk.wav 0 talk.wav 1 talk.wav 2" in seen


def test_a_refused_submit_leaves_nothing(tmp_path: Path) -> None:
    """What a zip held is removed when the queue is full."""
    with zipfile.ZipFile(tmp_path / "in.zip", "w") as archive:
        for name in ("a.wav", "b.wav"):
            archive.writestr(name, wavs(tmp_path, "x", seconds=1)[0].read_bytes())
    with local_service(max_queued=1) as instance:
        with pytest.raises(QueueFull):
            instance.submit(tmp_path / "in.zip")
        uploads = instance.call(lambda room: room.state.uploads).result()
        assert list(uploads.iterdir()) == []


def test_iterating_ends_with_an_error_when_the_service_closes(path: Path) -> None:
    """A loop over segments does not pass off a part for the whole."""
    instance = local_service()
    job = instance.submit(path, model=Script(delay_s=0.5).model)
    segments = iter(job)
    seen = [next(segments)]
    instance.close()
    with pytest.raises(ServiceClosed):
        seen.extend(segments)
    assert len(seen) < 3


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_forked_child_is_told(tmp_path: Path) -> None:
    """A service of the parent answers in a forked child with an error instead of never."""
    code = (
        "import os, sys, warnings; warnings.simplefilter('ignore')\n"
        "from hybrid_transcribe import Service\n"
        "service = Service(journal=None)\n"
        "if os.fork() == 0:\n"
        "    try:\n"
        "        service.snapshots()\n"
        "    except Exception as error:\n"
        "        os._exit(7 if error.code == 'service_closed' else 1)\n"
        "print(os.waitstatus_to_exitcode(os.wait()[1]))\n"
        "service.close()\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert ran.stdout.strip() == "7", ran.stderr
