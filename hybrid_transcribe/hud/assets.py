"""The panel's front end as anywidget takes it: one ES module, one style sheet.

``static/panel.bundle.js`` is built from the modules in ``frontend/panel`` (``make build``). The
catalogues in ``strings`` are constants before it, so that a changed text needs no build.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
CATALOGUE = _HERE / "strings" / "panel.json"
SENTENCES = _HERE / "strings" / "told.json"


def strings() -> dict[str, Any]:
    """All that people read: key, then language, to text or to plural forms."""
    return _catalogue(CATALOGUE)


def sentences() -> dict[str, Any]:
    """What the engine room tells people, as `strings`; the first of which the English fits."""
    return _catalogue(SENTENCES)


@lru_cache(maxsize=1)
def esm() -> str:
    """The front end as one ES module with a default export."""
    return f"{constants()}\n{_static('panel.bundle.js')}"


def constants() -> str:
    """JavaScript that defines the catalogues under the names that the modules use."""
    by_name = {"STRINGS": strings(), "SENTENCES": sentences()}
    return "\n".join(
        f"const {name} = {json.dumps(catalogue, ensure_ascii=False)};"
        for name, catalogue in by_name.items()
    )


@lru_cache(maxsize=1)
def css() -> str:
    """The style sheet."""
    return _static("style.css")


def _static(name: str) -> str:
    return (_HERE / "static" / name).read_text(encoding="utf-8")


def _catalogue(path: Path) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return payload
