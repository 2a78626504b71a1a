"""Row 41 where many share a server, who even have its token."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rest.hosts.running import Running
from tests.rest.strangers import try_everything


def test_f41_strangers_of_a_server_for_many(host: Running, tmp_path: Path) -> None:
    """Every address, as on an open server of one's own kernel."""
    if host.owner:
        pytest.skip("its token stands for every session")
    with host.client() as client:
        try_everything(client, tmp_path)
