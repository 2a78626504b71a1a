"""Processes seen from outside."""

from __future__ import annotations

import psutil


def command_of(process: psutil.Process) -> list[str]:
    """Arguments of a process, empty if it has ended meanwhile (a zombie has none either)."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []
