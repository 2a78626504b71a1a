"""The panel's front end as the text and the style sheet that a notebook loads."""

from __future__ import annotations

import re

from hybrid_transcribe.hud import assets


def test_the_front_end_is_one_module() -> None:
    """Nothing is left to import, and there is one default export."""
    esm = assets.esm()

    assert not re.search(r"^\s*import\b", esm, re.MULTILINE)
    assert re.findall(r"^export .*", esm, re.MULTILINE) == ["export {"]
    assert esm.endswith("export {\n  main_default as default\n};\n")


def test_the_looks_stay_within_the_panel() -> None:
    """Every rule is about what is in the panel; no font or picture is fetched."""
    css = re.sub(r"/\*.*?\*/", "", assets.css(), flags=re.DOTALL)
    assert "url(" not in css
    assert "@import" not in css

    css = re.sub(r"@keyframes[^{]*\{(?:[^{}]*\{[^}]*\})*[^}]*\}", "", css)
    heads = re.findall(r"([^{}]+)\{", css)
    selectors = [
        item.strip()
        for head in heads
        if not head.strip().startswith("@")
        for item in re.split(r",(?![^()]*\))", head)
    ]
    assert [selector for selector in selectors if not selector.startswith(".ht-hud")] == []
