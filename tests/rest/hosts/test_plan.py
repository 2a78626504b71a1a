"""What `hybrid-transcribe serve` makes of what it is told."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from hybrid_transcribe.cli import main
from hybrid_transcribe.errors import InvalidOption, InvalidRequest
from hybrid_transcribe.rest.access import Role
from hybrid_transcribe.rest.hosts.page import preferred
from hybrid_transcribe.rest.hosts.serve_config import ServeConfig, make_config
from hybrid_transcribe.rest.logs import Redacting, redacted


def plan(environ: dict[str, str] | None = None, **given: Any) -> ServeConfig:
    return make_config(environ=environ or {}, **given)


def test_by_default_it_is_for_this_machine_and_has_a_token() -> None:
    """A new one each time, as is what its pages' kernels show."""
    item, two = plan(), plan()
    assert (item.host, item.port, item.base_url, item.token_made) == ("127.0.0.1", 8866, "", True)
    secrets = {item.token, two.token, item.visitor, two.visitor}
    assert len(secrets) == 4
    assert all(secret and len(secret) == 48 for secret in secrets)


def test_the_environment_says_the_same() -> None:
    """Each argument has its variable, and what is said on the command line counts more."""
    fields = {
        "HYBRID_TRANSCRIBE_HOST": "0.0.0.0",
        "HYBRID_TRANSCRIBE_PORT": "9000",
        "HYBRID_TRANSCRIBE_TOKEN": "s3cret",
        "HYBRID_TRANSCRIBE_BASE_URL": "a/b/",
        "HYBRID_TRANSCRIBE_ALLOW_HOST": "one.example, Two.example",
        "HYBRID_TRANSCRIBE_TRUST_PROXY": "true",
    }
    result = plan(fields)
    assert (result.host, result.port, result.token, result.base_url) == (
        *("0.0.0.0", 9000, "s3cret", "/a/b"),
    )
    assert {"one.example", "two.example"} <= result.names
    assert result.trust_proxy
    assert not result.token_made
    other = plan(fields, host="127.0.0.1", port=1, open_to_all=True)
    assert (other.host, other.port, other.token) == ("127.0.0.1", 1, None)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", ""])
def test_open_beyond_this_machine_is_said_twice(host: str) -> None:
    """By mistake nobody opens a server to a network."""
    if host:
        with pytest.raises(InvalidRequest, match="open-to-network"):
            plan(host=host, open_to_all=True)
    assert plan(host=host, open_to_network=True).token is None
    assert plan(host=host).token


@pytest.mark.parametrize(
    "given",
    [
        {"port": 65536},
        {"port": -1},
        {"base_url": "a b"},
        {"base_url": "(.*)"},
        {"base_url": "a//b"},
        {"environ": {"HYBRID_TRANSCRIBE_PORT": "http"}},
        {"environ": {"HYBRID_TRANSCRIBE_OPEN": "perhaps"}},
    ],
)
def test_what_cannot_be_is_refused(given: dict[str, Any]) -> None:
    """With the value in the message."""
    with pytest.raises(InvalidOption):
        plan(**given)


def test_a_token_or_open() -> None:
    """Not both, whoever says which."""
    with pytest.raises(InvalidRequest, match="not both"):
        plan({"HYBRID_TRANSCRIBE_TOKEN": "x", "HYBRID_TRANSCRIBE_OPEN": "1"})


def test_the_token_does_not_own_all_sessions() -> None:
    """Of a server for many; and a visitor's kernel is no holder of it."""
    access = plan(token="s3cret").access
    assert access.check({"Host": "localhost"}, "s3cret") is Role.HOLDER


@pytest.mark.parametrize(
    ("text", "language"),
    [("", "en"), ("pt", "pt-BR"), ("es-MX", "es"), ("en,pt;q=0.9", "en"), ("pt;q=x", "pt-BR")],
)
def test_the_page_speaks_the_browsers_language(text: str, language: str) -> None:
    """Whatever it sends."""
    assert preferred(text) == language


@pytest.mark.parametrize(
    "text",
    [
        "GET /x?token=S3CRET&b=1",
        "session_ids=S3CRET,S3CRET and more",
        "{'session_id': 'S3CRET'}",
        'HTTPHeaders({"Authorization": "token S3CRET"})',
        "X-Session-Id: S3CRET",
        "DELETE /sessions/S3CRET HTTP/1.1",
        "PATCH /a/files/S3CRET (127.0.0.1)",
    ],
)
def test_no_line_has_a_secret(text: str) -> None:
    """Wherever a library puts it."""
    assert "S3CRET" not in redacted(text)


def test_known_secrets_go_wherever_they_stand() -> None:
    """Also where nothing says what they are."""
    record = logging.LogRecord("x", logging.ERROR, "", 0, "at %s", ("k3y!",), None)
    assert Redacting("k3y!", None).format(record) == "ERROR x: at [...]"


def test_a_missing_library_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the line that installs it."""
    monkeypatch.setitem(__import__("sys").modules, "voila", None)
    assert main(["serve"]) == 1
    assert "pip install 'hybrid-transcribe[app]'" in capsys.readouterr().err
