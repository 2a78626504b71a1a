"""One large file over HTTP, from a server that misbehaves. It runs on this machine."""

from __future__ import annotations

import errno
import shutil
import ssl
from collections import namedtuple
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError, URLError

import pytest

from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.models import fetch
from hybrid_transcribe.models.fetch import Remote
from tests.models import fakes
from tests.models.hub_server import Hub, serving

WEIGHTS = fakes.CT2_FILES["model.bin"]
SIZE = len(WEIGHTS)


@dataclass
class Place:
    """Where a file goes, and what was reported on its way."""

    folder: Path
    seen: list[tuple[int, int | None]] = field(default_factory=list)

    @property
    def target(self) -> Path:
        """The file when it is whole."""
        return self.folder / "weights"

    @property
    def part(self) -> Path:
        """What arrived so far."""
        return self.folder / "weights.incomplete"

    def fetch(self, hub: Hub, size: int | None = SIZE) -> None:
        """Fetch the hub's weights."""
        fetch.fetch(
            Remote(hub.weights_url, fakes.sha256(WEIGHTS), size),
            self.target,
            part=self.part,
            lock=self.folder / "lock",
            report=lambda here, whole: self.seen.append((here, whole)),
        )


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between tries, no proxy on the way to this machine."""
    monkeypatch.setattr(fetch, "PAUSE_S", 0.0)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


@pytest.fixture
def hub() -> Iterator[Hub]:
    """A server of one file."""
    served = Hub()
    with serving(served):
        yield served


@pytest.fixture
def place(tmp_path: Path) -> Place:
    """An empty folder."""
    return Place(tmp_path / "blobs")


@pytest.mark.parametrize("size", [SIZE, None])
def test_a_file_arrives_whole_and_under_its_name_only_then(
    hub: Hub, place: Place, size: int | None
) -> None:
    """Its size is told on the way, known before or not; nothing else is left behind."""
    place.fetch(hub, size)

    assert place.target.read_bytes() == WEIGHTS
    assert not place.part.exists()
    assert place.seen[-1] == (SIZE, SIZE)


def test_what_is_here_is_not_asked_for(hub: Hub, place: Place) -> None:
    """A second fetch costs nothing."""
    place.fetch(hub)
    place.fetch(hub)

    assert hub.sent_bytes == SIZE


def test_cuts_are_resumed_where_they_happened(hub: Hub, place: Place) -> None:
    """However many there are while bytes keep coming, each byte is sent once."""
    hub.cuts = [30_000] * (fetch.TRIES + 2)
    place.fetch(hub)

    assert place.target.read_bytes() == WEIGHTS
    assert hub.ranges == [f"bytes={30_000 * n}-" for n in range(1, fetch.TRIES + 3)]
    assert hub.sent_bytes == SIZE


def test_a_server_that_sends_nothing_more_is_left_and_what_came_is_kept(
    hub: Hub, place: Place
) -> None:
    """The tries are counted from the last byte that came; the next call goes on there."""
    hub.cuts = [30_000, *[0] * fetch.TRIES]
    with pytest.raises(ConnectionError, match="cut after 30000 bytes"):
        place.fetch(hub)
    assert place.part.stat().st_size == 30_000
    assert not place.target.exists()

    place.fetch(hub)
    assert place.target.read_bytes() == WEIGHTS
    assert hub.sent_bytes == SIZE


class Line:
    """The connection to the hub, which breaks once: with ``error``, after some bytes."""

    def __init__(self, error: OSError, monkeypatch: pytest.MonkeyPatch) -> None:
        self._errors = [error]
        self._read1 = HTTPResponse.read1
        self.arrived = 0
        monkeypatch.setattr(HTTPResponse, "read1", lambda response, n: self._next(response, n))

    def _next(self, response: HTTPResponse, n: int) -> bytes:
        if not self._errors:
            return self._read1(response, n)
        if self.arrived:
            raise self._errors.pop()
        result = self._read1(response, 1000)
        self.arrived = len(result)
        return result


@pytest.mark.parametrize(
    "error",
    [
        ssl.SSLError(1, "[SSL: DECRYPTION_FAILED_OR_BAD_RECORD_MAC]"),
        ssl.SSLEOFError(8, "EOF occurred in violation of protocol"),
        *(
            OSError(number, "on the way")
            for number in (
                errno.EHOSTUNREACH,
                errno.ENETUNREACH,
                errno.ENETDOWN,
                errno.ECONNRESET,
                errno.ETIMEDOUT,
                errno.EPIPE,
            )
        ),
    ],
    ids=repr,
)
def test_a_network_that_fails_on_the_way_is_a_cut(
    hub: Hub, place: Place, monkeypatch: pytest.MonkeyPatch, error: OSError
) -> None:
    """A cable, a change of networks, a garbled record: it goes on where it was."""
    line = Line(error, monkeypatch)
    place.fetch(hub)

    assert place.target.read_bytes() == WEIGHTS
    assert line.arrived > 0
    assert hub.ranges == [f"bytes={line.arrived}-"]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EACCES, errno.EIO, errno.EROFS])
def test_a_disk_that_fails_is_told_at_once(
    hub: Hub, place: Place, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Asking again would help nobody; what arrived is kept."""
    line = Line(OSError(number, "the disk"), monkeypatch)
    with pytest.raises(OSError, match="the disk") as caught:
        place.fetch(hub)

    assert caught.value.errno == number
    assert hub.ranges == []
    assert place.part.stat().st_size == line.arrived


def test_a_moment_of_trouble_is_waited_for(hub: Hub, place: Place) -> None:
    """Too many requests, or a fault of the server."""
    hub.refusals = [429, 503]
    place.fetch(hub)

    assert place.target.read_bytes() == WEIGHTS


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_refusal_for_good_is_told_at_once(hub: Hub, place: Place, status: int) -> None:
    """It is not asked again."""
    hub.refusals = [status]
    with pytest.raises(HTTPError, match=str(status)):
        place.fetch(hub)
    assert hub.sent_bytes == 0


def test_trouble_that_lasts_is_told(hub: Hub, place: Place) -> None:
    """After a bounded number of tries."""
    hub.refusals = [503] * (fetch.TRIES + 1)
    with pytest.raises(HTTPError, match="503"):
        place.fetch(hub)
    assert len(hub.refusals) == 1


def test_a_machine_without_a_network_hears_so_at_once(place: Place) -> None:
    """Nobody answers at all: no pauses, no second try."""
    with pytest.raises((URLError, HTTPException, OSError)):
        place.fetch(Hub(url="http://127.0.0.1:9"))


def test_a_server_without_ranges_is_read_from_the_start(hub: Hub, place: Place) -> None:
    """What it sends replaces what was here, rather than being put behind it."""
    hub.whole, hub.cuts = True, [30_000]
    place.fetch(hub)

    assert place.target.read_bytes() == WEIGHTS
    assert hub.sent_bytes == SIZE + 30_000


@pytest.mark.parametrize("left", [b"x" * (SIZE + 5), b"x" * SIZE, b"x" * 100])
@pytest.mark.parametrize("size", [SIZE, None])
def test_what_another_left_behind_is_never_taken_for_the_file(
    hub: Hub, place: Place, left: bytes, size: int | None
) -> None:
    """Too long, as long, or a wrong beginning: the digest finds out, and it starts anew."""
    place.folder.mkdir()
    place.part.write_bytes(left)
    place.fetch(hub, size)

    assert place.target.read_bytes() == WEIGHTS


def test_wrong_bytes_are_deleted_and_fetched_once_more(hub: Hub, place: Place) -> None:
    """A fault on the way is no reason to give up."""
    hub.sent, hub.wrong = b"x" * SIZE, 1
    place.fetch(hub)

    assert place.target.read_bytes() == WEIGHTS
    assert hub.sent_bytes == 2 * SIZE


def test_bytes_that_stay_wrong_are_refused(hub: Hub, place: Place) -> None:
    """Both digests are told, and nothing of it stays."""
    hub.sent = b"x" * SIZE
    with pytest.raises(ModelUnavailable) as caught:
        place.fetch(hub)

    assert fakes.sha256(WEIGHTS) in str(caught.value)
    assert fakes.sha256(hub.sent) in str(caught.value)
    assert hub.sent_bytes == 2 * SIZE
    assert not place.part.exists()
    assert not place.target.exists()


def test_a_disk_without_room_is_told_before_a_byte_is_written(
    hub: Hub, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Folder, bytes needed and bytes free are named."""
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(9_000_000, 8_900_000, 100_000))
    with pytest.raises(ModelUnavailable, match=f"{place.folder}.*needs 1 MB.* 1 MB"):
        place.fetch(hub, None)
    assert not place.part.exists()


def test_a_token_goes_to_the_host_it_is_for() -> None:
    """It is left out of requests that follow a redirect, which may lead anywhere."""
    request = fetch._request(Remote("https://hub/weights", "", token="secret"), 5)

    assert request.unredirected_hdrs == {"Authorization": "Bearer secret"}
    assert request.headers == {"Range": "bytes=5-"}


def test_a_token_is_not_shown() -> None:
    """Addresses are logged and quoted; what opens them is not."""
    assert "secret" not in repr(Remote("https://hub/weights", "", token="secret"))


@pytest.mark.parametrize("url", ["file:///etc/passwd", "ftp://127.0.0.1/x"])
def test_only_the_web_is_asked(place: Place, url: str) -> None:
    """An address is not a way to read this machine's files."""
    with pytest.raises(ModelUnavailable, match="http"):
        fetch.fetch(
            Remote(url, "0" * 64),
            place.target,
            part=place.part,
            lock=place.folder / "lock",
            report=lambda *_: None,
        )
