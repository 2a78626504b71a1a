"""JavaScript packages for tests, by name from the npm registry."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest


def install(package: str, folder: Path) -> Path:
    """Install a package below ``folder``; returns its own folder.

    The test is skipped where there is no npm, or no registry that it reaches.
    """
    npm = shutil.which("npm")
    if npm is None:
        pytest.skip("npm is not installed")
    result = subprocess.run(
        [npm, "install", "--no-audit", "--no-fund", "--prefix", str(folder), package],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=90,
    )
    if result.returncode:
        pytest.skip(f"npm cannot install {package}: {result.stderr[-200:]}")
    name = package if "@" not in package[1:] else package[: package.rindex("@")]
    return folder / "node_modules" / name
