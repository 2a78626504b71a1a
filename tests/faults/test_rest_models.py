"""Row 40 over HTTP: a model that is a file of this machine, or anything nobody registered."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from hybrid_transcribe.config import Settings
from hybrid_transcribe.errors import UnknownModel
from hybrid_transcribe.jobs.request import check_model
from tests.rest.conftest import Site
from tests.services import service, wavs


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A server that asks for a token, and its owner."""
    with service() as s, s.serve() as server:
        yield Site(s, server, tmp_path_factory.mktemp("site"))


class Canary:
    """Writes a file when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return Path.touch, (self.path,)  # type: ignore[return-value]


@pytest.mark.parametrize("engine", ["faster-whisper", "openai-whisper", "transformers"])
def test_f40_a_file_of_this_machine_is_no_model(
    site: Site, tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By whatever path: refused at submit and at retry, and nothing is opened."""
    monkeypatch.chdir(tmp_path)
    canary, model = tmp_path / "canary", tmp_path / "evil.pt"
    model.write_bytes(pickle.dumps(Canary(canary)))
    (tmp_path / "folder" / "model").mkdir(parents=True)
    (path,) = wavs(site.folder, "a")
    named = [str(model), "evil.pt", "./evil.pt", f"file://{model}", "folder", "folder/model", "~/x"]
    with site.client() as client:
        done = site.post(client, "b")
        for name in named:
            fields = {"engine": engine, "model": name}
            files = {"file": (path.name, path.read_bytes())}
            answer = client.post("/jobs", files=files, data=fields)
            assert answer.status_code == HTTPStatus.BAD_REQUEST, name
            assert answer.json()["code"] == "unknown_model"
            again = client.post(f"/jobs/{done['job_id']}/retry", json=fields)
            assert again.status_code == HTTPStatus.BAD_REQUEST, name
            by_name = {"model": f"{engine}/{name}"}
            spoken = client.post("/v1/audio/transcriptions", files=files, data=by_name)
            assert spoken.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.BAD_REQUEST), name
        assert [job.job_id for job in site.service.snapshots()] == [done["job_id"]]
        client.delete(f"/jobs/{done['job_id']}")
    assert not canary.exists()


@pytest.mark.parametrize("model", [None, "tiny.en", "base", "freds0/distil-whisper-large-v3-ptbr"])
def test_registered_models_may_be_named(model: str | None) -> None:
    """By anybody."""
    check_model("faster-whisper", model, Settings())


def test_what_the_server_was_started_with_may_be_named() -> None:
    """Though it is a folder: its owner chose it."""
    check_model(None, "./mine", Settings(model="./mine"))


def test_only_the_owner_names_any_id_of_the_hub() -> None:
    """It makes this machine fetch gigabytes."""
    check_model("transformers", "somebody/whisper", Settings(), hub_ids=True)
    with pytest.raises(UnknownModel):
        check_model("transformers", "somebody/whisper", Settings())
