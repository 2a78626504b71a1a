"""Weights as torch saves them, read without torch and without running anything."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hybrid_transcribe.models.convert.torch_zip import state_dict


def archive(pickled: bytes, **storages: bytes) -> bytes:
    """A file as torch would save it, with a pickle of ours."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("archive/data.pkl", pickled)
        for key, content in storages.items():
            made.writestr(f"archive/data/{key}", content)
    return file.getvalue()


class _Tensor:
    def __init__(self, size: tuple[int, ...], stride: tuple[int, ...], offset: int = 0) -> None:
        self.size, self.stride, self.offset = size, stride, offset


def saved(tensor: _Tensor, content: bytes, count: int) -> bytes:
    """A dict with one tensor, by the opcodes that torch's own pickles have."""

    def text(value: str) -> bytes:
        return b"X" + len(value).to_bytes(4, "little") + value.encode()

    def whole(value: int) -> bytes:
        return b"J" + value.to_bytes(4, "little")

    def tuple_of(*items: bytes) -> bytes:
        return b"(" + b"".join(items) + b"t"

    reference = tuple_of(
        text("storage"), b"ctorch\nFloatStorage\n", text("0"), text("cpu"), whole(count)
    )
    arguments = tuple_of(
        reference + b"Q",
        whole(tensor.offset),
        tuple_of(*map(whole, tensor.size)),
        tuple_of(*map(whole, tensor.stride)),
        b"\x89",
        b"ccollections\nOrderedDict\n)R",
    )
    rebuilt = b"ctorch._utils\n_rebuild_tensor_v2\n" + arguments + b"R"
    return archive(b"\x80\x02}" + text("w") + rebuilt + b"s.", **{"0": content})


NUMBERS = np.arange(6, dtype="<f4")


def test_a_tensor_is_an_array() -> None:
    """In its shape, from its place in the storage."""
    content = saved(_Tensor((2, 2), (2, 1), 1), NUMBERS.tobytes(), 6)

    assert state_dict(content)["w"].tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (saved(_Tensor((2, 2), (1, 2)), NUMBERS.tobytes(), 6), "do not follow"),
        (saved(_Tensor((2, 4), (4, 1)), NUMBERS.tobytes(), 6), "longer than its storage"),
        (saved(_Tensor((2,), (1,)), NUMBERS.tobytes()[:-4], 6), "5 numbers, not 6"),
        (saved(_Tensor((2,), (1,)), NUMBERS.tobytes(), 6)[:-30], "not a zip file"),
        (archive(b"\x80\x02}"), "no weights"),
        (archive(pickle.dumps([1, 2])), "not a dict"),
        (b"", "no weights"),
    ],
)
def test_what_is_damaged_is_refused(content: bytes, why: str) -> None:
    """One kind of error, with its reason."""
    with pytest.raises(ValueError, match=why):
        state_dict(content)


class _Touching:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return Path.touch, (self.path,)


def test_code_in_a_pickle_is_never_run(tmp_path: Path) -> None:
    """A pickle may name nothing but what a dict of tensors is made of."""
    trace = tmp_path / "trace"
    for protocol in (2, 4):
        with pytest.raises(ValueError, match="it names"):
            state_dict(archive(pickle.dumps({"w": _Touching(trace)}, protocol)))

    assert not trace.exists()


def test_plain_values_stay() -> None:
    """Beside the weights a file may say how many there are."""
    content = archive(pickle.dumps({"n": 3, "state_dict": OrderedDict(a="b")}, 2))

    assert state_dict(content) == {"n": 3, "state_dict": {"a": "b"}}


@pytest.mark.slow
def test_torch_itself_saves_so() -> None:
    """Of whatever version is here: float32, int64, none, one and several dimensions."""
    torch = pytest.importorskip("torch")
    tensors = {
        "one": torch.arange(3.0),
        "none": torch.tensor(7),
        "shared": torch.arange(24.0).reshape(2, 3, 4)[1],
        "parameter": torch.nn.Linear(2, 2).state_dict()["weight"],
    }
    file = io.BytesIO()
    torch.save({"state_dict": tensors, "version": 1}, file)
    content = state_dict(file.getvalue())

    assert content["version"] == 1
    for name, tensor in tensors.items():
        assert np.array_equal(content["state_dict"][name], tensor.numpy()), name
