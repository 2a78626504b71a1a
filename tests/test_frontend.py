"""The pages' JavaScript: built files are up to date, their sources typed and all of use."""

from __future__ import annotations

import hashlib
import json
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests import frontend
from tests.frontend import BUILT, ROOT, SOURCES
from tests.npm import install

AGAIN = "run `make build`"


def hashes(path: Path) -> dict[str, str]:
    """SHA-256 of each source that a built file names, by the source's path."""
    text = path.read_text(encoding="utf-8")
    return dict(re.findall(r"^ *// (frontend/\S+) sha256=(\w+)$", text, re.MULTILINE))


@pytest.mark.parametrize("page", BUILT)
def test_built_files_are_up_to_date(page: str) -> None:
    """Each names all modules of its folder, with the hash that they have now."""
    expected = {
        f"frontend/{page}/{name}": hashlib.sha256(text.encode()).hexdigest()
        for name, text in frontend.modules(SOURCES / page).items()
    }

    assert hashes(BUILT[page]) == expected, AGAIN


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources beside the packages of package.json; skipped where npm has them not."""
    folder = tmp_path_factory.mktemp("frontend")
    copy = folder / "frontend"
    shutil.copytree(SOURCES, copy, ignore=shutil.ignore_patterns("node_modules"))
    if (SOURCES / "node_modules" / ".made").is_file():
        (copy / "node_modules").symlink_to(SOURCES / "node_modules")
    else:
        needed = json.loads((SOURCES / "package.json").read_text(encoding="utf-8"))[
            "devDependencies"
        ]
        for name, version in needed.items():
            install(f"{name}@{version}", copy)
    return copy


def npm(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [shutil.which("npm") or pytest.skip("npm is not installed"), *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)


@pytest.mark.slow
@pytest.mark.network
def test_a_new_build_is_the_same(tools: Path) -> None:
    """Also where the build itself changed: byte by byte what is committed."""
    process = npm(tools, "run", "--silent", "build")

    assert process.returncode == 0, process.stderr
    for path in BUILT.values():
        built = (tools.parent / path.relative_to(SOURCES.parent)).read_bytes()
        assert built == path.read_bytes(), f"{path.name}: {AGAIN}"


@pytest.mark.slow
@pytest.mark.network
def test_types_fit(tools: Path) -> None:
    """Those of the messages are derived from the package, all others are in the sources."""
    subprocess.run([sys.executable, tools / "write_types.py"], cwd=tools, check=True)
    process = npm(tools, "run", "--silent", "types")

    assert process.returncode == 0, process.stdout


def test_every_module_and_every_export_is_used() -> None:
    """No dead code is sent to browsers."""
    texts = frontend.modules(frontend.PANEL)
    imported = {item for text in texts.values() for item in frontend.imports(text)}
    exported = {(name, item) for name, text in texts.items() for item in frontend.exports(text)}

    assert exported - imported == {("main.js", "default")}
    assert imported - exported == set()


@pytest.mark.parametrize("path", sorted(SOURCES.glob("*/*.js")), ids=lambda path: path.name)
def test_nothing_is_ever_read_as_markup(path: Path) -> None:
    """File names and transcripts cannot become elements or code, and nothing asks other hosts."""
    text = path.read_text(encoding="utf-8")
    parsers = (
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser"
    )

    assert not re.search(parsers, text)
    assert set(re.findall(r"https?://[^\"'`\s]+", text)) <= {"http://www.w3.org/2000/svg"}


def test_the_page_is_no_template() -> None:
    """Jinja includes the page's script in its document: nothing in it means something to Jinja."""
    assert not re.search(r"\{\{|\{%|\{#|</script", BUILT["page"].read_text(encoding="utf-8"))


@pytest.mark.slow
def test_a_wheel_has_the_built_files_and_no_sources(tmp_path: Path) -> None:
    """Who installs the package needs no Node."""
    from hatchling.builders.wheel import WheelBuilder

    (wheel,) = WheelBuilder(str(ROOT)).build(directory=str(tmp_path), versions=["standard"])
    with zipfile.ZipFile(wheel) as archive:
        names = archive.namelist()

    built = {str(path.relative_to(ROOT)) for path in BUILT.values()}
    assert built <= set(names)
    scripts = {name for name in names if name.startswith("hybrid_transcribe/") and ".js" in name}
    assert {name for name in scripts if name.endswith(".js")} - built == {
        "hybrid_transcribe/rest/docs/static/swagger-ui-bundle.js"
    }
