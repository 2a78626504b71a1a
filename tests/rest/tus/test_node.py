"""The other client that people have: tus-js-client, in node, as web pages use it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from hybrid_transcribe.config import MIB
from tests.npm import install
from tests.rest.conftest import Site

SCRIPT = """
import fs from "node:fs";
import * as tus from "tus-js-client";
const [endpoint, token, path] = process.argv.slice(2);
const options = {
  endpoint,
  chunkSize: 1024 * 1024,
  uploadDataDuringCreation: true,
  headers: { Authorization: `token ${token}` },
  metadata: { filename: "reuni\\u00e3o.wav", filetype: "audio/wav" },
  retryDelays: [0, 100],
};
const size = fs.statSync(path).size;
const run = (more) => new Promise((done, failed) => {
  const upload = new tus.Upload(fs.createReadStream(path), {
    ...options, uploadSize: size, ...more,
    onError: failed,
    onSuccess: () => done(upload.url),
    onChunkComplete: (_, accepted) => {
      if (!more.uploadUrl && accepted >= size / 2) { upload.abort(); done(upload.url); }
    },
  });
  upload.start();
});
const url = await run({});
const again = await run({ uploadUrl: url });
console.log(JSON.stringify({ url, again }));
"""


@pytest.mark.slow
@pytest.mark.network
def test_tus_js_client_pauses_and_goes_on(site: Site, tmp_path: Path) -> None:
    """Aborted at half its way by the page, continued by its address, and whole."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    install("tus-js-client", tmp_path)
    path = tmp_path / "talk.wav"
    path.write_bytes(os.urandom(5 * MIB + 77))
    (tmp_path / "upload.mjs").write_text(SCRIPT)
    token = site.server.token
    assert token is not None
    ran = subprocess.run(
        [node, "upload.mjs", f"{site.server.url}/files", token, str(path)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    payload = json.loads(ran.stdout)
    assert payload["url"] == payload["again"]
    stored = site.service.partial_dir / payload["url"].rpartition("/")[2]
    assert _digest(stored) == _digest(path)
    with site.client() as client:
        looked = client.head(payload["url"], headers={"Tus-Resumable": "1.0.0"})
        assert looked.headers["upload-offset"] == looked.headers["upload-length"]


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
