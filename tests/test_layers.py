"""Imports go down the layers only, and the package is light to import."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = "hybrid_transcribe"
FOLDER = Path(__file__).resolve().parent.parent / PACKAGE

# From bottom to top. A module may import from every layer below its own. The units of one
# layer (a unit is a module, or a folder with all that is in it) may import each other only
# where the layer says so. The longest prefix of a module's name decides where it belongs.
#
#   layer        units import each other   units
LAYERS: list[tuple[str, bool, str]] = [
    ("core",       True,  "core _version messages"),
    ("words",      True,  "types revision_types errors events core.languages"),
    ("contracts",  True,  "config interfaces protocol registry contract"
                          " postprocessor_contract service_protocol"),
    ("devices",    True,  "devices speakers"),
    ("leaves",     False, "audio engines models outputs executors postprocessors"
                          " revisions samples testing wire"),
    ("machinery",  False, "worker jobs"),
    ("door",       True,  "jobs.service jobs.service_base jobs.local_thread jobs.local_jobs"
                          " jobs.local_hosting jobs.handle jobs.job_text jobs.transcript_edit"
                          " remote api progress doctor engines.listing postprocessors.listing"
                          " models.advice comparison uploads outbound"),
    ("faces",      False, "hud rest"),
    ("command",    True,  "cli"),
]  # fmt: skip

#: These tie the package together and may import anything.
OUTSIDE = {"", "__main__"}

PLACES = {
    unit: (height, layer, together)
    for height, (layer, together, units) in enumerate(LAYERS)
    for unit in units.split()
}

HEAVY = {
    "IPython",
    "anywidget",
    "assemblyai",
    "av",
    "ctranslate2",
    "faster_whisper",
    "httpx",
    "huggingface_hub",
    "ipywidgets",
    "jupyter_server",
    "onnxruntime",
    "tokenizers",
    "torch",
    "tqdm",
    "transformers",
    "whisper",
}


def unit_of(module: str) -> str | None:
    """The unit a module (named from the package on) belongs to, None if no layer knows it."""
    parts = module.split(".")
    prefixes = (".".join(parts[:n]) for n in range(len(parts), 0, -1))
    return next((prefix for prefix in prefixes if prefix in PLACES), None)


def offence(importer: str, imported: str) -> str | None:
    """Why that import may not be, or None."""
    own, other = unit_of(importer), unit_of(imported)
    if own is None or other is None:
        unknown = importer if own is None else imported or "the package itself"
        return f"imports {imported or PACKAGE}: no layer knows {unknown}"
    (height, layer, together), (other_height, other_layer, _) = PLACES[own], PLACES[other]
    if own == other or other_height < height or (other_height == height and together):
        return None
    way = "beside" if other_height == height else "above"
    return f"({layer}) imports {imported} ({other_layer}), which lies {way} it"


def imports(tree: ast.AST, package: str) -> Iterator[tuple[int, str]]:
    """Line and full name of every module imported, in functions too, but for type checkers."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from ((node.lineno, name) for name in _from(node, package))
        elif isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for otherwise in node.orelse:
                yield from imports(ast.Module([otherwise], []), package)
        else:
            yield from imports(node, package)


def _from(node: ast.ImportFrom, package: str) -> Iterator[str]:
    """``from a import b`` is an import of a.b where that is a module of ours, else of a."""
    base = node.module or ""
    if node.level:
        above = package.split(".")[: -(node.level - 1) or None]
        base = ".".join([*above, *filter(None, [base])])
    for alias in node.names:
        name = f"{base}.{alias.name}"
        yield name if _is_module(name) else base


@cache
def _is_module(name: str) -> bool:
    path = FOLDER.parent.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


def _ours(name: str) -> str | None:
    """A module's name from the package on, None if it is another's."""
    head, _, rest = name.partition(".")
    return rest if head == PACKAGE else None


def _modules() -> dict[str, Path]:
    result = {}
    for path in sorted(FOLDER.rglob("*.py")):
        parts = path.relative_to(FOLDER).with_suffix("").parts
        if parts[0] == "frontend":  # a tool of the build, which is not shipped
            continue
        result[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return result


MODULES = _modules()


@cache
def _imports_of_ours(module: str) -> list[tuple[int, str]]:
    """Line and name (from the package on) of every import of the package's own modules."""
    path = MODULES[module]
    name = f"{PACKAGE}.{module}"
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        (line, ours)
        for line, imported in imports(tree, package)
        if (ours := _ours(imported)) is not None
    ]


@pytest.mark.parametrize("module", sorted(set(MODULES) - OUTSIDE))
def test_a_module_imports_only_from_below(module: str) -> None:
    """Each import goes to a lower layer, or stays within its own unit."""
    offences = {
        f"{MODULES[module].relative_to(FOLDER.parent)}:{line} {why}"
        for line, imported in _imports_of_ours(module)
        if (why := offence(module, imported))
    }

    assert not offences, "\n".join(["", *sorted(offences)])


#: What other folders may import of ``jobs``: the service, its handles, and what checks requests.
#: The job manager, its stores and queues are nobody else's.
OPEN_JOBS = frozenset(
    "bus handle journal_sqlite languages model_advice option_text request service speaker_options"
    " service_base speaker_options state_folder voice_files".split()
)

#: The one module that makes services of its own accord.
MAKES_SERVICES = "rest.hosts.jupyter"


def test_nobody_reaches_around_the_service() -> None:
    """REST, callbacks and uploads speak to the protocol; the job manager is the service's own."""
    around = {
        f"{module} imports {imported}"
        for module in set(MODULES) - OUTSIDE
        if not module.startswith("jobs")
        for _, imported in _imports_of_ours(module)
        if imported.startswith("jobs.") and imported.removeprefix("jobs.") not in OPEN_JOBS
    }
    held = {
        module
        for module in MODULES
        if module.startswith(("rest", "outbound", "uploads", "hud", "progress"))
        and module != MAKES_SERVICES
        for _, imported in _imports_of_ours(module)
        if imported == "jobs.service"
    }
    assert (around, held) == (set(), set())


def test_no_modules_import_each_other_in_a_circle() -> None:
    """A module's imports, and those of what it imports, never come back to it."""
    sorter = TopologicalSorter(
        {
            module: {imported for _, imported in _imports_of_ours(module)} - {module}
            for module in set(MODULES) - OUTSIDE
        }
    )

    sorter.prepare()  # Raises CycleError, which names the modules.


@pytest.mark.parametrize("module", sorted(set(MODULES) - OUTSIDE))
def test_every_module_has_a_layer(module: str) -> None:
    """A new module is put in the table above before it is merged."""
    assert unit_of(module), f"{module} is in no layer; put it into LAYERS of {Path(__file__).name}"


@pytest.mark.parametrize(
    ("importer", "imported", "allowed"),
    [
        ("engines.faster_whisper", "types", True),
        ("engines.faster_whisper", "engines._options", True),
        ("engines.faster_whisper", "models.store", False),
        ("types", "config", False),
        ("types", "core.lookup", True),
        ("core.names", "errors", False),
        ("jobs.machine", "jobs.queue", True),
        ("jobs.machine", "jobs.service", False),
        ("jobs.service", "jobs.machine", True),
        ("jobs.queue", "worker", False),
        ("api", "jobs.service", True),
        ("cli.main", "api", True),
        ("rest.routes", "hud.view", False),
        ("outputs.txt", "", False),
        ("outputs.txt", "novelty", False),
        ("novelty", "types", False),
    ],
)
def test_the_table_means_what_it_says(importer: str, imported: str, allowed: bool) -> None:
    """The rule itself, on examples."""
    assert (offence(importer, imported) is None) == allowed


def test_imports_are_found_wherever_they_hide() -> None:
    """Relative ones and those in functions count; those for type checkers do not."""
    source = """
import os, hybrid_transcribe.types
if TYPE_CHECKING:
    from hybrid_transcribe import cli
else:
    from . import txt
def f():
    try:
        from ..core import names
    except ImportError:
        from hybrid_transcribe.core import names, sample
"""
    items = [name for _, name in imports(ast.parse(source), "hybrid_transcribe.outputs")]

    assert items == [
        "os",
        "hybrid_transcribe.types",
        "hybrid_transcribe.outputs.txt",
        "hybrid_transcribe.core.names",
        "hybrid_transcribe.core.names",
        "hybrid_transcribe.core",
    ]


def test_importing_the_package_is_light() -> None:
    """No model, audio or notebook library comes with ``import hybrid_transcribe``."""
    code = (
        "import sys, hybrid_transcribe;"
        f"print(*sorted({HEAVY!r} & {{name.partition('.')[0] for name in sys.modules}}))"
    )
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    assert ran.stdout.split() == []
