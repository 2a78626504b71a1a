"""Names in zips whose entries do not say that they are UTF-8."""

from __future__ import annotations

import io
import struct
import unicodedata
import zipfile
import zlib
from pathlib import Path

import pytest

from hybrid_transcribe.audio import _zipnames
from hybrid_transcribe.audio.archive import unpack
from hybrid_transcribe.config import Settings
from hybrid_transcribe.testing import tone, write_wav

#: Encoding, a language of the machine that has it, names.
NAMES = [
    (
        "cp850",
        "pt",
        ["reunião", "Ação", "AÇÃO", "Entrevista com João", "Três irmãos", "lição nº 2"],
    ),
    ("cp850", "pt", ["Às 10 horas", "Índice", "Éder e Ângela", "você", "coração", "Sessão 3ª"]),
    ("cp437", "de", ["Besprechung für Müller", "Ärzte", "Länge"]),
    ("cp437", "es", ["entrevista niño", "Piñata", "café"]),
    ("cp1252", "pt", ["reunião", "AÇÃO", "café – parte 1", "“citação”", "Você às 10"]),
    ("cp932", "ja", ["会議", "会議の録音", "インタビュー１", "テスト", "東京", "第1回 会議"]),
    ("gbk", "zh", ["会议录音", "采访", "测试", "第一课", "北京大学讲座"]),
    ("cp950", "zh", ["會議錄音", "採訪", "第一課"]),
    ("cp949", "ko", ["회의 녹음", "인터뷰", "강의 1"]),
    ("cp866", "ru", ["Совещание", "Интервью с Иваном"]),
    ("cp1251", "ru", ["Совещание", "Интервью с Иваном"]),
    ("cp852", "pl", ["Spotkanie zarządu", "Jednání s ředitelem"]),
    ("cp1250", "cs", ["Spotkanie zarządu", "Jednání s ředitelem"]),
    ("cp737", "el", ["Συνέντευξη"]),
    ("cp862", "he", ["פגישה"]),
    ("cp857", "tr", ["görüşme", "Toplantı"]),
    ("cp874", "th", ["การประชุม"]),
    ("cp1256", "ar", ["اجتماع"]),
]

#: What is told apart by nothing but the language of the machine.
AMBIGUOUS = {"cp852", "cp1250", "cp857", "gbk", "cp862"}


def zipped(
    path: Path, names: list[bytes], *, extra: bytes = b"", system: int | None = None
) -> Path:
    """A zip of recordings with these bytes as names, none of them marked as UTF-8."""
    wav = write_wav(path.with_suffix(".wav"), tone(0.2)).read_bytes()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for n, name in enumerate(names):
            info = zipfile.ZipInfo(f"{n:x}" * len(name))
            info.extra = extra
            info.create_system = info.create_system if system is None else system
            archive.writestr(info, wav)
    data = packed.getvalue()
    for n, name in enumerate(names):
        data = data.replace(f"{n:x}".encode() * len(name), name)
    path.write_bytes(data)
    return path


def unpacked(path: Path, folder: Path) -> list[str]:
    """The names that people see."""
    folder.mkdir(exist_ok=True)
    result = unpack(path, folder, Settings())
    assert not result.rejected
    return [entry.name for entry in result.entries]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A machine without a language; a test may give it one."""
    monkeypatch.setattr(_zipnames, "_language", lambda: "")
    return monkeypatch


@pytest.mark.parametrize(("encoding", "language", "stems"), NAMES)
@pytest.mark.parametrize("known", [True, False])
def test_names_of_every_windows(
    tmp_path: Path,
    machine: pytest.MonkeyPatch,
    encoding: str,
    language: str,
    stems: list[str],
    known: bool,
) -> None:
    """Whole zips come out right, on a machine of that language and, but for some, on any."""
    if not known and encoding in AMBIGUOUS:
        pytest.skip("the same bytes are words of another alphabet")
    machine.setattr(_zipnames, "_language", lambda: language if known else "")
    names = [f"{stem}.wav" for stem in stems]
    path = zipped(tmp_path / "x.zip", [name.encode(encoding) for name in names], system=0)

    assert unpacked(path, tmp_path / "out") == names


@pytest.mark.parametrize(
    ("encoding", "stem"),
    [(encoding, stem) for encoding, _, stems in NAMES[:2] + NAMES[4:5] for stem in stems],
)
@pytest.mark.parametrize("language", ["", "pt", "en"])
def test_single_names_in_portuguese(encoding: str, stem: str, language: str) -> None:
    """One word is enough, whatever the language of the machine."""
    raw = f"{stem}.wav".encode(encoding)
    chosen = _zipnames.choose_encoding([raw], {0}, language)

    assert raw.decode(chosen) == f"{stem}.wav"


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("name", ["reunião.wav", "会議.wav", "회의.wav", "Ärzte – für João.wav"])
def test_macos_writes_utf_8_and_does_not_say_so(tmp_path: Path, name: str, form: str) -> None:
    """With accents apart from their letters, too."""
    raw = unicodedata.normalize(form, name).encode()
    path = zipped(tmp_path / "mac.zip", [raw], system=3)

    assert unpacked(path, tmp_path / "out") == [name]


@pytest.mark.parametrize(
    ("stale", "expected"), [(False, "reunião 会議.wav"), (True, "reunião.wav")]
)
def test_a_name_in_the_extra_field_wins(tmp_path: Path, stale: bool, expected: str) -> None:
    """As some packers add it; not where it is that of another name, as after renaming."""
    raw = "reunião.wav".encode("cp850")
    field = (
        struct.pack("<BL", 1, zlib.crc32(b"other" if stale else raw)) + "reunião 会議.wav".encode()
    )
    extra = struct.pack("<HH", 0x7075, len(field)) + field
    path = zipped(tmp_path / "x.zip", [raw], extra=extra)

    assert unpacked(path, tmp_path / "out") == [expected]


def test_names_in_utf_8_are_read_as_they_are(tmp_path: Path) -> None:
    """Marked ones beside others: each has its own way."""
    wav = write_wav(tmp_path / "t.wav", tone(0.2)).read_bytes()
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("会議.wav", wav)
        archive.writestr("plain.wav", wav)

    assert unpacked(path, tmp_path / "out") == ["会議.wav", "plain.wav"]


def test_many_names_take_no_time(tmp_path: Path) -> None:
    """A sample of them is looked at."""
    names = [f"reunião {n}.wav".encode("cp850") for n in range(100_000)]
    sampled = list(_zipnames._sample(names))

    assert len(sampled) < 1_000
    assert _zipnames.choose_encoding(names, {0}, "pt") == "cp850"
