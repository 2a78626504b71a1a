"""The panel's front end as anywidget takes it: one ES module, one style sheet.

A notebook loads a widget's code from one text, and cannot follow imports beside it. So the
modules of `static` are joined here: each becomes a function that is called once, in the order
of their imports, and gives what it exports. Names of different modules never meet.

Modules may use ``import { a, b } from "./other.js"`` and ``export function | const | class``;
`main.js` alone has ``export default``. ``./strings.js`` and ``./sentences.js`` are the catalogues
in `strings`. What does not resolve, or goes round in a circle, is a `BundleError`: found by
tests, not by people.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
STATIC = _HERE / "static"
CATALOGUE = _HERE / "strings" / "panel.json"
SENTENCES = _HERE / "strings" / "told.json"

#: Where the bundle begins.
MAIN = "main.js"

#: The modules that are made of catalogues.
_MADE = {"strings.js": ("STRINGS", CATALOGUE), "sentences.js": ("SENTENCES", SENTENCES)}

_IMPORT = re.compile(r'^import\s*\{([^}]*)\}\s*from\s*"\./([\w.-]+)";[ \t]*$', re.MULTILINE)
_EXPORT = re.compile(r"^export\s+((?:async\s+)?(?:function\*?|const|class)\s+(\w+))", re.MULTILINE)
_DEFAULT = re.compile(r"^export\s+default\s+", re.MULTILINE)
_OTHER = re.compile(r"^(?:import|export)\b.*$", re.MULTILINE)


class BundleError(Exception):
    """The modules do not fit together."""


def strings() -> dict[str, Any]:
    """All that people read: key, then language, to text or to plural forms."""
    return _catalogue(CATALOGUE)


def sentences() -> dict[str, Any]:
    """What the engine room tells people, as `strings`; the first of which the English fits."""
    return _catalogue(SENTENCES)


def _catalogue(path: Path) -> dict[str, Any]:
    payload: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return payload


@lru_cache(maxsize=1)
def esm() -> str:
    """The front end as one ES module with a default export."""
    return join(_read)


@lru_cache(maxsize=1)
def css() -> str:
    """The style sheet."""
    return (STATIC / "style.css").read_text(encoding="utf-8")


def _read(name: str) -> str:
    if name in _MADE:
        constant, path = _MADE[name]
        return f"export const {constant} = {json.dumps(_catalogue(path), ensure_ascii=False)};\n"
    try:
        return (STATIC / name).read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BundleError(f"no module {name!r}") from None


def join(read: Callable[[str], str], main: str = MAIN) -> str:
    """Join modules into one; ``read`` gives the text of each by its file name."""
    sources: dict[str, str] = {}
    exports: dict[str, tuple[str, ...]] = {}

    def visit(name: str, importers: tuple[str, ...]) -> None:
        if name in importers:
            raise BundleError(f"a circle of imports: {' -> '.join((*importers, name))}")
        if name in sources:
            return
        text = read(name)
        for required, other in _imports(text):
            visit(other, (*importers, name))
            if lacking := set(required) - set(exports[other]):
                raise BundleError(f"{name} imports {sorted(lacking)} which {other} has not")
        exports[name] = tuple(result[2] for result in _EXPORT.finditer(text))
        sources[name] = text

    visit(main, ())
    parts = [_function(name, sources[name], exports[name]) for name in sources if name != main]
    return "\n".join([*parts, _body(main, sources[main], last=True)])


def _imports(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    for result in _IMPORT.finditer(text):
        yield tuple(name.strip() for name in result[1].split(",") if name.strip()), result[2]


def _function(name: str, text: str, exported: tuple[str, ...]) -> str:
    body = _body(name, text)
    return (
        f"const {_variable(name)} = (() => {{\n{body}\nreturn {{ {', '.join(exported)} }};\n}})();"
    )


def _body(name: str, text: str, last: bool = False) -> str:
    text = _IMPORT.sub(lambda result: f"const {{{result[1]}}} = {_variable(result[2])};", text)
    text = _EXPORT.sub(r"\1", text)
    remaining = _DEFAULT.sub("", text) if last else text
    if odd := _OTHER.search(remaining):
        raise BundleError(f"{name} has an import or export of another form: {odd[0]!r}")
    return text.rstrip()


def _variable(name: str) -> str:
    return "$" + re.sub(r"\W", "_", name.removesuffix(".js"))
