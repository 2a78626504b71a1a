"""Servers as processes of their own, as people start them."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import httpx

from tests.services import environment, wavs

ROOT = Path(__file__).resolve().parents[3]

#: Longest wait for a server to be up or gone, in seconds; machines that run tests are shared.
PATIENCE_S = 60.0

#: How long a process that is gone may leave its pipes to others, in seconds.
PIPE_S = 20.0

TOKEN = "t0ken-of-the-tests"

_IN_A_KERNEL = """
import sys
from pathlib import Path
from tests.services import service
with service(Path(sys.argv[1])) as s, s.serve(token=sys.argv[2]) as server:
    print("up at", server.url, flush=True)
    sys.stdin.read()
"""


@dataclass
class Running:
    """A server that is up."""

    name: str
    process: subprocess.Popen[str]
    #: Where it was started.
    folder: Path
    url: str = ""
    token: str | None = TOKEN
    #: Everything it has written so far.
    lines: list[str] = field(default_factory=list)

    @property
    def owner(self) -> bool:
        """Its token stands for every session."""
        return self.name != "serve"

    def client(self, **headers: str) -> httpx.Client:
        """Of who shows the token, or other headers."""
        display_name = headers or {"Authorization": f"token {self.token}"}
        return httpx.Client(base_url=self.url, headers=display_name, trust_env=False, timeout=30)

    def post(self, client: httpx.Client, folder: Path, name: str, **fields: str) -> dict[str, Any]:
        """A job of one tone, waited for."""
        (path,) = wavs(folder, name)
        answer = client.post(
            "/jobs",
            files={"file": (path.name, path.read_bytes())},
            data=fields,
            headers={"Prefer": "wait=30"},
        )
        assert answer.status_code == 200, answer.text
        mapping: dict[str, Any] = answer.json()
        return mapping

    def until(self, true: Callable[[str], bool]) -> str:
        """The first line written of which that is true."""
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            result = next((line for line in tuple(self.lines) if true(line)), None)
            if result is not None:
                return result
            assert self.process.poll() is None, self.lines
            time.sleep(0.02)
        raise AssertionError(f"never written: {self.lines}")

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ask it to end, and its exit code."""
        self.process.send_signal(number)
        return self.process.wait(PATIENCE_S)


@contextmanager
def started(name: str, command: list[str], cwd: Path, **more: str) -> Iterator[Running]:
    """A process of that command, in that folder; it is ended in the end."""
    hidden = ("HYBRID_TRANSCRIBE_STATE_DIR", "DEBUG")
    fields = {k: v for k, v in environment().items() if k not in hidden} | more
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
        env=fields,
    )
    running = Running(name, process, cwd)
    streams = [process.stdout, process.stderr]
    readers = [
        threading.Thread(target=_read, args=(s, running.lines), daemon=True) for s in streams
    ]
    for reader in readers:
        reader.start()
    try:
        yield running
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(PATIENCE_S)
        finally:
            process.kill()
            for reader in readers:
                # A kernel that outlived its server holds the pipe, and must not hold us.
                reader.join(PIPE_S)
            assert not any(reader.is_alive() for reader in readers), "a child has the pipes"
            for stream in (*streams, process.stdin):
                assert stream is not None
                stream.close()


def _read(stream: IO[str] | None, lines: list[str]) -> None:
    assert stream is not None
    for line in stream:
        lines.append(line)


@contextmanager
def serve(folder: Path, *arguments: str, **more: str) -> Iterator[Running]:
    """``hybrid-transcribe serve`` in an empty folder, on a free port; no page is kept warm."""
    empty = folder / "empty"
    empty.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "hybrid_transcribe", "serve", "--port", "0"]
    state = ["--state-dir", str(folder / "state")]
    fields = {"HYBRID_TRANSCRIBE_WARM_PAGES": "0", **more}
    with started("serve", [*command, *state, *arguments], empty, **fields) as running:
        line = running.until(lambda line: "is up at" in line)
        address = line.split()[-1]
        running.url, _, query = address.partition("/ui")
        fields = query.partition("?token=")[2]
        running.token = fields or (TOKEN if TOKEN in arguments else None)
        yield running


@contextmanager
def kernel(folder: Path) -> Iterator[Running]:
    """``service.serve()`` in a Python of its own."""
    command = [sys.executable, "-c", _IN_A_KERNEL, str(folder / "state"), TOKEN]
    with started("kernel", command, ROOT, PYTHONPATH=str(ROOT)) as running:
        running.url = running.until(lambda line: "up at" in line).split()[-1]
        yield running
        assert running.process.stdin is not None
        running.process.stdin.close()


@contextmanager
def jupyter(folder: Path) -> Iterator[Running]:
    """Jupyter Server below a path, with the extension, as a hub would start it."""
    run = folder / "run"
    command = [
        *(sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root", "--port=0"),
        *("--ServerApp.base_url=/user/ana/", f"--IdentityProvider.token={TOKEN}"),
        "--ServerApp.jpserver_extensions={'hybrid_transcribe': True}",
    ]
    own = {f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "DATA")}
    own |= {"JUPYTER_RUNTIME_DIR": str(run), "JUPYTER_NO_CONFIG": "1"}
    own |= {"HYBRID_TRANSCRIBE_STATE_DIR": str(folder / "state")}
    with started("jupyter", command, folder, **own) as running:
        running.until(lambda line: "is running at" in line)
        (message,) = run.glob("jpserver-*.json")
        payload = json.loads(message.read_text())
        running.url = f"http://127.0.0.1:{payload['port']}{payload['base_url']}hybrid-transcribe"
        yield running


HOSTS = {
    "kernel": kernel,
    "serve": lambda folder: serve(folder, "--token", TOKEN, "--base-url", "/some/where"),
    "jupyter": jupyter,
}
