"""environment.yml says the same as pyproject.toml."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

REPOSITORY = Path(__file__).resolve().parent.parent
TEXT = (REPOSITORY / "environment.yml").read_text(encoding="utf-8")
ENVIRONMENT: dict[str, Any] = yaml.safe_load(TEXT)
PROJECT: dict[str, Any] = tomllib.loads(
    (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
)["project"]

#: Each group of environment.yml with the extras it lists; the core where there are none.
GROUPS: dict[str, tuple[str, ...]] = {
    "run": (),
    "app": ("app",),
    "engines": (
        "starter",
        "openai-whisper",
        "transformers",
        "sherpa-onnx",
        "assemblyai",
        "nested",
    ),
    "compare": ("compare",),
    "bench": ("bench",),
    "test": ("test",),
    "style": ("dev",),
}


def _canonical(lines: list[str]) -> set[str]:
    """Requirements in one spelling, without the package's own extras."""
    requirements = map(Requirement, lines)
    return {str(r) for r in requirements if r.name != PROJECT["name"]}


def _group(name: str) -> list[str]:
    """The requirements between a group's heading and the next one."""
    body = re.search(rf"# --- {name}\n(.*?)(?=\n *# ---|\Z)", TEXT, re.DOTALL)
    assert body, f"environment.yml has no group {name!r}"
    return [line.strip()[2:].split("  #")[0] for line in body[1].splitlines()]


@pytest.mark.parametrize(("group", "extras"), GROUPS.items())
def test_a_group_lists_what_pyproject_lists(group: str, extras: tuple[str, ...]) -> None:
    """The same names, ranges and markers, in either way to install."""
    optional = PROJECT["optional-dependencies"]
    items = [line for extra in extras for line in optional[extra]] or PROJECT["dependencies"]

    assert _canonical(_group(group)) == _canonical(items)


def test_nothing_is_listed_outside_the_groups() -> None:
    """Every entry belongs to a group that is compared, but for the package itself."""
    *_, packages = ENVIRONMENT["dependencies"]
    grouped = [line for group in GROUPS for line in _group(group)]

    assert packages["pip"] == [*grouped, "-e ."]


def test_python_is_as_new_as_the_package_needs() -> None:
    """Conda's Python satisfies the package's own demand."""
    assert f"python{PROJECT['requires-python']}" in ENVIRONMENT["dependencies"]


def test_every_entry_says_why_it_is_there() -> None:
    """A comment an entry."""
    entries = [line for line in TEXT.splitlines() if line.startswith("      - ")]

    assert [line for line in entries if "  # " not in line] == []
