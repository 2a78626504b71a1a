"""The pages in Markdown, and the code blocks and links in them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: Every page that people read.
PAGES = tuple(
    path
    for path in (
        ROOT / "README.md",
        ROOT / "CONTRIBUTING.md",
        *sorted((ROOT / "docs").rglob("*.md")),
    )
    if path.is_file()
)

SHELLS = ("bash", "console", "sh")

_BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """A fenced block of code: the word behind its fence, and what is in it."""

    language: str
    text: str

    @property
    def file_name(self) -> str | None:
        """The name of the file that it is, where its first line says so."""
        first = re.match(r"# (\w+\.py)\n", self.text)
        return first[1] if first else None


def name_of(page: Path) -> str:
    """The page's path in the repository."""
    return page.relative_to(ROOT).as_posix()


def blocks(page: Path, *languages: str) -> list[Block]:
    """The fenced blocks of a page in those languages, in order; all of them if none is named."""
    every = [Block(*match) for match in _BLOCK.findall(page.read_text(encoding="utf-8"))]
    return [block for block in every if not languages or block.language in languages]


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return _BLOCK.sub("", page.read_text(encoding="utf-8"))


def shell_lines(page: Path) -> list[str]:
    """Every command of a page, without comments; lines that go on are joined."""
    text = "".join(block.text for block in blocks(page, *SHELLS)).replace("\\\n", " ")
    lines = (
        re.sub(r"(^|\s+)#.*", "", line).removeprefix("$ ").strip() for line in text.split("\n")
    )
    return [line for line in lines if line]
