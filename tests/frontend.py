"""The pages' JavaScript: where its modules and the files built from them are, and how to run it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "hybrid_transcribe" / "frontend"
PANEL = SOURCES / "panel"

#: The files that the package ships, by the folder below `SOURCES` that they are built from.
BUILT = {
    "panel": ROOT / "hybrid_transcribe" / "hud" / "static" / "panel.bundle.js",
    "page": ROOT / "hybrid_transcribe" / "rest" / "hosts" / "ui" / "template" / "page.bundle.js",
    "docs": ROOT / "hybrid_transcribe" / "rest" / "docs" / "static" / "page.bundle.js",
}

_IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"\./([\w.-]+)";$', re.MULTILINE)
_EXPORT = re.compile(
    r"^export\s+(?:(?:async\s+)?(?:function\*?|const|class)\s+(\w+)|(default)\b)", re.MULTILINE
)


def modules(folder: Path) -> dict[str, str]:
    """The text of each module of a page by its file name."""
    return {path.name: path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.js"))}


def imports(text: str) -> list[tuple[str, str]]:
    """Other module and name of each import of a module."""
    return [
        (match[2], name.strip())
        for match in _IMPORT.finditer(text)
        for name in match[1].split(",")
        if name.strip()
    ]


def exports(text: str) -> list[str]:
    """Names that a module exports."""
    return [match[1] or match[2] for match in _EXPORT.finditer(text)]


def run(script: str, payload: Any, folder: Path) -> Any:
    """What Node's ``result(payload)`` returns, as JSON; ``script`` is a module that defines it.

    The test is skipped where there is no Node.
    """
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node")
    (folder / "payload.json").write_text(json.dumps(payload), encoding="utf-8")
    (folder / "call.mjs").write_text(
        f"{script}\nimport {{ readFileSync }} from 'node:fs';\n"
        "const payload = JSON.parse(readFileSync('payload.json', 'utf-8'));\n"
        "console.log(JSON.stringify(await result(payload)));\n",
        encoding="utf-8",
    )
    process = subprocess.run(
        [node, "call.mjs"], cwd=folder, capture_output=True, encoding="utf-8", timeout=120
    )
    assert process.returncode == 0, process.stderr
    return json.loads(process.stdout)
