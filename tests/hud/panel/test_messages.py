"""Messages in the panel: worded by code and parameters, as Python words them."""

from __future__ import annotations

import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from hybrid_transcribe import messages
from hybrid_transcribe.hud import assets
from hybrid_transcribe.messages import UserMessage, catalogue, message_info, sentences, translate
from hybrid_transcribe.messages.catalogue import blanks
from tests import frontend
from tests.frontend import PANEL

#: A name that would do harm where it is read as markup.
HOSTILE = "<img src=x onerror=globalThis.hurt=1>.wav"

OTHERS = sorted(set(messages.languages()) - {"en"})


def worded(said: list[str], language: str, folder: Path) -> list[dict[str, Any]]:
    """What the panel makes of messages in a language."""
    (folder / "constants.cjs").write_text(
        assets.constants().replace("const ", "globalThis."), encoding="utf-8"
    )
    script = (
        "import './constants.cjs';\n"
        f"import {{ messagesIn }} from {json.dumps((PANEL / 'messages.js').as_uri())};\n"
        f"const result = (all) => all.map(messagesIn({json.dumps(language)}).wording);"
    )
    payload = [asdict(message_info(text)) for text in said]
    answer: list[dict[str, Any]] = frontend.run(script, payload, folder)
    return answer


def example(code: str) -> UserMessage:
    """A message of that code with something in each blank."""
    params: dict[str, Any] = {}
    for blank in sorted(blanks(catalogue("en")[code])):
        name, spec = re.findall(r"\w+", blank)[0], blank.partition(":")[2]
        params[name] = 12.75 if spec else UserMessage("no_sound") if name == "why" else "it's"
    return UserMessage(code, **{"count": 2, **params} | ({"count": 1} if "count" in params else {}))


@pytest.mark.parametrize("language", OTHERS)
def test_the_panel_words_every_message_as_python_does(language: str, tmp_path: Path) -> None:
    """Quotes, figures, plural forms and messages within messages too."""
    codes = [code for code in catalogue("en") if "." not in code and code[0] != "@"]
    said = [example(code) for code in codes]
    expected = [{"text": translate(text, language), "lang": None} for text in said]

    assert dict(zip(codes, worded(list(said), language, tmp_path), strict=True)) == dict(
        zip(codes, expected, strict=True)
    )


def test_what_has_no_code_stays_english(tmp_path: Path) -> None:
    """And says so; names are text, whatever is in them."""
    hostile = UserMessage("empty", name=HOSTILE)
    figures = UserMessage("cut_short", at=5.5, most=123456.5)
    said = [
        "as a library says",
        "",
        UserMessage.restored("Mine.", "mine.new", {}),
        hostile,
        figures,
    ]

    assert worded(said, "pt-BR", tmp_path) == [
        {"text": "as a library says", "lang": "en"},
        {"text": "", "lang": None},
        {"text": "Mine.", "lang": "en"},
        {"text": f"{HOSTILE}: o arquivo está vazio (0 bytes)", "lang": None},
        {"text": "Incompleto: o arquivo termina em 5,5 s de 123.456,5 s.", "lang": None},
    ]
    english = worded([*said, sentences(hostile, "More.")], "en", tmp_path)
    assert [item["lang"] for item in english] == [None] * 6
    assert english[-1]["text"] == f"{hostile} More."
