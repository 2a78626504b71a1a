"""Weights of the default engine rewritten for the others: numbers, names, files, whole or not."""

from __future__ import annotations

import json
import shutil
import struct
import threading
from collections import namedtuple
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from filelock import FileLock

from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.models import catalogue
from hybrid_transcribe.models.convert import MARK, ct2, huggingface, naming, tokens
from hybrid_transcribe.models.convert import convert as rewrite
from tests.models import small_ct2
from tests.models.small_ct2 import AUDIO, HEADS, MELS, STATE, TEXT

VARIABLES = small_ct2.variables()


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """A small multilingual model of the default engine's."""
    return small_ct2.folder(tmp_path / "source", VARIABLES)


@pytest.fixture
def weights(source: Path) -> ct2.Weights:
    """Its weights."""
    return ct2.read(source / "model.bin")


def read(tmp_path: Path, content: bytes) -> ct2.Weights:
    """What is read from such bytes."""
    path = tmp_path / "model.bin"
    path.write_bytes(content)
    return ct2.read(path)


# ------------------------------------------------------------------------------- reading


def test_every_variable_is_read_as_it_was_written(weights: ct2.Weights) -> None:
    """Names, shapes, types and numbers."""
    for name, array in VARIABLES.items():
        assert weights[name].dtype == array.dtype, name
        np.testing.assert_array_equal(weights[name], array)


def test_a_shared_variable_has_both_names(weights: ct2.Weights) -> None:
    """The projection to tokens is the table of embeddings, and counts once."""
    projection = weights["decoder/projection/weight"]

    assert projection is weights["decoder/embeddings/weight"]
    floats = [a for a in VARIABLES.values() if a.dtype == np.float16]
    scalars = len(VARIABLES) - len(floats)
    assert weights.float_bytes == sum(a.nbytes for a in floats) + 2 * scalars


@pytest.mark.parametrize("share", [0.0, 0.00001, 0.3, 0.9999])
def test_a_file_that_was_cut_is_refused(tmp_path: Path, share: float) -> None:
    """Wherever it ends, by its path."""
    whole = small_ct2.packed(VARIABLES)
    with pytest.raises(ModelUnavailable, match=r"model\.bin"):
        read(tmp_path, whole[: int(share * len(whole))])


@pytest.mark.parametrize(
    ("how", "told"),
    [
        ({"version": 5}, "version 5"),
        ({"kind": "TransformerSpec"}, "TransformerSpec"),
        ({"revision": 4}, "WhisperSpec 4"),
    ],
)
def test_a_file_of_another_kind_is_refused(tmp_path: Path, how: dict[str, Any], told: str) -> None:
    """With what was found and what is known."""
    with pytest.raises(ModelUnavailable, match=f"{told}.*only WhisperSpec 3 in version 6"):
        read(tmp_path, small_ct2.packed(VARIABLES, **how))


def test_a_shape_that_lies_about_its_bytes_is_refused(tmp_path: Path) -> None:
    """A number of bytes that does not fit the shape is damage, not something to guess at."""
    name = "decoder/layer_norm/beta"
    whole = small_ct2.packed({name: np.zeros(4, np.float16)})
    at = whole.index(struct.pack("<I", 8), whole.index(name.encode()))
    with pytest.raises(ModelUnavailable, match=rf"{name} of shape \(4,\) has 9 bytes"):
        read(tmp_path, whole[:at] + struct.pack("<I", 9) + whole[at + 4 :])


def test_what_a_model_lacks_is_named(tmp_path: Path) -> None:
    """An error about the file, not a KeyError."""
    few = read(tmp_path, small_ct2.packed({"decoder/layer_norm/gamma": np.ones(4, np.float16)}))
    with pytest.raises(ModelUnavailable, match="no encoder/position_encodings/encodings"):
        naming.sizes(few)


def test_eight_bits_are_numbers_again(tmp_path: Path) -> None:
    """Within half a step of the row's scale, and of the type of what was not quantised."""
    result = read(tmp_path, small_ct2.packed(small_ct2.int8(VARIABLES)))
    for name in ("encoder/conv1/weight", "decoder/layer_0/attention/linear_1/weight"):
        was = VARIABLES[name].astype(np.float32)
        step = np.abs(was.reshape(len(was), -1)).max(1).reshape(-1, *(1,) * (was.ndim - 1)) / 127
        assert result[name].dtype == np.float16
        # Half a step, and what 16 bits round.
        assert np.all(np.abs(result[name] - was) <= 0.5 * step + 1e-3)


def test_sixteen_bits_are_numbers_again(tmp_path: Path) -> None:
    """One scale for the whole matrix."""
    name = "encoder/layer_0/ffn/linear_0/weight"
    was = VARIABLES[name].astype(np.float32)
    scale = np.array(1024 / was.max(), np.float32)
    changed = {name: np.rint(was * scale).astype(np.int16), f"{name}_scale": scale}
    result = read(tmp_path, small_ct2.packed({**VARIABLES, **changed}))

    np.testing.assert_allclose(result[name], was, atol=1e-3)


@pytest.mark.parametrize("extra", [{}, {"weight_zero": np.zeros(4, np.int8)}])
def test_a_quantisation_that_is_not_known_is_refused(tmp_path: Path, extra: dict[str, Any]) -> None:
    """Never read as if they were the numbers."""
    name = "encoder/layer_0/self_attention/linear_1/weight"
    changed: dict[str, Any] = {name: np.ones((4, 4), np.int8)}
    if extra:
        changed |= {f"{name}_scale": np.ones(4, np.float32), f"{name}_zero": extra["weight_zero"]}
    result = read(tmp_path, small_ct2.packed({**VARIABLES, **changed}))
    with pytest.raises(ModelUnavailable, match=f"{name} is int8"):
        result[name]


def test_bfloat16_becomes_float32(tmp_path: Path) -> None:
    """numpy has no such type; its bits are the upper half of a float32."""
    was = np.array([1.5, -2.0, 0.0078125], np.float32)
    upper = (was.view(np.uint32) >> 16).astype(np.int16)
    whole = small_ct2.packed({"x": upper})
    at = whole.index(struct.pack("<BI", 2, 6))
    result = read(tmp_path, whole[:at] + struct.pack("<BI", 5, 6) + whole[at + 5 :])

    np.testing.assert_array_equal(result["x"], was)


# -------------------------------------------------------------------------------- naming


def test_the_sizes_are_those_of_the_weights(weights: ct2.Weights) -> None:
    """Nothing is taken from a table of known models: distilled ones differ."""
    assert naming.sizes(weights) == naming.Sizes(
        MELS, AUDIO, STATE, HEADS, 2, 51865, TEXT, STATE, HEADS, 1
    )


@pytest.mark.parametrize(
    ("vocabulary", "multilingual"), [(51864, False), (51865, True), (51866, True)]
)
def test_one_token_less_is_english_only(
    weights: ct2.Weights, vocabulary: int, multilingual: bool
) -> None:
    """tiny.en has 51864."""
    sizes = naming.sizes(weights)
    entry = naming.Sizes(*(getattr(sizes, n) for n in sizes.__slots__[:5]), vocabulary, 1, 1, 1, 1)

    assert entry.multilingual is multilingual


@pytest.mark.parametrize(
    ("style", "home", "names", "cross"),
    [
        ("huggingface", "model.decoder.layers.0.self_attn", "q_proj k_proj v_proj out_proj",
         "model.decoder.layers.0.encoder_attn"),
        ("openai", "decoder.blocks.0.attn", "query key value out",
         "decoder.blocks.0.cross_attn"),
    ],
)  # fmt: skip
def test_what_ctranslate2_fused_is_split(
    weights: ct2.Weights, style: naming.Style, home: str, names: str, cross: str
) -> None:
    """Query, key and value in this order; keys have no bias."""
    result = naming.tensors(weights, style)
    query, key, value, out = names.split()
    fused = VARIABLES["decoder/layer_0/self_attention/linear_0/weight"]
    keyed = VARIABLES["decoder/layer_0/attention/linear_1/weight"]
    blocks = {
        f"{home}.{query}.weight": fused[:STATE],
        f"{home}.{key}.weight": fused[STATE : 2 * STATE],
        f"{home}.{value}.weight": fused[2 * STATE :],
        f"{home}.{out}.weight": VARIABLES["decoder/layer_0/self_attention/linear_1/weight"],
        f"{cross}.{query}.weight": VARIABLES["decoder/layer_0/attention/linear_0/weight"],
        f"{cross}.{key}.weight": keyed[:STATE],
        f"{cross}.{value}.weight": keyed[STATE:],
        f"{cross}.{value}.bias": VARIABLES["decoder/layer_0/attention/linear_1/bias"][STATE:],
    }
    for name, array in blocks.items():
        np.testing.assert_array_equal(result[name], array, name)
    assert not [name for name in result if name.endswith(f"{key}.bias")]
    # Two encoder layers of 15 weights, a decoder layer of 24, 11 around them.
    assert len(result) == 2 * 15 + 24 + 11
    assert all(array.flags.c_contiguous for array in result.values())


# --------------------------------------------------------------------------------- files


def content(folder: Path, name: str) -> dict[str, Any]:
    """A JSON file of the folder."""
    payload: dict[str, Any] = json.loads((folder / name).read_text(encoding="utf-8"))
    return payload


def test_the_layout_of_hugging_face_is_complete(source: Path, tmp_path: Path) -> None:
    """Every file transformers asks for, with the numbers of the model."""
    numpy = pytest.importorskip("safetensors.numpy")
    folder = rewrite(source, "huggingface", tmp_path / "made", name="mine")

    assert catalogue.LAYOUTS["huggingface"].missing(folder) == ()
    result = numpy.load_file(folder / "model.safetensors")
    assert result["model.encoder.conv1.weight"].dtype == np.float16
    config = content(folder, "config.json")
    assert (config["vocab_size"], config["num_mel_bins"], config["d_model"]) == (51865, MELS, STATE)
    assert (config["encoder_layers"], config["decoder_layers"], config["dtype"]) == (
        2,
        1,
        "float16",
    )
    assert content(folder, "preprocessor_config.json")["feature_size"] == MELS
    assert content(folder, "vocab.json") == {"a": 0, "b": 1, "ab": 2}
    assert (folder / "merges.txt").read_text() == "#version: 0.2\na b\n"


def test_how_to_generate_is_written_down(source: Path, tmp_path: Path) -> None:
    """Languages, tasks, what to suppress and which heads follow the audio."""
    pytest.importorskip("safetensors")
    folder = rewrite(source, "huggingface", tmp_path / "made", name="mine")
    options = content(folder, "generation_config.json")

    assert options["lang_to_id"] == {"<|en|>": 50259, "<|pt|>": 50260, "<|yue|>": 50261}
    assert options["task_to_id"] == {"translate": 50262, "transcribe": 50263}
    assert (options["no_timestamps_token_id"], options["prev_sot_token_id"]) == (50267, 50265)
    assert (options["eos_token_id"], options["decoder_start_token_id"]) == (50257, 50258)
    assert (options["alignment_heads"], options["suppress_tokens"]) == ([[0, 1]], [1, 2])
    assert options["begin_suppress_tokens"] == [0]
    assert options["is_multilingual"] is True


def test_an_english_model_is_not_asked_for_a_language(tmp_path: Path) -> None:
    """With a table of languages transformers would look for one."""
    pytest.importorskip("safetensors")
    source = small_ct2.folder(tmp_path / "source", multilingual=False)
    folder = rewrite(source, "huggingface", tmp_path / "made", name="mine")
    options = content(folder, "generation_config.json")

    assert options["is_multilingual"] is False
    assert not {"lang_to_id", "task_to_id"} & set(options)
    assert options["decoder_start_token_id"] == 50257


def test_tokens_for_times_follow_the_others(source: Path) -> None:
    """Published tokenizers have them; those beside CTranslate2's weights often have not."""
    read_ = tokens.read(source)
    added = {token["content"]: token["id"] for token in read_.with_times()["added_tokens"]}

    assert (added["<|0.00|>"], added["<|0.02|>"], added["<|30.00|>"]) == (50268, 50269, 51768)


def test_a_tokenizer_of_another_model_is_refused(source: Path, tmp_path: Path) -> None:
    """The token that is missing is named, and nothing is left behind."""
    pytest.importorskip("safetensors")
    strange = small_ct2.tokenizer()
    strange["added_tokens"] = strange["added_tokens"][:3]
    (source / "tokenizer.json").write_text(json.dumps(strange))
    with pytest.raises(ModelUnavailable, match=r"knows no <\|notimestamps\|>|knows no <\|start"):
        rewrite(source, "huggingface", tmp_path / "made", name="mine")
    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize("name", ["tokenizer.json", "config.json"])
def test_files_that_are_no_json_are_refused(source: Path, tmp_path: Path, name: str) -> None:
    """By their path."""
    pytest.importorskip("safetensors")
    (source / name).write_text("{")
    with pytest.raises(ModelUnavailable, match=name.replace(".", r"\.")):
        rewrite(source, "huggingface", tmp_path / "made", name="mine")


@pytest.mark.slow
def test_the_checkpoint_of_openai_whisper_is_loaded_by_it(source: Path, tmp_path: Path) -> None:
    """Every weight finds its place, and unpickling runs no code. Slow: imports torch."""
    torch = pytest.importorskip("torch")
    model = pytest.importorskip("whisper.model")
    folder = rewrite(source, "openai", tmp_path / "made", name="mine")
    checkpoint = torch.load(folder / "mine.pt", weights_only=True)
    loaded = model.Whisper(model.ModelDimensions(**checkpoint["dims"]))

    assert loaded.load_state_dict(checkpoint["model_state_dict"], strict=True)
    assert loaded.is_multilingual
    assert json.loads((folder / "alignment_heads.json").read_text()) == [[0, 1]]


@pytest.mark.slow
def test_the_small_model_is_what_ctranslate2_would_write(tmp_path: Path) -> None:
    """The file these tests stand on, against CTranslate2's own classes. Slow: imports torch."""
    pytest.importorskip("torch")
    specs = pytest.importorskip("ctranslate2.specs")
    model_spec = pytest.importorskip("ctranslate2.specs.model_spec")
    spec = specs.WhisperSpec(2, HEADS, 1, HEADS)
    for name, array in VARIABLES.items():
        *scopes, attribute = name.split("/")
        setattr(model_spec.index_spec(spec, "/".join(scopes)), attribute, array)
    spec.decoder.projection.weight = VARIABLES["decoder/embeddings/weight"]
    spec.register_vocabulary([str(n) for n in range(51865)])
    spec.validate()
    spec.optimize()
    spec.save(str(tmp_path))
    theirs = ct2.read(tmp_path / "model.bin")

    for name, array in VARIABLES.items():
        np.testing.assert_array_equal(theirs[name], array, name)
    assert theirs["decoder/projection/weight"] is theirs["decoder/embeddings/weight"]


# -------------------------------------------------------------------------- whole or not


def test_a_failure_in_the_middle_leaves_what_was_there(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An earlier conversion stays whole; nothing half written stays."""
    pytest.importorskip("safetensors")
    folder = rewrite(source, "huggingface", tmp_path / "made", name="mine")
    before = (folder / "model.safetensors").stat().st_mtime_ns
    small_ct2.folder(source, small_ct2.int8(VARIABLES))

    def half(weights: Any, config: Any, source: Any, folder: Path) -> None:
        (folder / "model.safetensors").write_bytes(b"half")
        raise OSError("the disk went away")

    monkeypatch.setattr(huggingface, "write", half)
    with pytest.raises(ModelUnavailable, match="the disk went away"):
        rewrite(source, "huggingface", folder, name="mine")
    assert (folder / "model.safetensors").stat().st_mtime_ns == before
    assert [p.name for p in tmp_path.iterdir() if p.is_dir()] == ["source", "made"]


def test_what_is_converted_is_not_converted_again(source: Path, tmp_path: Path) -> None:
    """Unless its source changed."""
    pytest.importorskip("safetensors")
    folder = rewrite(source, "huggingface", tmp_path / "made", name="mine")
    first = (folder / MARK).stat().st_mtime_ns
    rewrite(source, "huggingface", folder, name="mine")
    assert (folder / MARK).stat().st_mtime_ns == first

    small_ct2.folder(source, small_ct2.int8(VARIABLES))
    rewrite(source, "huggingface", folder, name="mine")
    assert (folder / MARK).stat().st_mtime_ns != first


def test_what_a_dead_process_left_is_cleared_away(source: Path, tmp_path: Path) -> None:
    """A half written folder beside it is neither used nor kept."""
    pytest.importorskip("safetensors")
    remaining = tmp_path / ".made.new"
    remaining.mkdir()
    (remaining / "model.safetensors").write_bytes(b"half")
    folder = rewrite(source, "huggingface", tmp_path / "made", name="mine")

    assert (folder / "model.safetensors").stat().st_size > 4
    assert not remaining.exists()


def test_another_process_that_converts_is_waited_for(source: Path, tmp_path: Path) -> None:
    """The one that comes second finds it done."""
    pytest.importorskip("safetensors")
    instance = rewrite(source, "huggingface", tmp_path / "other", name="mine")
    done = threading.Event()

    def second() -> None:
        rewrite(source, "huggingface", tmp_path / "made", name="mine")
        done.set()

    with FileLock(tmp_path / ".made.lock"):
        thread = threading.Thread(target=second)
        thread.start()
        assert not done.wait(0.05)
        shutil.copytree(instance, tmp_path / "made")
        stamp = (tmp_path / "made" / MARK).stat().st_ino
    thread.join(20)

    assert done.is_set()
    assert (tmp_path / "made" / MARK).stat().st_ino == stamp


def test_a_folder_with_something_else_in_it_is_left_alone(source: Path, tmp_path: Path) -> None:
    """It may be anybody's."""
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "thesis.txt").write_text("mine")
    with pytest.raises(ModelUnavailable, match="holds something else"):
        rewrite(source, "huggingface", tmp_path / "made", name="mine")
    assert (tmp_path / "made" / "thesis.txt").read_text() == "mine"


def test_a_disk_without_room_is_told_before_anything_is_written(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Needed and free bytes are named."""
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(9, 8, 1_000_000))
    with pytest.raises(ModelUnavailable, match="needs 8 MB, 1 MB are free"):
        rewrite(source, "huggingface", tmp_path / "made", name="mine")
    assert [p.name for p in tmp_path.iterdir() if p.is_dir()] == ["source"]
