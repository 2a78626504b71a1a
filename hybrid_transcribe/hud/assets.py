"""The panel's front end as anywidget takes it: one ES module, one style sheet.

``static/panel.bundle.js`` is built from the modules in ``frontend/panel`` (``make build``). The
catalogues of `hybrid_transcribe.messages` are a constant before it, so that a changed text needs
no build.
"""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from hybrid_transcribe.messages import DEFAULT_LANGUAGE, catalogues

_STATIC = Path(__file__).parent / "static"


def esm() -> str:
    """The front end as one ES module with a default export."""
    return f"{constants()}\n{_static('panel.bundle.js')}"


def constants() -> str:
    """JavaScript that defines the catalogues, those of plug-ins included.

    English has only the panel's own: messages come with their English text.
    """
    by_language = {
        language: {code: text for code, text in texts.items() if _is_needed(code, language)}
        for language, texts in catalogues().items()
    }
    return f"const CATALOGUES = {json.dumps(by_language, ensure_ascii=False)};"


def _is_needed(code: str, language: str) -> bool:
    if code.startswith(("@", "page.", "about.")):
        return code == "@name"
    return "." in code or language != DEFAULT_LANGUAGE


@lru_cache(maxsize=1)
def css() -> str:
    """The style sheet."""
    return _static("style.css")


@lru_cache
def _static(name: str) -> str:
    return (_STATIC / name).read_text(encoding="utf-8")
