"""What tus 1.0 asks of a server, word by word."""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from hybrid_transcribe.rest.tus.handlers import UploadHandler
from tests.rest.conftest import OpenSite, Site
from tests.rest.tus.conftest import PIECE, Tus


def test_what_there_is(tus: Tus) -> None:
    """OPTIONS tells version, extensions and limits, also to those who name no version."""
    del tus.client.headers["Tus-Resumable"]
    said = tus.client.options("/files")
    assert said.status_code == 204
    assert said.headers["tus-version"] == "1.0.0"
    assert "creation-with-upload" in said.headers["tus-extension"].split(",")
    assert "termination" in said.headers["tus-extension"].split(",")
    assert said.headers["tus-max-size"] == str(4096 * 1024 * 1024)


def test_an_upload_in_three_pieces(site: Site, tus: Tus) -> None:
    """Created, continued, looked at; each answer says how far it is and until when."""
    answer = tus.create(9, "fala.wav")
    assert answer.status_code == 201
    assert answer.headers["tus-resumable"] == "1.0.0"
    url = answer.headers["location"]
    for at in (0, 3, 6):
        said = tus.patch(url, at, b"abc")
        assert (said.status_code, said.headers["upload-offset"]) == (204, str(at + 3))
        assert said.headers["upload-expires"].endswith("GMT")
    looked = tus.client.head(url)
    assert looked.headers["upload-length"] == "9"
    assert looked.headers["cache-control"] == "no-store"
    assert looked.headers["upload-metadata"].startswith("filename ")
    assert _stored(site, url).read_bytes() == b"abcabcabc"


def test_the_first_piece_with_the_creation(site: Site, tus: Tus) -> None:
    """As tus-js-client does on request, to save a turn."""
    answer = tus.create(6, body=b"abc")
    assert (answer.status_code, answer.headers["upload-offset"]) == (201, "3")
    assert tus.patch(answer.headers["location"], 3, b"def").status_code == 204
    assert _stored(site, answer.headers["location"]).read_bytes() == b"abcdef"


def test_a_length_that_is_told_later(tus: Tus) -> None:
    """Who records as they send do not know it at the start."""
    answer = tus.create(**{"Upload-Defer-Length": "1"})
    url = answer.headers["location"]
    assert tus.client.head(url).headers["upload-defer-length"] == "1"
    assert tus.patch(url, 0, b"abc").status_code == 204
    assert tus.patch(url, 3, b"def", **{"Upload-Length": "6"}).status_code == 204
    assert tus.client.head(url).headers["upload-length"] == "6"
    assert tus.patch(url, 6, b"", **{"Upload-Length": "7"}).status_code == 409


def test_who_may_only_post(tus: Tus) -> None:
    """Gateways that let no PATCH through are got round."""
    url = tus.url(3)
    fields = {**PIECE, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert tus.client.post(url, content=b"abc", headers=fields).status_code == 204
    assert tus.offset(url) == 3


def test_ended_by_its_sender(site: Site, tus: Tus) -> None:
    """Nothing of it stays, and its id says nothing more."""
    url = tus.url(9)
    tus.patch(url, 0, b"abc")
    assert tus.client.delete(url).status_code == 204
    assert list(site.service.partial_dir.iterdir()) == []
    for said in (tus.client.head(url), tus.patch(url, 3, b"d"), tus.client.delete(url)):
        assert said.status_code == 404


def test_what_the_protocol_refuses(tus: Tus) -> None:
    """Each mistake has its status, and none moves the upload."""
    url = tus.url(9)
    assert tus.patch(url, 0, b"abc").status_code == 204
    for said, status, code in (
        (tus.patch(url, 0, b"abc"), 409, "upload_conflict"),
        (tus.patch(url, 5, b"abc"), 409, "upload_conflict"),
        (tus.patch(url, 3, b"1234567"), 413, "too_large"),
        (tus.patch(url, 3, b"abc", **{"Content-Type": "audio/wav"}), 415, None),
        (tus.patch(url, 3, b"abc", **{"Content-Encoding": "gzip"}), 415, "unsupported_media"),
        (tus.patch(url, 3, b"abc", **{"Upload-Offset": "x"}), 400, "invalid_request"),
        (tus.patch(url, 3, b"abc", **{"Tus-Resumable": "0.2.2"}), 412, "precondition_failed"),
        (tus.patch(url, 3, b"a", **{"Upload-Checksum": "crc32 AAAA"}), 400, "invalid_request"),
        (tus.create(), 400, "invalid_request"),
        (tus.create(9, **{"Upload-Defer-Length": "1"}), 400, "invalid_request"),
        (tus.create(9, **{"Upload-Metadata": "filename *"}), 400, "invalid_request"),
        (tus.create(**{"Upload-Length": "-1"}), 400, "invalid_request"),
        (tus.create(9, **{"Upload-Concat": "partial"}), 400, "invalid_request"),
        (tus.create(1 << 40), 413, "too_large"),
        (tus.create(**{"Upload-Length": "9" * 400}), 400, "invalid_request"),
        (tus.patch("/files/" + "0" * 32, 0, b"abc"), 404, "unknown_upload"),
        (tus.patch("/files/..%2f..%2fjournal.db", 0, b"abc"), 404, "unknown_upload"),
    ):
        assert said.status_code == status, (said.status_code, said.text)
        assert said.headers["tus-resumable"] == "1.0.0"
        assert code is None or said.json()["code"] == code
    assert tus.offset(url) == 3


def test_a_length_nobody_told_is_bounded(tus: Tus) -> None:
    """A body without length ends where the upload does."""

    def chunks() -> Iterator[bytes]:
        yield b"abc"
        yield b"defg"

    url = tus.url(5)
    fields = {**PIECE, "Upload-Offset": "0"}
    assert tus.client.patch(url, content=chunks(), headers=fields).status_code == 413
    assert tus.offset(url) <= 5


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_damaged_piece_is_thrown_away(tus: Tus, algorithm: str) -> None:
    """460, and the upload is where it was; the right bytes are taken then."""
    digest = base64.b64encode(hashlib.new(algorithm, b"abc").digest()).decode()
    fields = {"Upload-Checksum": f"{algorithm} {digest}"}
    url = tus.url(6)
    assert tus.patch(url, 0, b"abc", **fields).status_code == 204
    damaged = tus.patch(url, 3, b"abd", **fields)
    assert (damaged.status_code, damaged.json()["code"]) == (460, "checksum_mismatch")
    assert tus.offset(url) == 3
    assert tus.patch(url, 3, b"abc", **fields).status_code == 204


def test_strangers_upload_nothing(site: Site) -> None:
    """Without the token there is no upload and no news of one."""
    with site.client(Authorization="token no", **{"Tus-Resumable": "1.0.0"}) as client:
        assert Tus(client).create(9).status_code == 401
        assert client.head("/files/" + "0" * 32).status_code == 401
    assert not site.service.partial_dir.exists()


def test_so_many_and_no_more(open_site: OpenSite) -> None:
    """Uploads that nobody ends cannot fill the disk: 429, and room again when one goes."""
    site = open_site(max_open_uploads=2)
    with site.client() as client:
        client.headers["Tus-Resumable"] = "1.0.0"
        tus = Tus(client)
        first, _ = tus.url(9), tus.url(9)
        full = tus.create(9)
        assert (full.status_code, full.json()["code"]) == (429, "queue_full")
        assert int(full.headers["retry-after"]) > 0
        assert client.delete(first).status_code == 204
        assert tus.create(9).status_code == 201


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
def test_f11_a_full_disk_keeps_what_came(tus: Tus, monkeypatch: pytest.MonkeyPatch) -> None:
    """507 amid an upload; what had come is there when there is room again."""
    url = tus.url(6)
    assert tus.patch(url, 0, b"abc").status_code == 204
    with monkeypatch.context() as patch:
        patch.setattr(UploadHandler, "opener", staticmethod(_full))
        full = tus.patch(url, 3, b"def")
    assert (full.status_code, full.json()["code"]) == (507, "disk_full")
    assert tus.offset(url) == 3
    assert tus.patch(url, 3, b"def").status_code == 204


class _Full(io.FileIO):
    def seek(self, offset: int, whence: int = 0) -> int:
        return 0


def _full(path: Path) -> io.RawIOBase:
    return _Full("/dev/full", "wb")


def _stored(site: Site, url: str) -> Path:
    return site.service.partial_dir / url.rpartition("/")[2]
