"""The panel's texts: all in the catalogue, and none too many."""

from __future__ import annotations

import re
from functools import cache

from hybrid_transcribe import errors
from hybrid_transcribe.messages import catalogue
from hybrid_transcribe.types import Stage, State
from tests.frontend import PANEL

#: The panel's own texts: those of messages have codes without a dot.
TEXTS = {
    code for code in catalogue("en") if "." in code and not code.startswith(("page.", "about."))
}

#: Words in code that no person reads: names of keys, of errors of browsers, of requests.
NOT_TEXT = {"Enter", "Escape"}


@cache
def code() -> str:
    modules = sorted(PANEL.glob("*.js"))
    text = "\n".join(path.read_text(encoding="utf-8") for path in modules)
    return re.sub(r"^\s*(//|\*|/\*\*).*$", "", text, flags=re.MULTILINE)


def families() -> set[str]:
    """Beginnings of keys whose end is known only when the panel runs: ``state.``."""
    return set(re.findall(r"`([a-z_]+\.)\$\{", code()))


def test_every_text_that_is_asked_for_is_there() -> None:
    """No key is shown in place of a text."""
    requested = set(re.findall(r"\bt\(\s*\"([\w.-]+)\"", code()))
    requested |= set(re.findall(r"\? t\(\"([\w.-]+)\"", code()))

    assert requested
    assert requested - TEXTS == set()


def test_no_text_is_left_over() -> None:
    """A text that nothing asks for goes."""
    items = tuple(families())
    unused = [
        key for key in sorted(TEXTS) if f'"{key}"' not in code() and not key.startswith(items)
    ]

    assert unused == []


def test_every_error_state_and_stage_has_words() -> None:
    """Whatever goes wrong is told in the reader's language."""
    is_required = {f"error.{code}" for code in errors.codes()}
    is_required |= {f"state.{state}" for state in (*State, "rejected")}
    is_required |= {f"stage.{stage}" for stage in Stage}

    assert is_required - TEXTS == set()


def test_every_option_has_a_name() -> None:
    """Options are asked for in words."""
    options = (PANEL / "options.js").read_text(encoding="utf-8")
    names = re.findall(r'\{ name: "(\w+)"', options)

    assert len(names) > 20
    assert {f"option.{name}" for name in names} - TEXTS == set()


def test_no_text_is_left_in_the_code() -> None:
    """What people read is in the catalogue alone: code has no words that begin like a sentence."""
    # A font, a MIME type or a class is no sentence: those begin with a capital and go on small.
    result = re.findall(r"[\"`]([A-Z][a-z]+(?: [^\"`]*)?)[\"`]", code())

    assert set(result) - NOT_TEXT == set()
