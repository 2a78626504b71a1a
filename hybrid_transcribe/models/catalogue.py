"""The models known by a short name, and what a folder of each layout must hold.

Short names are those of the field. Anything written ``organisation/name`` is an id on the
hub, known or not; anything with a leading ``/``, ``.`` or ``~`` is a folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path

from hybrid_transcribe.errors import ModelUnavailable, UnknownModel

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Layout:
    """How the files of a model lie in its folder.

    Attributes:
        engine: the engine of ours that loads it, for messages.
        weights: pattern of the large files, the ones whose digest is checked.
        needs: groups of file patterns; a folder must hold one file of every group.
        fetch: what is fetched from the hub. Never pickles: unpickling runs their code.
    """

    name: str
    engine: str
    weights: str
    needs: tuple[tuple[str, ...], ...]
    fetch: tuple[str, ...]

    def missing(self, folder: Path) -> tuple[str, ...]:
        """What the folder lacks, in words; empty when it looks like this layout."""
        files = _file_names(folder)
        return tuple(
            " or ".join(group)
            for group in self.needs
            if not any(fnmatch(name, pattern) for name in files for pattern in group)
        )

    def weight_files(self, folder: Path) -> tuple[Path, ...]:
        """The folder's large files, by name."""
        return tuple(folder / n for n in sorted(_file_names(folder)) if fnmatch(n, self.weights))


LAYOUTS: Mapping[str, Layout] = {
    "ctranslate2": Layout(
        "ctranslate2",
        "faster-whisper",
        "model.bin",
        # Without its tokenizer faster-whisper would ask the hub for one while loading.
        (("model.bin",), ("config.json",), ("tokenizer.json",), ("vocabulary.*",)),
        (
            "model.bin",
            "config.json",
            "preprocessor_config.json",
            "tokenizer.json",
            "vocabulary.*",
        ),
    ),
    "huggingface": Layout(
        "huggingface",
        "transformers",
        "*.safetensors",
        (("*.safetensors",), ("config.json",), ("preprocessor_config.json",), ("tokenizer*.json",)),
        # Not every *.safetensors: large-v3 has 6 GB of them more, in 32 bits.
        ("model.safetensors", "model-*-of-*.safetensors", "*.json", "merges.txt"),
    ),
    # A pickle, so none is fetched from the hub: only from its makers, by digest. The file
    # unpickles with weights_only, which runs no code.
    "openai": Layout("openai", "openai-whisper", "*.pt", (("*.pt",),), ()),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One model of the catalogue.

    Attributes:
        repos: layout to repository id on the hub.
        size_bytes: rough download of the first layout.
        sha256: file of the ``ctranslate2`` layout to its digest, where we know it.
    """

    name: str
    repos: Mapping[str, str]
    size_bytes: int
    multilingual: bool = True
    sha256: Mapping[str, str] = field(default_factory=dict)


def _entry(
    name: str, size_mb: int, repo: str = "", original: str = "", sha256: str = ""
) -> tuple[str, Entry]:
    repos = {
        "ctranslate2": repo or f"Systran/faster-whisper-{name}",
        "huggingface": original or f"openai/whisper-{name}",
    }
    digests = {"model.bin": sha256} if sha256 else {}
    english = name.endswith(".en") or name.startswith("distil-")
    return name, Entry(name, repos, size_mb * MB, not english, digests)


def _distilled(name: str, size_mb: int, repo: str = "") -> tuple[str, Entry]:
    return _entry(
        f"distil-{name}",
        size_mb,
        repo or f"Systran/faster-distil-whisper-{name}",
        f"distil-whisper/distil-{name}",
    )


def _only(name: str, layout: str, repo: str, size_mb: int) -> tuple[str, Entry]:
    return name, Entry(name, {layout: repo}, size_mb * MB, multilingual=False)


_BASE = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
_TINY_EN = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
_TURBO = "mobiuslabsgmbh/faster-whisper-large-v3-turbo"

#: Short name to model, smallest first.
MODELS: Mapping[str, Entry] = dict(
    (
        _entry("tiny", 78),
        _entry("tiny.en", 78, sha256=_TINY_EN),
        _entry("base", 148, sha256=_BASE),
        _entry("base.en", 148),
        _entry("small", 486),
        _entry("small.en", 486),
        _entry("medium", 1531),
        _entry("medium.en", 1531),
        _entry("large-v1", 3090),
        _entry("large-v2", 3090),
        _entry("large-v3", 3091),
        _entry("large-v3-turbo", 1622, _TURBO),
        _distilled("small.en", 336),
        _distilled("medium.en", 792),
        _distilled("large-v2", 1516),
        _distilled("large-v3", 1516),
        _distilled("large-v3.5", 1516, "distil-whisper/distil-large-v3.5-ct2"),
        # Brazilian Portuguese. Nobody publishes it for another engine.
        _only("distil-large-v3-ptbr", "huggingface", "freds0/distil-whisper-large-v3-ptbr", 3026),
    )
)

#: Other names people use for the same models.
ALIASES: Mapping[str, str] = {
    "large": "large-v3",
    "turbo": "large-v3-turbo",
}

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def known_names() -> tuple[str, ...]:
    """Every short name, aliases last."""
    return (*MODELS, *ALIASES)


def find(name: str) -> Entry | None:
    """The catalogue's model of that name or alias, or None."""
    return MODELS.get(ALIASES.get(name, name))


def layout_of(layout: str) -> Layout:
    """The layout of that name. Raises ModelUnavailable for one no model can be had in."""
    if layout not in LAYOUTS:
        raise ModelUnavailable(f"No models in the layout {layout!r}; there is {', '.join(LAYOUTS)}")
    return LAYOUTS[layout]


def is_hub_id(name: str) -> bool:
    """True for ``organisation/name``.

    >>> is_hub_id("Systran/faster-whisper-tiny"), is_hub_id("../tiny"), is_hub_id("a/b/c")
    (True, False, False)
    """
    return _HUB_ID.fullmatch(name) is not None and ".." not in name and "--" not in name


def is_name(name: str) -> bool:
    """True for a short name or an id on the hub: what a stranger may ask for.

    >>> is_name("turbo"), is_name("org/model"), is_name("./model.pt")
    (True, True, False)
    """
    return find(name) is not None or is_hub_id(name)


def is_path(name: str) -> bool:
    """True when the name can only mean a folder of this machine.

    >>> is_path("./mine"), is_path("tiny.en"), is_path("org/model")
    (True, False, False)
    """
    return name.startswith(("/", ".", "~", "\\")) or Path(name).is_absolute() or "\\" in name


def is_plain(name: str) -> bool:
    """Could it be the name of a folder in our own cache?

    >>> is_plain("mine"), is_plain(""), is_plain("../x")
    (True, False, False)
    """
    return re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9._-]*", name) is not None


def known(name: str) -> Entry | None:
    """The catalogue's model of that name, alias or id on the hub (in any case), or None."""
    hub_id = name.lower()
    by_id = (e for e in MODELS.values() if hub_id in map(str.lower, e.repos.values()))
    return find(name) or next(by_id, None)


def find_repo(name: str, layout: str) -> str | None:
    """The repository on the hub for a short name or an id, None where there is none.

    An id of the catalogue means the model, not the layout: each engine gets its own.
    """
    entry = known(name)
    if entry is not None:
        return entry.repos.get(layout)
    return name if is_hub_id(name) else None


def repo_of(name: str, layout: str) -> str:
    """The same. Raises what `check_name` raises."""
    check_name(name, layout)
    repo = find_repo(name, layout)
    if repo is None:
        raise UnknownModel(f"Model {name!r} has no repository in the layout {layout!r}")
    return repo


def usual_layout(name: str) -> str:
    """The default engine's layout, or the only one that the model is there in.

    >>> usual_layout("base"), usual_layout("distil-large-v3-ptbr"), usual_layout("org/name")
    ('ctranslate2', 'huggingface', 'ctranslate2')
    """
    entry = known(name)
    layouts = tuple(entry.repos) if entry else ()
    return layouts[0] if len(layouts) == 1 else "ctranslate2"


def aliases_of(name: str) -> tuple[str, ...]:
    """Other short names of a model of the catalogue.

    >>> aliases_of("large-v3-turbo"), aliases_of("base")
    (('turbo',), ())
    """
    return tuple(alias for alias, meant in ALIASES.items() if meant == name)


def check_known(name: str) -> None:
    """Raise UnknownModel for what is neither in the catalogue nor an id on the hub."""
    if known(name) is None and not is_hub_id(name):
        raise UnknownModel(
            name, (*known_names(), "an id on the hub (organisation/name)", "a folder")
        )


def check_name(name: str, layout: str) -> None:
    """Raise UnknownModel for a name nobody knows, or a model there is for other engines only."""
    check_known(name)
    entry = known(name)
    # Whatever CTranslate2 runs can be converted for openai-whisper.
    needed = "ctranslate2" if layout == "openai" else layout
    if entry is not None and needed not in entry.repos:
        there = " and ".join(f"{LAYOUTS[n].engine} (layout {n})" for n in entry.repos)
        (first, *_) = entry.repos
        raise UnknownModel(
            f"Model {name!r} exists only for the engine {there}, "
            f"not for {LAYOUTS[layout].engine} (layout {layout}): "
            f"use --engine {LAYOUTS[first].engine}, or with models get --layout {first}"
        )


def folder_name(name: str, layout: str) -> str:
    """The folder of a model inside our own cache.

    >>> folder_name("turbo", "ctranslate2"), folder_name("org/name", "huggingface")
    ('large-v3-turbo', 'org--name.huggingface')
    """
    entry = known(name)
    plain = (entry.name if entry else name).replace("/", "--")
    return plain if layout == "ctranslate2" else f"{plain}.{layout}"


def _file_names(folder: Path) -> list[str]:
    try:
        # is_file follows links, so that a hub cache whose blob is gone counts as incomplete.
        return [p.name for p in folder.iterdir() if p.is_file()]
    except OSError:
        return []
