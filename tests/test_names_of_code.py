"""The package's own words: one meaning a class name, the field's terms, one spelling."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parent.parent / "hybrid_transcribe"

#: Words that say nothing about a value: participles and pronouns.
DENIED = frozenset("told found shown given heard wanted asked left made one how known what".split())

#: Where one of them is right: file below the package, word, and why.
EXCEPTIONS: set[tuple[str, str]] = set()

#: Most functions of one class.
MOST_FUNCTIONS = 25

FILES = sorted(p for p in PACKAGE.rglob("*.py") if "node_modules" not in p.parts)

#: The pages' JavaScript, with its own exceptions: file below `FRONTEND`, word, and why.
FRONTEND = PACKAGE / "frontend"
SCRIPTS = sorted(p for p in FRONTEND.rglob("*.js") if "node_modules" not in p.parts)
SCRIPT_EXCEPTIONS = {
    # Fields of messages between panel and kernel.
    ("panel/hub.js", "how"),
    ("panel/transcript.js", "what"),
    # A blank in a text.
    ("panel/queue.js", "shown"),
}

#: What is no code in JavaScript: comments and plain strings; of templates what is not filled in.
_NO_CODE = re.compile(
    r"""//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'|`(?:\\.|[^`\\])*`""", re.DOTALL
)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _identifiers(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and name of every name, argument, attribute and keyword."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name):
            yield node.lineno, node.id
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, ast.Attribute):
            yield node.lineno, node.attr
        elif isinstance(node, ast.keyword) and node.arg:
            yield node.lineno, node.arg


def test_no_class_name_stands_in_two_modules() -> None:
    """A name means one thing in the whole package; private ones too."""
    modules = defaultdict(list)
    for path in FILES:
        for node in ast.walk(_tree(path)):
            if isinstance(node, ast.ClassDef):
                modules[node.name].append(str(path.relative_to(PACKAGE)))
    assert {name: files for name, files in modules.items() if len(files) > 1} == {}


def test_no_class_is_large() -> None:
    """A class has one task: at most 25 functions stand in its body."""
    sizes = {
        f"{path.relative_to(PACKAGE)}: {node.name}": sum(
            isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) for item in node.body
        )
        for path in FILES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.ClassDef)
    }
    assert {name: size for name, size in sizes.items() if size > MOST_FUNCTIONS} == {}


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_identifiers_say_what_a_value_is(path: Path) -> None:
    """No bare participle or pronoun for a local, an argument or an attribute."""
    file = path.relative_to(PACKAGE).as_posix()
    denied = [
        f"{file}:{line}: {name}"
        for line, name in _identifiers(_tree(path))
        if name.lstrip("_") in DENIED
        and (file, name) not in EXCEPTIONS
        # `Options.given` is public.
        and name != "given"
    ]
    assert denied == []


def _script_identifiers(path: Path) -> Iterator[str]:
    """Identifiers of a script, properties too."""

    def filling(match: re.Match[str]) -> str:
        return " ".join(re.findall(r"\$\{([^}]*)\}", match[0])) if match[0][0] == "`" else " "

    code = _NO_CODE.sub(filling, path.read_text(encoding="utf-8"))
    yield from re.findall(r"[A-Za-z_$][\w$]*", _NO_CODE.sub(" ", code))


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: str(path.relative_to(FRONTEND)))
def test_identifiers_of_scripts_say_what_a_value_is(path: Path) -> None:
    """As in Python: no bare participle or pronoun, and one spelling of canceled."""
    file = path.relative_to(FRONTEND).as_posix()
    names = set(_script_identifiers(path))

    assert {(file, name) for name in names & DENIED} <= SCRIPT_EXCEPTIONS
    assert {name for name in names if re.search("cancell(ed|ing)", name.lower())} == set()


def test_every_exception_is_used() -> None:
    """An exception whose reason is gone goes too."""
    in_scripts = {
        (path.relative_to(FRONTEND).as_posix(), name)
        for path in SCRIPTS
        for name in _script_identifiers(path)
    }
    assert SCRIPT_EXCEPTIONS - in_scripts == set()
    used = {
        (path.relative_to(PACKAGE).as_posix(), name)
        for path in FILES
        for _, name in _identifiers(_tree(path))
        if name in DENIED
    }
    assert EXCEPTIONS - used == set()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_canceled_has_one_spelling(path: Path) -> None:
    """The state and the wire say ``canceled``, and so do identifiers."""
    names = {name for _, name in _identifiers(_tree(path))}
    other = {name for name in names if re.search("cancell(ed|ing)", name.lower())}
    # asyncio and concurrent.futures spell theirs with two.
    assert other - {"CancelledError", "cancelled"} == set()
