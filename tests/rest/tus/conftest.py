"""A server, and uploads in pieces by hand."""

from __future__ import annotations

import base64
from collections.abc import Iterator

import httpx
import pytest

from tests.rest.conftest import OpenSite, Site

PIECE = {"Content-Type": "application/offset+octet-stream"}


class Tus:
    """Speaks the protocol as it is written, and every mistake that is asked for."""

    def __init__(self, client: httpx.Client) -> None:
        self.client = client

    def create(
        self, length: int | None = None, name: str = "", body: bytes = b"", **headers: str
    ) -> httpx.Response:
        """``POST /files``."""
        fields = {} if length is None else {"Upload-Length": str(length)}
        if name:
            coded = base64.b64encode(name.encode()).decode()
            fields["Upload-Metadata"] = f"filename {coded},filetype YXVkaW8vd2F2"
        more = {**PIECE} if body else {}
        return self.client.post("/files", content=body, headers={**fields, **more, **headers})

    def url(self, length: int, name: str = "") -> str:
        """Of a new upload."""
        answer = self.create(length, name)
        assert answer.status_code == 201, answer.text
        where: str = answer.headers["location"]
        return where

    def patch(self, url: str, offset: int, body: bytes, **headers: str) -> httpx.Response:
        """The next bytes."""
        fields = {**PIECE, "Upload-Offset": str(offset), **headers}
        return self.client.patch(url, content=body, headers=fields)

    def whole(self, body: bytes, name: str = "") -> str:
        """Upload at once; the id."""
        url = self.url(len(body), name)
        assert self.patch(url, 0, body).status_code == 204
        return url.rpartition("/")[2]

    def offset(self, url: str) -> int:
        """What the server has."""
        answer = self.client.head(url)
        assert answer.status_code == 200, answer.headers
        return int(answer.headers["upload-offset"])


@pytest.fixture
def site(open_site: OpenSite) -> Site:
    """A new one for each test: what is not complete is nobody's job, and stays."""
    return open_site()


@pytest.fixture
def tus(site: Site) -> Iterator[Tus]:
    """Of the site's owner."""
    with site.client() as client:
        client.headers["Tus-Resumable"] = "1.0.0"
        yield Tus(client)
