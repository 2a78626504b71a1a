"""The families of models that sherpa-onnx's offline recognisers read, and which one a folder is.

A folder is recognised by the names of its files and, where several families have files of the
same names, by ``model_type`` in the metadata of the first of them. To support another family,
add a row to `FAMILIES`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hybrid_transcribe.engines.sherpa_onnx.onnx_metadata import read_metadata
from hybrid_transcribe.errors import InvalidOption, ModelUnavailable
from hybrid_transcribe.messages import UserMessage

#: The vocabulary: a token and its id a line.
TOKENS = "tokens.txt"

#: Number formats there are files of: quantised ones carry ``.int8.`` in their names.
COMPUTE_TYPES = ("int8", "float32")

#: Metadata of models for streaming recognisers, which have the same ``model_type``.
_STREAMING = frozenset({"decode_chunk_len", "chunk_shift", "streaming_model_type"})

#: Compute types that leave the choice to us.
_OPEN_CHOICES = (None, "default", "auto")


@dataclass(frozen=True, slots=True)
class Family:
    """One kind of model.

    Attributes:
        factory: the class method of ``sherpa_onnx.OfflineRecognizer`` that opens it.
        files: argument of the factory to the stem of the file's name.
        model_types: what ``model_type`` in the first file's metadata may be; empty where the
            file has none (``.ort``) and the names are enough.
        metadata: further keys without which the library ends the process.
        arguments: more arguments of the factory.
        languages: codes it reads; empty where that depends on the model.
        language_argument: the factory's argument for the language, where it is chosen on opening.
        has_targets: the language written may be another than the one spoken.
        n_symbols_over_vocabulary: lines of the vocabulary beyond ``vocab_size``; None where the
            library does not compare them.
    """

    name: str
    factory: str
    files: Mapping[str, str]
    model_types: frozenset[str] = frozenset()
    metadata: tuple[str, ...] = ()
    arguments: Mapping[str, Any] = field(default_factory=dict)
    languages: tuple[str, ...] = ()
    language_argument: str = ""
    has_targets: bool = False
    n_symbols_over_vocabulary: int | None = None


_TRANSDUCER = {"encoder": "encoder", "decoder": "decoder", "joiner": "joiner"}

#: More telling names first: a folder belongs to the first family whose files it has.
FAMILIES: tuple[Family, ...] = (
    Family(
        "moonshine-v2",
        "from_moonshine_v2",
        {"encoder": "encoder_model", "decoder": "decoder_model_merged"},
    ),
    Family(
        "moonshine",
        "from_moonshine",
        {
            "preprocessor": "preprocess",
            "encoder": "encode",
            "uncached_decoder": "uncached_decode",
            "cached_decoder": "cached_decode",
        },
    ),
    # Parakeet (RNN-T and TDT), FastConformer and GigaAM.
    Family(
        "nemo-transducer",
        "from_transducer",
        _TRANSDUCER,
        frozenset({"EncDecRNNTBPEModel", "EncDecHybridRNNTCTCBPEModel"}),
        ("vocab_size", "subsampling_factor", "pred_rnn_layers", "pred_hidden"),
        {"model_type": "nemo_transducer"},
        n_symbols_over_vocabulary=1,
    ),
    Family(
        "transducer",
        "from_transducer",
        _TRANSDUCER,
        frozenset({"conformer", "zipformer", "zipformer2"}),
        arguments={"model_type": "transducer"},
    ),
    Family(
        "canary",
        "from_nemo_canary",
        {"encoder": "encoder", "decoder": "decoder"},
        frozenset({"EncDecMultiTaskModel"}),
        ("vocab_size", "subsampling_factor", "feat_dim"),
        # The ones sherpa-onnx has prompts for.
        languages=("en", "es", "de", "fr"),
        has_targets=True,
        n_symbols_over_vocabulary=0,
    ),
    Family(
        "sense-voice",
        "from_sense_voice",
        {"model": "model"},
        frozenset({"sense_voice_ctc"}),
        ("vocab_size", "lfr_window_size", "lfr_window_shift", "normalize_samples"),
        # Punctuation and figures, as the other models write them.
        {"use_itn": True},
        languages=("zh", "en", "ja", "ko", "yue"),
        language_argument="language",
    ),
    Family(
        "paraformer",
        "from_paraformer",
        {"paraformer": "model"},
        frozenset({"paraformer"}),
        ("vocab_size", "lfr_window_size", "lfr_window_shift", "neg_mean", "inv_stddev"),
    ),
    Family(
        "nemo-ctc",
        "from_nemo_ctc",
        {"model": "model"},
        frozenset({"EncDecCTCModel", "EncDecCTCModelBPE", "EncDecHybridRNNTCTCBPEModel"}),
        ("vocab_size", "subsampling_factor"),
    ),
    Family(
        "zipformer-ctc",
        "from_zipformer_ctc",
        {"model": "model"},
        frozenset({"zipformer2_ctc"}),
    ),
    Family(
        "wenet-ctc",
        "from_wenet_ctc",
        {"model": "model"},
        frozenset({"wenet_ctc"}),
        ("vocab_size", "subsampling_factor"),
    ),
    Family(
        "telespeech-ctc",
        "from_telespeech_ctc",
        {"model": "model"},
        frozenset({"telespeech_ctc"}),
    ),
)


@dataclass(frozen=True, slots=True)
class RecognizedFolder:
    """A folder of a known family: argument of its factory to file, and the number format."""

    family: Family
    files: Mapping[str, Path]
    tokens: Path
    compute_type: str


def recognize_folder(folder: Path, name: str, compute_type: str | None = None) -> RecognizedFolder:
    """The family of a model's folder and the files to open.

    Where a file is there in two number formats, int8 is taken unless ``compute_type`` says
    otherwise. Raises ModelUnavailable for a folder of no family and for files that the library
    cannot open, InvalidOption for a number format that is not there.
    """
    if compute_type not in (*_OPEN_CHOICES, *COMPUTE_TYPES):
        raise InvalidOption(
            UserMessage("sherpa_compute_type", type=compute_type, choices=COMPUTE_TYPES)
        )
    n_symbols = _n_symbols(folder / TOKENS, name)
    names = sorted(path.name for path in folder.iterdir() if path.is_file())
    model_type: str | None = None
    for family in FAMILIES:
        files = _files(family, folder, names, name, compute_type)
        if files is None:
            continue
        if not family.model_types:
            return _recognized(family, files, folder)
        metadata = _metadata(next(iter(files.values())), name)
        model_type = metadata.get("model_type", "")
        if model_type in family.model_types:
            _check_metadata(family, metadata, n_symbols, name)
            return _recognized(family, files, folder)
    params = {"model": name, "folder": folder, "files": names}
    if model_type is None:
        raise ModelUnavailable(UserMessage("no_family", **params))
    raise ModelUnavailable(UserMessage("no_family_type", **params, type=model_type))


def _recognized(family: Family, files: Mapping[str, Path], folder: Path) -> RecognizedFolder:
    first = next(iter(files.values()))
    return RecognizedFolder(
        family, files, folder / TOKENS, "int8" if _is_int8(first.name) else "float32"
    )


def _files(
    family: Family, folder: Path, names: list[str], name: str, compute_type: str | None
) -> dict[str, Path] | None:
    """One file for each of the family's, or None where one is missing."""
    files: dict[str, Path] = {}
    for argument, stem in family.files.items():
        file = _file(stem, names, name, compute_type)
        if file is None:
            return None
        files[argument] = folder / file
    return files


def _file(stem: str, names: list[str], name: str, compute_type: str | None) -> str | None:
    pattern = re.compile(rf"{stem}([-._].*)?\.(onnx|ort)")
    every = [file for file in names if pattern.fullmatch(file)]
    quantized = [file for file in every if _is_int8(file)]
    plain = [file for file in every if not _is_int8(file)]
    # Exporters quantise the encoder and often nothing else: what is there is taken then.
    chosen = (plain or quantized) if compute_type == "float32" else (quantized or plain)
    if len(chosen) > 1:
        raise ModelUnavailable(UserMessage("several_files", model=name, stem=stem, files=chosen))
    return chosen[0] if chosen else None


def _is_int8(file: str) -> bool:
    # Moonshine's .ort files are published in int8 only, without saying so in their names.
    return ".int8." in file or file.endswith(".ort")


def _metadata(path: Path, name: str) -> dict[str, str]:
    try:
        return read_metadata(path)
    except (OSError, ValueError) as error:
        raise ModelUnavailable(
            UserMessage("no_onnx", model=name, path=path, reason=error)
        ) from error


def _check_metadata(family: Family, metadata: Mapping[str, str], n_symbols: int, name: str) -> None:
    if _STREAMING & set(metadata):
        raise ModelUnavailable(UserMessage("streaming_model", model=name))
    missing = [key for key in family.metadata if not metadata.get(key)]
    if missing:
        raise ModelUnavailable(UserMessage("no_metadata", model=name, keys=missing))
    if family.n_symbols_over_vocabulary is None:
        return
    expected = int(metadata["vocab_size"]) + family.n_symbols_over_vocabulary
    if n_symbols != expected:
        raise ModelUnavailable(
            UserMessage("other_vocabulary", model=name, n=n_symbols, file=TOKENS, most=expected)
        )


def _n_symbols(path: Path, name: str) -> int:
    """Lines of a vocabulary. Raises ModelUnavailable where one is no token with an id."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise ModelUnavailable(
            UserMessage("model_file_unreadable", model=name, path=path, why=error)
        ) from error
    filled = [line for line in lines if line.strip()]
    wrong = next((line for line in filled if not line.split()[-1].isdigit()), None)
    if wrong is not None or not filled:
        raise ModelUnavailable(
            UserMessage("no_token", model=name, path=path, line=str(wrong or "")[:60])
        )
    return len(filled)
