"""A network of nothing but a trap: ``python -m tests.network_trap COMMAND…``, run by `trapped`.

In a network namespace of its own a command has loopback, and one more interface with a default
route, behind which nobody answers and everything is written down. So an attempt to reach anything
is seen, whatever library makes it and however quietly it fails. Needs Linux, root and iproute2.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

_SETUP = (
    "link set lo up",
    "link add near type veth peer name far",
    "link set near up",
    "link set far up",
    "address add 10.77.0.1/24 dev near",
    # Without an answer to ARP no packet would leave.
    "neighbour add 10.77.0.2 lladdr 02:00:00:00:00:02 dev near",
    "route add default via 10.77.0.2",
)

_ALL_PROTOCOLS = 0x0003
_IPV4, _IPV6 = 0x0800, 0x86DD
_TCP, _UDP = 6, 17


@dataclass(frozen=True)
class Trapped:
    """How a command ended, and every address that it tried to reach."""

    status: int
    stdout: str
    stderr: str
    attempts: list[str]


def trapped(command: Sequence[str], **environment: str) -> Trapped:
    """Run a command in the trap. Skips the test where that cannot be."""
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("network namespaces need Linux and root")
    if not shutil.which("unshare") or not shutil.which("ip"):
        pytest.skip("needs unshare and ip")
    ran = subprocess.run(
        ["unshare", "-n", sys.executable, "-m", "tests.network_trap", *command],
        capture_output=True,
        text=True,
        timeout=540,
        check=False,
        cwd=Path(__file__).resolve().parent.parent,
        env={**os.environ, **environment},
    )
    if not ran.stdout:
        pytest.skip(f"no network namespace here: {ran.stderr.strip()[-200:]}")
    return Trapped(**json.loads(ran.stdout))


def main() -> None:
    """Set the trap, run the command and print what became of it as JSON."""
    for line in _SETUP:
        subprocess.run(["ip", *line.split()], check=True)
    attempts: dict[str, None] = {}
    far = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_ALL_PROTOCOLS))
    far.bind(("far", 0))
    threading.Thread(target=_watch, args=(far, attempts), daemon=True).start()
    ran = subprocess.run(sys.argv[1:], capture_output=True, text=True, check=False)
    message = Trapped(ran.returncode, ran.stdout, ran.stderr, list(attempts))
    print(json.dumps(vars(message)))


def _watch(far: socket.socket, attempts: dict[str, None]) -> None:
    while True:
        frame, sender = far.recvfrom(65_536)
        if sender[2] != socket.PACKET_OUTGOING and (result := _destination(frame)):
            attempts[result] = None


def _destination(frame: bytes) -> str | None:
    """Address and port of a packet of TCP or UDP; None for what systems say by themselves."""
    (kind,) = struct.unpack_from("!H", frame, 12)
    packet = frame[14:]
    if kind == _IPV4:
        protocol, address = packet[9], socket.inet_ntop(socket.AF_INET, packet[16:20])
        body = packet[(packet[0] & 0x0F) * 4 :]
    elif kind == _IPV6:
        protocol, address = packet[6], socket.inet_ntop(socket.AF_INET6, packet[24:40])
        body = packet[40:]
    else:
        return None
    if protocol not in (_TCP, _UDP):
        return None
    (port,) = struct.unpack_from("!H", body, 2)
    name = f" {body[20:80]!r}" if port == 53 else ""
    return f"{'tcp' if protocol == _TCP else 'udp'} {address}:{port}{name}"


if __name__ == "__main__":
    main()
