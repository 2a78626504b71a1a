"""The models known by a short name, and what a folder of each layout must hold.

Short names are those of the field. Anything written ``organisation/name`` is an id on the
hub, known or not; anything with a leading ``/``, ``.`` or ``~`` is a folder.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path

from hybrid_transcribe.errors import ModelUnavailable, UnknownModel
from hybrid_transcribe.messages import UserMessage

MB = 1_000_000


@dataclass(frozen=True, slots=True)
class Layout:
    """How the files of a model lie in its folder.

    Attributes:
        engine: the engine of ours that loads it, for messages.
        weights: pattern of the large files, the ones whose digest is checked.
        needs: groups of file patterns; a folder must hold one file of every group.
        fetch: what is fetched from the hub. Never pickles: unpickling runs their code.
        generic: files of any network look like this: only the catalogue tells what they are.
    """

    name: str
    engine: str
    weights: str
    needs: tuple[tuple[str, ...], ...]
    fetch: tuple[str, ...]
    generic: bool = False

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
    # Which files there are depends on the family; the engine tells those apart.
    "sherpa-onnx": Layout(
        "sherpa-onnx",
        "sherpa-onnx",
        "*.o[nr][nt]*",
        (("*.onnx", "*.ort"), ("tokens.txt",)),
        ("*.onnx", "*.ort", "*.onnx.data", "*.weights", "tokens.txt"),
    ),
    # One network in one file, for a stage after the engine.
    "onnx": Layout("onnx", "", "*.onnx", (("*.onnx",),), ("*.onnx",), generic=True),
}


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model of the catalogue.

    Attributes:
        repos: layout to repository id on the hub.
        size_bytes: rough download of the first layout.
        sha256: file of the first layout to its digest, where we know it.
        files: names of that layout's files, where its repository holds others besides.
        languages: ISO 639-1 codes it reads, where it is no Whisper.
    """

    name: str
    repos: Mapping[str, str]
    size_bytes: int
    multilingual: bool = True
    sha256: Mapping[str, str] = field(default_factory=dict)
    files: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()

    @property
    def transcribes(self) -> bool:
        """False for the models of stages after the engine."""
        return any(LAYOUTS[layout].engine for layout in self.repos)


def _entry(
    name: str, size_mb: int, repo: str = "", original: str = "", sha256: str = ""
) -> tuple[str, ModelEntry]:
    repos = {
        "ctranslate2": repo or f"Systran/faster-whisper-{name}",
        "huggingface": original or f"openai/whisper-{name}",
    }
    digests = {"model.bin": sha256} if sha256 else {}
    english = name.endswith(".en") or name.startswith("distil-")
    return name, ModelEntry(name, repos, size_mb * MB, not english, digests)


def _distilled(name: str, size_mb: int, repo: str = "") -> tuple[str, ModelEntry]:
    return _entry(
        f"distil-{name}",
        size_mb,
        repo or f"Systran/faster-distil-whisper-{name}",
        f"distil-whisper/distil-{name}",
    )


def _only(name: str, layout: str, repo: str, size_mb: int) -> tuple[str, ModelEntry]:
    return name, ModelEntry(name, {layout: repo}, size_mb * MB, multilingual=False)


def _sherpa(
    name: str, repo: str, size_mb: int, languages: str, files: Mapping[str, str]
) -> tuple[str, ModelEntry]:
    """A model of sherpa-onnx: ``files`` are its names with their digests, "" where unknown."""
    codes = tuple(languages.split())
    digests = {file: digest for file, digest in files.items() if digest}
    repos = {"sherpa-onnx": repo}
    return name, ModelEntry(name, repos, size_mb * MB, len(codes) > 1, digests, tuple(files), codes)


def _speakers(
    name: str, repo: str, size_bytes: int, file: str, sha256: str
) -> tuple[str, ModelEntry]:
    """A model that tells speakers apart: one file of a repository that holds others besides."""
    digests = {file: sha256}
    return name, ModelEntry(name, {"onnx": repo}, size_bytes, True, digests, (file,))


_BASE = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
_TINY_EN = "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a"
_TURBO = "mobiuslabsgmbh/faster-whisper-large-v3-turbo"

#: Short name to model, smallest first for each engine.
MODELS: Mapping[str, ModelEntry] = dict(
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
        # For sherpa-onnx, in int8; the digests are those that the hub publishes.
        _sherpa(
            "moonshine-tiny-en",
            "csukuangfj2/sherpa-onnx-moonshine-tiny-en-quantized-2026-02-27",
            44,
            "en",
            {
                "encoder_model.ort": (
                    "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221"
                ),
                "decoder_model_merged.ort": (
                    "cf524c4862d36e9e5ab032eddc73637efd822d70e868ac575cf1a46e1e4708a0"
                ),
                "tokens.txt": "2870d843e14c1e187bf1913a521562a63b53933814bd7f2145120468f494a049",
            },
        ),
        _sherpa(
            "moonshine-base-en",
            "csukuangfj2/sherpa-onnx-moonshine-base-en-quantized-2026-02-27",
            140,
            "en",
            {"encoder_model.ort": "", "decoder_model_merged.ort": "", "tokens.txt": ""},
        ),
        _sherpa(
            "zipformer-en",
            "csukuangfj/sherpa-onnx-zipformer-en-2023-06-26",
            71,
            "en",
            {
                "encoder-epoch-99-avg-1.int8.onnx": "",
                "decoder-epoch-99-avg-1.int8.onnx": "",
                "joiner-epoch-99-avg-1.int8.onnx": "",
                "tokens.txt": "",
            },
        ),
        _sherpa(
            "canary-180m-flash",
            "csukuangfj/sherpa-onnx-nemo-canary-180m-flash-en-es-de-fr-int8",
            207,
            "en es de fr",
            {
                "encoder.int8.onnx": (
                    "7a75b4e2a5857a6dcc0819503bbe3fad66943db4a3ccf21d3f27c633667d303f"
                ),
                "decoder.int8.onnx": (
                    "e41a2ab9c0c2fe81a1e8ade5a45fb02a74bc4db7d1f91b89a54a25e2cf79cba2"
                ),
                "tokens.txt": "2dae6fc7815f9640645e0c765522b278ee0cef49b482d91f6913e334628d3e77",
            },
        ),
        _sherpa(
            "sense-voice-small",
            "csukuangfj/sherpa-onnx-sense-voice-zh-en-ja-ko-yue-2024-07-17",
            240,
            "zh en ja ko yue",
            {
                "model.int8.onnx": (
                    "c71f0ce00bec95b07744e116345e33d8cbbe08cef896382cf907bf4b51a2cd51"
                ),
                "tokens.txt": "f449eb28dc567533d7fa59be34e2abca8784f771850c78a47fb731a31429a1dc",
            },
        ),
        _sherpa(
            "parakeet-tdt-0.6b-v2",
            "csukuangfj/sherpa-onnx-nemo-parakeet-tdt-0.6b-v2-int8",
            661,
            "en",
            {
                "encoder.int8.onnx": (
                    "a32b12d17bbbc309d0686fbbcc2987b5e9b8333a7da83fa6b089f0a2acd651ab"
                ),
                "decoder.int8.onnx": (
                    "b6bb64963457237b900e496ee9994b59294526439fbcc1fecf705b31a15c6b4e"
                ),
                "joiner.int8.onnx": (
                    "7946164367946e7f9f29a122407c3252b680dbae9a51343eb2488d057c3c43d2"
                ),
                "tokens.txt": "ec182b70dd42113aff6c5372c75cac58c952443eb22322f57bbd7f53977d497d",
            },
        ),
        _sherpa(
            "parakeet-tdt-0.6b-v3",
            "csukuangfj/sherpa-onnx-nemo-parakeet-tdt-0.6b-v3-int8",
            671,
            # The 25 of its model card: the official languages of the EU but Irish, Russian
            # and Ukrainian.
            "bg cs da de el en es et fi fr hr hu it lt lv mt nl pl pt ro ru sk sl sv uk",
            {
                "encoder.int8.onnx": (
                    "acfc2b4456377e15d04f0243af540b7fe7c992f8d898d751cf134c3a55fd2247"
                ),
                "decoder.int8.onnx": (
                    "179e50c43d1a9de79c8a24149a2f9bac6eb5981823f2a2ed88d655b24248db4e"
                ),
                "joiner.int8.onnx": (
                    "3164c13fc2821009440d20fcb5fdc78bff28b4db2f8d0f0b329101719c0948b3"
                ),
                "tokens.txt": "d58544679ea4bc6ac563d1f545eb7d474bd6cfa467f0a6e2c1dc1c7d37e3c35d",
            },
        ),
        # Who speaks when (MIT), and whose voice it is (Apache-2.0).
        _speakers(
            "pyannote-segmentation-3.0",
            "csukuangfj/sherpa-onnx-pyannote-segmentation-3-0",
            5_992_913,
            "model.onnx",
            "220ad67ca923bef2fa91f2390c786097bf305bceb5e261d4af67b38e938e1079",
        ),
        _speakers(
            "campplus-zh-en",
            "csukuangfj/speaker-embedding-models",
            28_281_164,
            "3dspeaker_speech_campplus_sv_zh_en_16k-common_advanced.onnx",
            "aa3cfc16963a10586a9393f5035d6d6b57e98d358b347f80c2a30bf4f00ceba2",
        ),
    )
)

#: What is fetched and removed together under one name.
SETS: Mapping[str, tuple[str, ...]] = {
    "speakers": ("pyannote-segmentation-3.0", "campplus-zh-en"),
}

#: Other names people use for the same models.
ALIASES: Mapping[str, str] = {
    "large": "large-v3",
    "turbo": "large-v3-turbo",
}

_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def known_names() -> tuple[str, ...]:
    """Every short name of a model that transcribes, aliases last."""
    return (*(name for name, entry in MODELS.items() if entry.transcribes), *ALIASES)


def members(name: str) -> tuple[str, ...]:
    """The models of a set, or the name itself.

    >>> members("speakers"), members("base")
    (('pyannote-segmentation-3.0', 'campplus-zh-en'), ('base',))
    """
    return SETS.get(name, (name,))


def find(name: str) -> ModelEntry | None:
    """The catalogue's model of that name or alias, or None."""
    return MODELS.get(ALIASES.get(name, name))


def layout_of(layout: str) -> Layout:
    """The layout of that name. Raises ModelUnavailable for one no model can be had in."""
    if layout not in LAYOUTS:
        raise ModelUnavailable(UserMessage("no_layout", layout=layout, choices=LAYOUTS))
    return LAYOUTS[layout]


def layout_for(name: str, layout: str) -> Layout:
    """The layout as this model has it: its own files, where the catalogue lists them.

    Raises as `layout_of`.
    """
    general, entry = layout_of(layout), entry_for(name)
    if entry is None or not entry.files or layout not in entry.repos:
        return general
    return replace(general, needs=tuple((file,) for file in entry.files), fetch=entry.files)


def is_hub_id(name: str) -> bool:
    """True for ``organisation/name``.

    >>> is_hub_id("Systran/faster-whisper-tiny"), is_hub_id("../tiny"), is_hub_id("a/b/c")
    (True, False, False)
    """
    return _HUB_ID.fullmatch(name) is not None and ".." not in name and "--" not in name


def is_name(name: str) -> bool:
    """True for a short name or an id on the hub: what a stranger may ask to transcribe with.

    >>> is_name("turbo"), is_name("org/model"), is_name("./model.pt"), is_name("campplus-zh-en")
    (True, True, False, False)
    """
    entry = find(name)
    return is_hub_id(name) if entry is None else entry.transcribes


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


def entry_for(name: str) -> ModelEntry | None:
    """The catalogue's model of that name, alias or id on the hub (in any case), or None."""
    hub_id = name.lower()
    by_id = (e for e in MODELS.values() if hub_id in map(str.lower, e.repos.values()))
    return find(name) or next(by_id, None)


def find_repo(name: str, layout: str) -> str | None:
    """The repository on the hub for a short name or an id, None where there is none.

    An id of the catalogue means the model, not the layout: each engine gets its own.
    """
    entry = entry_for(name)
    if entry is not None:
        return entry.repos.get(layout)
    return name if is_hub_id(name) else None


def repo_of(name: str, layout: str) -> str:
    """The same. Raises what `check_name` raises."""
    check_name(name, layout)
    repo = find_repo(name, layout)
    if repo is None:
        raise UnknownModel(UserMessage("model_no_repo", model=name, layout=layout))
    return repo


def usual_layout(name: str) -> str:
    """The default engine's layout, or the only one that the model is there in.

    >>> usual_layout("base"), usual_layout("distil-large-v3-ptbr"), usual_layout("org/name")
    ('ctranslate2', 'huggingface', 'ctranslate2')
    """
    entry = entry_for(name)
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
    if entry_for(name) is None and not is_hub_id(name):
        raise UnknownModel(
            name, (*known_names(), "an id on the hub (organisation/name)", "a folder")
        )


def check_name(name: str, layout: str) -> None:
    """Raise UnknownModel for a name nobody knows, or a model there is for other engines only."""
    check_known(name)
    entry = entry_for(name)
    # Whatever CTranslate2 runs can be converted for openai-whisper.
    needed = "ctranslate2" if layout == "openai" else layout
    if entry is not None and not entry.transcribes and needed not in entry.repos:
        raise UnknownModel(UserMessage("model_no_transcriber", model=name))
    if entry is not None and needed not in entry.repos:
        there = " and ".join(f"{LAYOUTS[n].engine} (layout {n})" for n in entry.repos)
        (first, *_) = entry.repos
        raise UnknownModel(
            UserMessage(
                "model_elsewhere",
                model=name,
                there=there,
                engine=LAYOUTS[layout].engine,
                layout=layout,
                use=LAYOUTS[first].engine,
                other=first,
            )
        )


def folder_name(name: str, layout: str) -> str:
    """The folder of a model inside our own cache.

    >>> folder_name("turbo", "ctranslate2"), folder_name("org/name", "huggingface")
    ('large-v3-turbo', 'org--name.huggingface')
    """
    entry = entry_for(name)
    plain = (entry.name if entry else name).replace("/", "--")
    return plain if layout == "ctranslate2" else f"{plain}.{layout}"


def _file_names(folder: Path) -> list[str]:
    try:
        # is_file follows links, so that a hub cache whose blob is gone counts as incomplete.
        return [p.name for p in folder.iterdir() if p.is_file()]
    except OSError:
        return []
