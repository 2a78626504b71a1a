"""The modules of the front end, joined into the one text that a notebook loads."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from hybrid_transcribe.hud import bundle

MODULES = sorted(bundle.STATIC.glob("*.js"))


def joined(sources: Mapping[str, str]) -> str:
    def read(name: str) -> str:
        if name not in sources:
            raise bundle.BundleError(f"no module {name!r}")
        return sources[name]

    return bundle.join(read)


def run(esm: str, tmp_path: Path) -> str:
    """What Node prints when it imports a module and calls its default export."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node")
    (tmp_path / "made.mjs").write_text(esm, encoding="utf-8")
    call = "import made from './made.mjs'; console.log(JSON.stringify(made()));"
    (tmp_path / "call.mjs").write_text(call, encoding="utf-8")
    message = subprocess.run([node, "call.mjs"], cwd=tmp_path, capture_output=True, text=True)
    assert message.returncode == 0, message.stderr
    return message.stdout


def test_modules_are_called_once_in_order_of_their_imports(tmp_path: Path) -> None:
    """What two modules share is one thing, and names of different modules never meet."""
    sources = {
        "main.js": 'import { a } from "./a.js";\nimport {\n  b,\n} from "./b.js";\n'
        "const own = 1;\nexport default () => [a(), b(), own];\n",
        "a.js": 'import { seen } from "./deep.js";\nconst own = "a";\n'
        "export function a() {\n  return seen(own);\n}\n",
        "b.js": 'import { seen } from "./deep.js";\nconst own = "b";\n'
        "export const b = () => seen(own);\n",
        "deep.js": "const all = [];\nexport function seen(one) {\n  all.push(one);\n"
        "  return [...all];\n}\n",
    }

    assert json.loads(run(joined(sources), tmp_path)) == [["a"], ["a", "b"], 1]


@pytest.mark.parametrize(
    ("sources", "told"),
    [
        ({"main.js": 'import { a } from "./a.js";\n'}, "no module 'a.js'"),
        ({"main.js": 'import { a } from "./a.js";\n', "a.js": "export const b = 1;\n"}, "a.js has"),
        (
            {
                "main.js": 'import { a } from "./a.js";\n',
                "a.js": 'import { b } from "./b.js";\nexport const a = 1;\n',
                "b.js": 'import { a } from "./a.js";\nexport const b = 1;\n',
            },
            "main.js -> a.js -> b.js -> a.js",
        ),
        ({"main.js": 'import all from "./a.js";\n'}, "another form"),
        (
            {"main.js": 'import { a } from "./a.js";\n', "a.js": "export default 1;\n"},
            "a.js has not|another form",
        ),
    ],
    ids=["missing module", "missing name", "circle", "other import", "other export"],
)
def test_what_does_not_fit_together_is_told(sources: dict[str, str], told: str) -> None:
    """A mistake between modules is found where they are joined, and is named."""
    with pytest.raises(bundle.BundleError, match=told):
        joined(sources)


def test_the_front_end_is_one_module() -> None:
    """Nothing is left to import, and there is one default export."""
    esm = bundle.esm()

    assert not re.search(r"^\s*import\b", esm, re.MULTILINE)
    assert re.findall(r"^export .*$", esm, re.MULTILINE) == ["export default () => {"]


def test_every_module_and_every_export_is_used() -> None:
    """No dead code is sent to browsers."""
    texts = {path.name: path.read_text(encoding="utf-8") for path in MODULES}
    imported = {
        (other, name)
        for text in texts.values()
        for names, other in bundle._imports(text)
        for name in names
    }
    exported = {
        (name, result[2])
        for name, text in texts.items()
        for result in bundle._EXPORT.finditer(text)
    }

    assert exported - imported == set()
    assert set(texts) - {other for other, _ in imported} == {bundle.MAIN}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.name)
def test_nothing_is_ever_read_as_markup(path: Path) -> None:
    """File names and transcripts cannot become elements or code, and nothing asks other hosts."""
    text = path.read_text(encoding="utf-8")
    parsers = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser"
    )

    assert not re.search(parsers, text)
    assert set(re.findall(r"https?://[^\"'`\s]+", text)) <= {"http://www.w3.org/2000/svg"}


def test_the_looks_stay_within_the_panel() -> None:
    """Every rule is about what is in the panel; no font or picture is fetched."""
    css = re.sub(r"/\*.*?\*/", "", bundle.css(), flags=re.DOTALL)
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
