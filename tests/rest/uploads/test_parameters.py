"""Names of files and fields as clients really send them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hybrid_transcribe.rest.uploads.bodies import name_of
from hybrid_transcribe.rest.uploads.multipart import filename, parse
from hybrid_transcribe.uploads.received import text_of


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('form-data; name="f"; filename="talk.m4a"', "talk.m4a"),
        ("form-data; name=f; filename=talk.m4a", "talk.m4a"),
        ('form-data;name="f";filename="a;b=c.wav"', "a;b=c.wav"),
        ('FORM-DATA; Name="f"; FileName="talk.m4a"', "talk.m4a"),
        # browsers, curl from 7.81 on, httpx, urllib3 2
        ('form-data; name="f"; filename="say %22hi%22%0d%0A.wav"', 'say "hi"\r\n.wav'),
        # neither escapes the percent sign itself
        ('form-data; name="f"; filename="100%25.wav"', "100%25.wav"),
        # curl up to 7.80, and with --form-escape
        (r'form-data; name="f"; filename="say \"hi\" \\o.wav"', r'say "hi" \o.wav'),
        # a browser, with a name that has backslashes
        (r'form-data; name="f"; filename="C:\talk\a.wav"', r"C:\talk\a.wav"),
        # urllib3 1, and as RFC 6266 wants a better and a worse name together
        ("form-data; name=f; filename*=utf-8''reuni%C3%A3o.wav", "reunião.wav"),
        ("attachment; filename=\"_.wav\"; filename*=UTF-8'pt'%E9%9F%B3.wav", "音.wav"),
        ("attachment; filename*=iso-8859-1''caf%E9.wav", "café.wav"),
        # what cannot be read leaves the plain one
        ("attachment; filename=a.wav; filename*=koi8-r''%C1.wav", "a.wav"),
        ("attachment; filename=a.wav; filename*=utf-8''%FF.wav", "a.wav"),
        ("attachment; filename=a.wav; filename*=b.wav", "a.wav"),
        ('form-data; name="f"; filename="no end', "no end"),
        ('form-data; name="f"; filename=""', ""),
        ('form-data; name="f"; filename=a.wav; filename=b.wav', "a.wav"),
        ('form-data; name="f"', None),
        ("", None),
    ],
)
def test_a_file_is_called_what_its_sender_calls_it(header: str, name: str | None) -> None:
    """Every way of writing a name that clients have."""
    assert filename(parse(header)[1]) == name


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="%"), max_size=40))
def test_every_name_comes_through(name: str) -> None:
    """Both ways to escape, backslashes and percent signs, lose nothing."""
    curl = name.replace("\\", "\\\\").replace('"', '\\"')
    whatwg = curl.replace('\\"', "%22").replace("\r", "%0D").replace("\n", "%0A")
    for escaped in (curl, whatwg):
        assert parse(f'form-data; filename="{escaped}"; name=f')[1]["filename"] == name


@given(st.text(max_size=200))
def test_any_text_is_a_header(text: str) -> None:
    """Nothing that a client writes makes the reading of it fail."""
    value, result = parse(text)
    filename(result)

    assert value == text.partition(";")[0].strip().lower()


def test_a_header_that_is_no_utf_8() -> None:
    """Old clients write Latin-1."""
    assert text_of("café".encode("latin-1")) == "café"
    assert text_of("café".encode()) == "café"


@pytest.mark.parametrize(
    ("disposition", "query", "name"),
    [
        ('attachment; filename="a.wav"', {"name": [b"b.wav"]}, "a.wav"),
        ("attachment; filename=reuni\u00c3\u00a3o.wav", {}, "reunião.wav"),
        ("", {"name": [b"b.wav"], "filename": [b"c.wav"]}, "c.wav"),
        ("", {"name": [b""]}, "last"),
        ("inline", {}, "last"),
    ],
)
def test_a_body_that_is_one_file(
    disposition: str, query: dict[str, list[bytes]], name: str
) -> None:
    """The header names it, else the address, else its path."""
    assert name_of(disposition, query, "last") == name
