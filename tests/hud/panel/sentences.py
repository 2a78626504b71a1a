"""What the engine room really says, made by the code that says it, and how it is read back."""

from __future__ import annotations

import ast
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import hybrid_transcribe
from hybrid_transcribe import devices
from hybrid_transcribe.audio.decode import decode
from hybrid_transcribe.audio.intake import Uploaded, intake
from hybrid_transcribe.audio.probe import probe
from hybrid_transcribe.audio.report import DecodeReport
from hybrid_transcribe.audio.sniff import sniff
from hybrid_transcribe.config import Settings
from hybrid_transcribe.devices import hint, ladder
from hybrid_transcribe.devices.choice import choose
from hybrid_transcribe.engines import torch_device
from hybrid_transcribe.engines.assemblyai import account
from hybrid_transcribe.engines.assemblyai.job import CloudJob
from hybrid_transcribe.engines.common import hallucinations
from hybrid_transcribe.engines.common.confidence import Confidence, MissedSpeech
from hybrid_transcribe.engines.common.postprocess import postprocess
from hybrid_transcribe.engines.common.prompt import length_notices
from hybrid_transcribe.engines.common.request import Draft, set_language, set_task
from hybrid_transcribe.engines.faster_whisper import device
from hybrid_transcribe.engines.faster_whisper.request import batched_request, request_for
from hybrid_transcribe.engines.faster_whisper.short_context.batches import Batches
from hybrid_transcribe.engines.listing import broken
from hybrid_transcribe.errors import (
    HybridTranscribeError,
    UnknownDevice,
    UnknownFormat,
    UnknownModel,
)
from hybrid_transcribe.hud import assets
from hybrid_transcribe.hud.uploads import PanelUploads
from hybrid_transcribe.interfaces import EngineWarning, WorkerExit
from hybrid_transcribe.jobs.crash_policy import crash_error
from hybrid_transcribe.jobs.eta import Speeds
from hybrid_transcribe.jobs.languages import make_language
from hybrid_transcribe.jobs.manager import JobManager
from hybrid_transcribe.jobs.model_advice import weak_model_notice
from hybrid_transcribe.models import checksums, hints
from hybrid_transcribe.models.catalogue import LAYOUTS
from hybrid_transcribe.models.resolve import _checked
from hybrid_transcribe.testing import tone, write_wav
from hybrid_transcribe.types import RATE_HZ, Clip, Options, Segment, Spec
from tests.frontend import PANEL

PACKAGE = Path(hybrid_transcribe.__file__).parent

#: A name that would do harm where it is read as markup.
HOSTILE = "<img src=x onerror=globalThis.hurt=1>.wav"

_FIGURE = r"-?\d{1,15}(?:\.\d{1,15})?"
_PARTS = {"what", "why", "hints"}


@cache
def figures() -> set[str]:
    """Blanks that hold a figure, by told.js's own list."""
    text = (PANEL / "told.js").read_text(encoding="utf-8")
    match = re.search(r"FIGURES = new Set\(\[(.*)\]\)", text)
    assert match
    return set(re.findall(r'"(\w+)"', match[1]))


def pattern(english: str) -> re.Pattern[str]:
    """The English of the catalogue as told.js looks for it."""

    def blank(name: str) -> str:
        some = _FIGURE if name in figures() else ".*?" if name in _PARTS else ".+?"
        return f"(?P<{name}>{some})"

    pieces = re.split(r"\{(\w+)\}", english)
    items = (blank(piece) if i % 2 else re.escape(piece) for i, piece in enumerate(pieces))
    return re.compile("".join(items), re.DOTALL)


@cache
def patterns() -> dict[str, re.Pattern[str]]:
    """All, in their order."""
    return {key: pattern(entry["en"]) for key, entry in assets.sentences().items()}


def read(sentence: str) -> tuple[str, dict[str, str]] | None:
    """Key and values of a sentence; None where nobody knows it."""
    for key, looked_for in patterns().items():
        match = looked_for.fullmatch(sentence)
        if match and ("told" not in match.groupdict() or read(match["told"])):
            return key, match.groupdict()
    return None


# ------------------------------------------------------------------------ what is really said


def refused(call: Callable[[], Any]) -> str:
    """The message of the error of ours that a call raises."""
    with pytest.raises(HybridTranscribeError) as caught:
        call()
    return str(caught.value)


def notices(folder: Path) -> Iterator[tuple[str, str]]:
    """What is told of recordings that were transcribed."""
    doubtful = Segment(12.34, 14.0, "Hm.", avg_logprob=-1.5)
    sure = Segment(15.0, 16.0, "Yes.", avg_logprob=-0.1)
    yield "nothing kept", _said(Confidence())
    yield "one unsure", _said(Confidence(), doubtful)
    yield "some unsure", _said(Confidence(), doubtful, sure, sure)
    missed = MissedSpeech()
    missed.look_at(10.0, 25.0)
    missed.add(doubtful)
    missed.add(replace(sure, end_s=27.5))
    yield "missed speech", missed.notice() or ""
    nobody = hallucinations.HallucinationFilter(np.zeros(90 * RATE_HZ, np.float32))
    for name in ("one withheld", "some withheld"):
        nobody.check(Segment(2.0, 3.5, " Thank you.", no_speech_prob=0.9))
        yield name, nobody.notice() or ""
    quiet = Clip(np.zeros(RATE_HZ, np.float32))
    event = postprocess(quiet, Options(), lambda: False, None, lambda error: error)
    yield "no sound", next(item.text for item in event if isinstance(item, EngineWarning))
    draft = Draft({"task": "translate", "language": "pt"})
    set_task(draft, "translate", ["en"], "base.en")
    set_language(draft, "pt", ["en"], "base.en")
    yield from zip(("English, task", "English, language"), draft.notices, strict=True)
    options = Options(batch_size=8, temperature=(0.0, 0.2), clip_timestamps=(0.0,), vad_filter=True)
    lines = request_for(options, quiet, ["en", "pt"], "base").notices
    yield from zip(("in batches", "stretches"), lines, strict=True)
    long = Options(initial_prompt="a b " * 200, hotwords="c d " * 200)
    cut = length_notices(long, 448, lambda text: len(text.split()))
    yield from zip(("hotwords cut", "prompt cut"), cut, strict=True)
    together = batched_request(Options(batch_size=8), quiet, ["en"], "base")
    yield "decoded together", together.notices[0]
    full = Batches(None, 8, lambda error: True)
    full._at_most(4, 8)
    yield "pieces", full._news[0]
    for n, setup in enumerate(
        (ladder.Setup("gpu", None, 8), ladder.Setup("gpu", "float16"), ladder.Setup("gpu", "int8"))
    ):
        smaller = ladder.smaller(setup, ("int8",))
        assert smaller
        yield f"smaller {n}", smaller[1]
    broke = ladder.after_failure(ladder.Setup("gpu"))
    assert broke
    yield "GPU broke", broke[1]
    why = "The GPU cannot be used: NVIDIA's driver library (libcuda) cannot be loaded"
    gpu = devices.Gpu(False, True, why, hint.hint_for("torch", why))
    weak = Spec("faster-whisper", "base")
    for name, duration_s in (("weak model", None), ("weak model, minutes", 3600.0)):
        yield name, weak_model_notice(weak, "pt", duration_s, Speeds()) or ""
    yield "on the CPU", choose("auto", "torch", Settings(), lambda *_: gpu)[1][0]


def reports(folder: Path) -> Iterator[tuple[str, str]]:
    """What decoding notices."""
    calls: dict[str, Callable[[DecodeReport], object]] = {
        "track": lambda r: r.track(2, 3, " (por, default)", ()),
        "track, plain": lambda r: r.track(1, 2, "", ()),
        "track, silent": lambda r: r.track(2, 2, "", (1,)),
        "tracks, silent": lambda r: r.track(3, 3, " (por)", (1, 2)),
        "inverted": lambda r: r.inverted(),
        "made quieter": lambda r: r.quieter(20.0),
        "made louder": lambda r: r.louder(84.3),
        "clock jump": lambda r: r.jump(12.3),
        "short header": lambda r: r.short_header(),
        "cut short": lambda r: r.cut(5.5, 11.0),
        "broken off": lambda r: r.broken_off(5.5, usually_whole=True),
        "damaged": lambda r: r.damage(1.5, 3.0, 1, 11.0),
        "damaged places": lambda r: r.damage(1.5, 3.0, 4, 11.0),
    }
    for name, call in calls.items():
        report = DecodeReport()
        call(report)
        (line,) = report.lines
        yield name, line


def _said(confidence: Confidence, *segments: Segment) -> str:
    for segment in segments:
        confidence.add(segment)
    return confidence.notice() or ""


def refusals(folder: Path) -> Iterator[tuple[str, str]]:
    """What is told of files that are none, and of zips."""
    wav = write_wav(folder / "talk.wav", tone(3.0))
    samples = {
        "JPEG": b"\xff\xd8\xff\xe0" + bytes(100),
        "unknown": bytes(range(1, 256)) * 20,
        "playlist": b"#EXTM3U\nhttp://x/y.mp3\n",
        "empty": b"",
        "tag": b"ID3\x04\x00\x00\x00\x00\x00\x0a" + bytes(10),
    }
    path = folder / "it.wav"
    for name, data in samples.items():
        path.write_bytes(data)
        yield name, refused(lambda: sniff(path, HOSTILE))
    path.write_bytes(b"RIFF\xff\x00\x00\x00WAVE" + bytes(200))
    yield "broken wave", refused(lambda: probe(path, Settings(), HOSTILE))
    yield "no file", refused(lambda: sniff(folder / "none.wav"))
    yield "folder", refused(lambda: sniff(folder))
    long = Settings(max_duration_s=1.0)
    yield "too long", refused(lambda: list(decode(wav, name="talk.wav", settings=long)))
    yield "too large", refused(lambda: probe(wav, Settings(max_file_bytes=10)))
    yield from _zips(folder)
    to = PanelUploads(folder / "partial", Settings(max_file_bytes=3 << 20), free_bytes=lambda _: 0)
    yield "upload too large", refused(lambda: to.begin("u", "s", "a.wav", 4 << 20, 1.0))
    yield "no room", refused(lambda: to.begin("u", "s", "a.wav", 2 << 20, 1.0))


def _zips(folder: Path) -> Iterator[tuple[str, str]]:
    talk = (folder / "talk.wav").read_bytes()
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as instance:
        instance.writestr("talk.wav", talk)
        instance.writestr("broken.wav", b"RIFF and no more")
        instance.writestr("inner.zip", b"PK\x03\x04")
    data = whole.getvalue()
    yield from zip(("zip entry", "zip in zip"), _rejected(folder, data), strict=True)
    yield "cut zip", _rejected(folder, data[: len(data) // 2])[0]
    damaged = bytearray(data)
    damaged[60:90] = bytes(30)
    yield "damaged entry", _rejected(folder, bytes(damaged))[0]
    yield "bomb", _rejected(folder, data, archive_max_bytes=10)[0]
    yield "many entries", _rejected(folder, data, archive_max_entries=2)[0]
    for count, name in enumerate(("zip without any", "zip of one paper")):
        yield name, _rejected(folder, _papers(count))[0]
    yield "zip of papers", _rejected(folder, _papers(7))[0]
    papers = folder / "papers"
    papers.mkdir()
    yield "bare folder", intake([papers], folder, Settings()).rejected[0].error.message
    for n in range(7):
        (papers / f"{n}.txt").write_text("x")
        if n in (0, 6):
            refused_all = intake([papers], folder, Settings())
            yield f"folder of {n + 1}", refused_all.rejected[0].error.message
    none = intake(["none.wav", "no*.wav"], folder, Settings())
    yield from zip(
        ("not there", "pattern"), (item.error.message for item in none.rejected), strict=True
    )
    yield "all refused", str(none.refusal())
    yield "address", intake(["http://x/a.wav"], folder, Settings()).rejected[0].error.message


def _papers(count: int) -> bytes:
    papers = io.BytesIO()
    with zipfile.ZipFile(papers, "w") as instance:
        for n in range(count):
            instance.writestr(f"{n}.txt", "x")
    return papers.getvalue()


def _rejected(folder: Path, data: bytes, **settings: Any) -> list[str]:
    path = folder / "sent"
    path.write_bytes(data)
    into = folder / "into"
    into.mkdir(exist_ok=True)
    taken = intake([Uploaded(path, "more.zip")], into, Settings(**settings))
    return [item.error.message for item in taken.rejected]


def failures(folder: Path) -> Iterator[tuple[str, str]]:
    """What is told of jobs that failed, and of engines that cannot run."""
    yield "killed", crash_error(WorkerExit(-9)).message
    yield "killed, words", crash_error(WorkerExit(139, "hello\nSegmentation fault\n")).message
    oom = RuntimeError("CUDA failed with error out of memory")
    yield "out of memory", str(device.meaning(oom, "gpu"))
    lacking = RuntimeError("Library libcublas.so.12 is not found or cannot be loaded")
    yield "no library", str(device.meaning(lacking, "gpu"))
    yield "torch memory", str(torch_device.meaning(MemoryError("no"), "cpu", "transformers"))
    yield "failed", str(device.meaning(ValueError("odd"), "cpu"))
    yield (
        "model",
        str(hints.unavailable("base", LAYOUTS["ctranslate2"], Settings(), hints.OFFLINE)),
    )
    yield "checksum", str(checksums.mismatch("/m/model.bin", "a" * 64, "b" * 64))
    yield "no model", str(UnknownModel("huge", ("tiny", "base")))
    yield "no device", str(UnknownDevice("tpu", ("cpu", "gpu")))
    yield "no format", str(UnknownFormat("doc", ("txt", "srt")))
    yield "language", refused(lambda: make_language("portugese"))
    yield "no language", refused(lambda: make_language("Qqqqwzx"))
    for entry, last in (("t1", "x cannot be reached (no)"), ("t1", ""), (None, "no"), (None, "")):
        namespace = SimpleNamespace(left_s=lambda: 0.0, limit_s=90.0)
        job: Any = SimpleNamespace(_status=entry and "queued", _deadline=namespace, _id=entry)
        yield f"cloud {entry} {last}", CloudJob._too_long(job, last)
    room: Any = SimpleNamespace(
        _closing=False,
        settings=Settings(max_queued=3, max_queued_per_session=2),
        lanes=SimpleNamespace(waiting=lambda: 1, waiting_of=lambda _: 1),
        _forecaster=SimpleNamespace(now=lambda: SimpleNamespace(room_in_s=lambda n: 1.0)),
    )
    for many in (2, 3):
        yield f"full {many}", refused(lambda: JobManager._check_room_for(room, many, "s"))  # noqa: B023
    pt = folder / "tiny.pt"
    pt.write_bytes(b"x")
    yield "checkpoint", refused(lambda: _checked(pt, LAYOUTS["ctranslate2"]))
    yield "odd key", account.wanting(Settings(assemblyai_api_key="a b")) or ""
    yield "lacking key", account.wanting(Settings(assemblyai_api_key=None)) or ""
    yield "no key", f"assemblyai: {account.wanting(Settings(assemblyai_api_key=None))}"
    yield "wrong key", account.rejected(401, "no")
    yield "broken engine", broken("mine", ImportError("x"), Settings(engines={"mine": "os:none"}))


# ---------------------------------------------------------------------- what the source may say


def literals() -> str:
    """All texts of the package's code, one a line; those with blanks in pieces."""
    result: set[str] = set()
    for path in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                result.add(node.value)
    return "\n".join(sorted(result))


#: Where sentences for people are made, below the package.
SPEAKERS = (
    "audio",
    "engines",
    "worker/batch.py",
    "worker/pool.py",
    "devices/ladder.py",
    "jobs/blame.py",
    "jobs/lane",
    "jobs/room.py",
    "hud/uploads.py",
)


def sentences_in_code() -> Iterator[tuple[str, str]]:
    """Place and text of what is raised and noticed there, with 7 in each blank."""
    for path in sorted(PACKAGE.rglob("*.py")):
        place = path.relative_to(PACKAGE).as_posix()
        if not place.startswith(SPEAKERS):
            continue
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and node.args and _for_people(ast.unparse(node.func)):
                text = _text(node.args[0])
                if text and " " in text:
                    yield f"{place}:{node.lineno}", text


def _for_people(name: str) -> bool:
    last = name.rpartition(".")[2]
    return last == "append" or (last == "Notice" or last in _errors())


@cache
def _errors() -> set[str]:
    return {cls.__name__ for cls in hybrid_transcribe.errors.codes().values()}


def _text(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(v.value) if isinstance(v, ast.Constant) else "7" for v in node.values)
    return None
