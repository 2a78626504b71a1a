"""What the pages name is there: pages, anchors, files, and names of the code."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, ROOT, blocks, name_of, prose

#: Longest README that people still read, in lines.
README_LINES = 200

LINKED = (*PAGES, ROOT / "CHANGELOG.md", ROOT / "voila_app" / "README.md")

#: Pages for those who change the code: every name in their inline code is one of the code.
INSIDE = tuple(
    page
    for page in PAGES
    if name_of(page) in ("CONTRIBUTING.md", "docs/architecture.md", "docs/glossary.md")
)

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")
_FILE = re.compile(r"[\w.-]+(?:/[\w.-]+)*\.(?:py|js|mjs|ts|json|toml|yml|md|ipynb|css|html)")
_FOLDER = re.compile(r"[\w.-]+(?:/[\w.-]+)*/?")
_NAME = re.compile(r"[A-Za-z_][\w.]*(?:\(\))?")

#: A file, and names in it: ``jobs/eta.py`: `arrivals`, `Stopwatch``.
_NAMES_IN_FILE = re.compile(r"`([\w/.-]+\.\w+)`: ((?:`\w[\w.]*`(?:, | and )?)+)")
_BASES = ("", "hybrid_transcribe/", "tests/", "docs/")

#: Folders of the repository in which nothing of it is.
_NOT_OURS = ("node_modules", "build", "dist", "out", "__pycache__")

#: Files that people have, not we, and names of other people's libraries.
THEIRS = {"alignment_heads.json", "asyncio.run", "hybrid_transcribe/default"}


def _files() -> set[str]:
    """Every file and folder of the repository, by its path in it."""
    paths: set[str] = set()
    for folder, folders, names in _walk(ROOT):
        paths.update((folder / name).relative_to(ROOT).as_posix() for name in (*folders, *names))
    return paths


def _walk(top: Path) -> list[tuple[Path, list[str], list[str]]]:
    rows = []
    for path in sorted(top.iterdir()):
        if path.is_dir() and path.name not in _NOT_OURS and not path.name.startswith("."):
            rows += _walk(path)
    folders = [p.name for p in top.iterdir() if p.is_dir() and p.name not in _NOT_OURS]
    return [(top, folders, [p.name for p in top.iterdir() if p.is_file()]), *rows]


FILES = _files()
BASE_NAMES = {path.rpartition("/")[2] for path in FILES}


@cache
def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", prose(page), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


@pytest.mark.parametrize("page", LINKED, ids=name_of)
def test_every_link_leads_somewhere(page: Path) -> None:
    """Files of this repository, and headings in them."""
    for target in _LINK.findall(prose(page)):
        path, _, anchor = target.partition("#")
        if re.match(r"\w+:", path):
            continue
        goal = (page.parent / path).resolve() if path else page
        assert goal.exists(), target
        assert not anchor or anchor in anchors(goal), target


def _is_there(page: Path, text: str) -> bool:
    """Whether some file or folder of ours has this name, seen from where people may stand."""
    text = text.rstrip("/")
    bases = (*_BASES, f"{page.parent.relative_to(ROOT)}/")
    if any(f"{base}{text}".removeprefix("./") in FILES for base in bases):
        return True
    return "/" not in text and text in BASE_NAMES


def _is_path(text: str) -> bool:
    if _FILE.fullmatch(text):
        return True
    first, slash, _ = text.partition("/")
    inside = first in ("hybrid_transcribe", "tests", "docs", "notebooks", "voila_app")
    inside = inside or f"hybrid_transcribe/{first}" in FILES
    return bool(slash and inside and _FOLDER.fullmatch(text))


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_named_is_there(page: Path) -> None:
    """So that a module that moves is noticed."""
    own = {block.file_name for block in blocks(page, "python")} | THEIRS
    named = [text for text in _CODE.findall(prose(page)) if _is_path(text) and text not in own]
    assert [text for text in named if not _is_there(page, text)] == []


@cache
def _words() -> frozenset[str]:
    """Every word of our sources."""
    suffixes = (".py", ".js", ".json", ".toml")
    paths = [ROOT / p for p in FILES if p.endswith(suffixes) and "/docs/static/" not in p]
    text = "\n".join(
        p.read_text(encoding="utf-8") for p in (*paths, ROOT / "Makefile") if "docs" not in p.parts
    )
    return frozenset(re.findall(r"[A-Za-z_]\w*", text))


@pytest.mark.parametrize("page", INSIDE, ids=name_of)
def test_every_name_of_the_code_is_there(page: Path) -> None:
    """So that a class that is renamed is noticed."""
    names = [
        text.removesuffix("()") for text in _CODE.findall(prose(page)) if _NAME.fullmatch(text)
    ]
    names = [name for name in names if not _FILE.fullmatch(name) and name not in THEIRS]
    assert [name for name in names if not set(name.split(".")) <= _words()] == []


@pytest.mark.parametrize("page", INSIDE, ids=name_of)
def test_names_are_in_the_files_that_are_named_with_them(page: Path) -> None:
    """``jobs/eta.py`: `arrivals`, `Stopwatch``: where to change what stays true."""
    for file, names in _NAMES_IN_FILE.findall(prose(page)):
        path = next(ROOT / f"{base}{file}" for base in _BASES if f"{base}{file}" in FILES)
        words = set(re.findall(r"\w+", path.read_text(encoding="utf-8")))
        for name in _CODE.findall(names):
            assert set(name.split(".")) <= words, (file, name)


def test_pages_that_the_code_names_are_there() -> None:
    """In docstrings and comments of the package and of the tests."""
    text = "\n".join((ROOT / p).read_text(encoding="utf-8") for p in FILES if p.endswith(".py"))
    named = set(re.findall(r"\bdocs/[\w/-]+\.md", text))
    assert sorted(name for name in named if name not in FILES) == []


def test_the_index_has_every_page() -> None:
    """From docs/README.md each page of the folder is one click away."""
    index = ROOT / "docs" / "README.md"
    targets = {(index.parent / t.partition("#")[0]).resolve() for t in _LINK.findall(prose(index))}
    pages = {page for page in PAGES if page.is_relative_to(index.parent) and page != index}
    assert sorted(map(name_of, pages - targets)) == []


def test_the_layers_have_every_part_of_the_package() -> None:
    """The architecture says of each module and folder at the top what it is for."""
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    section = page.partition("## Layers")[2].partition("\n## ")[0]
    paths = (ROOT / "hybrid_transcribe").iterdir()
    names = [p.name + "/" * p.is_dir() for p in paths if p.is_dir() or p.suffix == ".py"]
    parts = [name for name in names if not name.startswith("_")]
    assert [name for name in parts if f"`{name}`" not in section] == []


def test_the_readme_is_short() -> None:
    """What does not fit is in docs/."""
    assert len((ROOT / "README.md").read_text(encoding="utf-8").splitlines()) <= README_LINES


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_nothing_is_left_to_fill_in(page: Path) -> None:
    """No marker of ours is still in the text."""
    assert not re.search(r"@[A-Z]+@|TODO|FIXME|XXX", page.read_text(encoding="utf-8"))
