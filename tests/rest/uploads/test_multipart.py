"""Forms with files, however their bytes are cut."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_transcribe.errors import HybridTranscribeError, InvalidRequest, TooLarge, TooMany
from hybrid_transcribe.rest.uploads.multipart import MultipartBody
from hybrid_transcribe.uploads.files import Files
from hybrid_transcribe.uploads.received import UploadLimits
from tests.rest.uploads.landing import END, part

LIMITS = UploadLimits()


def read(
    folder: Path, chunks: Iterable[bytes], limits: UploadLimits = LIMITS, boundary: str = "xx"
) -> tuple[Any, list[tuple[str, bytes]]]:
    """Fields, and files by name and content. Checks that an error leaves no file behind."""
    files = Files(folder, limits)
    try:
        body = MultipartBody(boundary, files, limits)
        for chunk in chunks:
            body.feed(chunk)
        received = body.end()
    except HybridTranscribeError:
        files.discard()
        assert list(folder.iterdir()) == []
        raise
    items = [(upload.display_name, upload.path.read_bytes()) for upload in received.uploads]
    assert [upload.size_bytes for upload in received.uploads] == [len(b) for _, b in items]
    received.discard()
    assert list(folder.iterdir()) == []
    return received.fields, items


def test_fields_and_files(tmp_path: Path) -> None:
    """In their order, with several values of one name, and files of one name."""
    body = [
        part("language", b"pt"),
        part("file", b"\r\n--x\r\n--xy\r\n", "a.wav"),
        part("tag", "ã".encode()),
        part("file", b"", "a.wav"),
        part("tag", b""),
        END,
    ]
    fields, files = read(tmp_path, body)

    assert fields == {"language": ("pt",), "tag": ("ã", "")}
    assert files == [("a.wav", b"\r\n--x\r\n--xy\r\n"), ("a.wav", b"")]


def test_nothing_chosen(tmp_path: Path) -> None:
    """A browser sends an empty file without a name; a form may have no parts at all."""
    assert read(tmp_path, [part("file", b"", ""), END]) == ({}, [])
    assert read(tmp_path, [END]) == ({}, [])


def test_bytes_without_a_name(tmp_path: Path) -> None:
    """They are a recording all the same, also where only their type says so."""
    typed = (
        b'--xx\r\nContent-Type: Audio/wav\r\nContent-Disposition: form-data; name="f"\r\n\r\n'
        b"\xff\r\n"
    )
    _, files = read(tmp_path, [part("file", b"\xfe", ""), typed, END])

    assert files == [("recording", b"\xfe"), ("recording", b"\xff")]


def test_what_stands_before_and_behind(tmp_path: Path) -> None:
    """A line end before the first boundary, and anything behind the last one."""
    assert read(tmp_path, [b"\r\n", part("a", b"b"), END, b"bye", END])[0] == {"a": ("b",)}


HEADER = b'Content-Disposition: form-data; name="a"'


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "cut short"),
        (b"--xx\r\n" + HEADER, "cut short"),
        (part("file", b"abc", "a.wav"), "cut short: it ends in part 1"),
        (part("file", b"abc", "a.wav") + b"--xx\r\n", "cut short: it ends in part 2"),
        (b"a,b\r\n1,2", "cannot be read"),
        (b"--other\r\n", "cannot be read"),
        (b"--xx\r\n\r\nabc\r\n" + END, "part 1 .* has no 'Content-Disposition"),
        (b"--xx\r\nContent-Disposition: attachment\r\n\r\n\r\n" + END, "but 'attachment'"),
        (b"--xx\r\nContent-Disposition: form-data\r\n\r\n\r\n" + END, "has no name"),
        (b"--xx\r\n" + HEADER + b"\r\nA B: c\r\n\r\n\r\n" + END, "cannot be read"),
        (b"--xx\r\n" + HEADER + b"\r\nX: " + b"a" * 17_000 + b"\r\n\r\n\r\n" + END, "header size"),
        (b"--xx\r\n" + b"X: a\r\n" * 17 + HEADER + b"\r\n\r\n\r\n" + END, "header count"),
        (
            b"--xx\r\n" + HEADER + b"\r\nContent-Transfer-Encoding: base64\r\n\r\nYQ==\r\n" + END,
            "written in 'base64'",
        ),
        (part("a", b"\xff") + END, "Field 'a' is not UTF-8"),
    ],
)
def test_what_is_no_form(tmp_path: Path, body: bytes, message: str) -> None:
    """Each is told what is wrong, and where."""
    with pytest.raises(InvalidRequest, match=f"(?i){message}"):
        read(tmp_path, [body])


@pytest.mark.parametrize("boundary", ["", "x" * 257])
def test_a_boundary_that_cannot_be(tmp_path: Path, boundary: str) -> None:
    """None, or one without end."""
    with pytest.raises(InvalidRequest, match="boundary"):
        read(tmp_path, [END], boundary=boundary)


SMALL = UploadLimits(files=2, fields=3, file_bytes=10, field_bytes=8, json_bytes=20)


@pytest.mark.parametrize(
    ("body", "kind", "message"),
    [
        (part("f", b"a" * 11, "long.wav"), TooLarge, "long.wav: more than 10 bytes"),
        (part("f", b"", "a.wav") * 3, TooMany, "More than 2 files"),
        (part("a", b"b") * 4, TooMany, "More than 3 fields"),
        (part("f", b"", "") * 6, TooMany, "More than 5 parts"),
        (part("a", b"b" * 9), TooLarge, "Field 'a': more than 8 bytes"),
        (part("a", b"b" * 7) * 3, TooLarge, "fields together: more than 20 bytes"),
    ],
)
def test_too_much(
    tmp_path: Path, body: bytes, kind: type[HybridTranscribeError], message: str
) -> None:
    """The error names the limit, and what passed it."""
    with pytest.raises(kind, match=message):
        read(tmp_path, [body, END], SMALL)


def test_as_much_as_is_allowed(tmp_path: Path) -> None:
    """A limit may be reached."""
    body = [part("f", b"a" * 10, "a.wav") * 2, part("a", b"b" * 8) * 2, part("c", b"d" * 4), END]
    fields, files = read(tmp_path, body, SMALL)

    assert fields == {"a": ("b" * 8, "b" * 8), "c": ("dddd",)}
    assert files == [("a.wav", b"a" * 10)] * 2


def test_f28_a_hundred_thousand_parts(tmp_path: Path) -> None:
    """They end at the limit, whatever kind they are."""
    limits = replace(LIMITS, files=50, fields=20)
    fed = 0

    def flood() -> Iterable[bytes]:
        nonlocal fed
        for _ in range(100_000):
            fed += 1
            yield part("file", b"", "")

    with pytest.raises(TooMany, match="More than 70 parts"):
        read(tmp_path, flood(), limits)
    assert fed == 71


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("..", "recording"),
        ("C:\\Windows\\talk.wav", "talk.wav"),
        ("a\x00b.wav", "ab.wav"),
        ("gpj.\u202evaw.wav", "gpj.vaw.wav"),
        ("/", "recording"),
        ("é" * 4000 + ".wav", "é" * 115 + "….wav"),
        ("音" * 4000 + ".wav", "音" * 77 + "….wav"),
        ("http://host/a.wav", "a.wav"),
    ],
    ids=range(9),
)
def test_f36_hostile_names(tmp_path: Path, name: str, shown: str) -> None:
    """A name is shown inert and never becomes part of a path."""
    files = Files(tmp_path, LIMITS)
    body = MultipartBody("xx", files, LIMITS)
    body.feed(part("file", b"abc", name) + part("file", b"abc", name) + END)
    uploads = body.end().uploads

    assert [len(upload.display_name) for upload in uploads] == [len(shown)] * 2
    assert uploads[0].display_name == shown
    assert [upload.field for upload in uploads] == ["file", "file"]
    assert {upload.path for upload in uploads} == set(tmp_path.iterdir())
    for upload in uploads:
        assert upload.path.stem.isalnum()
        assert len(upload.path.stem) == 32
        assert upload.path.stat().st_mode & 0o777 == 0o600
        assert not upload.path.is_symlink()


def test_a_form_cut_anywhere(tmp_path: Path) -> None:
    """At every byte, and into single bytes."""
    body = part("a", b"b") + part("file", b"\r\n--x\r", "ã.wav") + part("f", b"\n", "") + END
    whole = read(tmp_path, [body])

    for cut in range(len(body)):
        assert read(tmp_path, [body[:cut], body[cut:]]) == whole
    assert read(tmp_path, [body[i : i + 1] for i in range(len(body))]) == whole


# What a boundary is made of, so that contents come near to one.
_NASTY = st.lists(st.sampled_from([b"\r", b"\n", b"--", b"xx", b"-", b"x", b"\r\n--x", b"z"]))
_CONTENT = _NASTY.map(b"".join).filter(lambda content: b"\r\n--xx" not in b"\r\n" + content)


@given(
    contents=st.lists(st.tuples(_CONTENT, st.sampled_from([None, "", "a.wav", "é.wav"]))),
    cuts=st.lists(st.integers(0, 2000)),
)
def test_any_cutting_gives_the_same(
    contents: list[tuple[bytes, str | None]], cuts: list[int]
) -> None:
    """A body in any pieces is what it is in one."""
    body = b"".join(part("n", content, name) for content, name in contents) + END
    edges = [0, *sorted(min(cut, len(body)) for cut in cuts), len(body)]
    pieces = [body[a:b] for a, b in pairwise(edges)]
    with tempfile.TemporaryDirectory() as folder:
        whole = read(Path(folder), [body])
        assert read(Path(folder), pieces) == whole

    fields, files = whole
    values = tuple(content.decode() for content, name in contents if name is None)
    sent = [(name or "recording", c) for c, name in contents if name is not None and (name or c)]
    assert fields == ({"n": values} if values else {})
    assert files == sent
