"""Which messages the package's code makes: by its syntax trees."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import hybrid_transcribe

PACKAGE = Path(hybrid_transcribe.__file__).parent


@dataclass(frozen=True)
class Made:
    """One call that makes a message: where, its code (None where that is computed), its blanks."""

    place: str
    code: str | None
    names: frozenset[str]
    with_more: bool


@cache
def trees() -> dict[str, ast.Module]:
    """The package's modules, parsed."""
    return {
        path.relative_to(PACKAGE).as_posix(): ast.parse(path.read_text(encoding="utf-8"))
        for path in sorted(PACKAGE.rglob("*.py"))
        if "node_modules" not in path.parts
    }


def made() -> Iterator[Made]:
    """Every call of `UserMessage`."""
    for file, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "UserMessage":
                names = frozenset(word.arg for word in node.keywords if word.arg)
                more = any(word.arg is None for word in node.keywords)
                for code in _codes(node.args[0]):
                    yield Made(f"{file}:{node.lineno}", code, names, more)


def _codes(node: ast.expr) -> Iterator[str | None]:
    if isinstance(node, ast.IfExp):
        yield from (*_codes(node.body), *_codes(node.orelse))
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    else:
        yield None


@cache
def literals() -> frozenset[str]:
    """All texts in the package's code."""
    return frozenset(
        node.value
        for tree in trees().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def first_arguments() -> Iterator[tuple[str, str, bool]]:
    """Place and name of every call with arguments, and whether one of its texts is in the code."""
    for file, tree in trees().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and node.args:
                name = ast.unparse(node.func).rpartition(".")[2]
                yield f"{file}:{node.lineno}", name, any(map(_is_text, node.args))


def _is_text(node: ast.expr) -> bool:
    if isinstance(node, ast.Constant):
        return isinstance(node.value, str) and " " in node.value
    if isinstance(node, ast.IfExp):
        return _is_text(node.body) or _is_text(node.orelse)
    return isinstance(node, ast.JoinedStr | ast.BinOp)
