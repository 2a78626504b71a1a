"""Writing networks as ONNX files, without a library.

An ONNX file is one protobuf message (``ModelProto`` of onnx/onnx.proto). The few parts of it that
a network of float32 numbers needs are written here; the same numbers give the same bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]

#: What the nodes mean, and the file format of that time: any onnxruntime from 1.12 reads it.
_OPSET, _IR_VERSION = 17, 8

#: Element types of a tensor (``TensorProto.DataType``).
_FLOAT, _INT64 = 1, 7

#: An attribute's value: the field it stands in, and its type (``AttributeProto.AttributeType``).
_NUMBER, _INTEGER, _TEXT, _INTEGERS = (2, 1), (3, 2), (4, 3), (8, 7)

Attribute = float | int | str | Sequence[int]

#: A dimension is a number, or the name of one that may vary.
Dimensions = Sequence[int | str]


class OnnxGraph:
    """A graph that grows node by node; each call returns the name of what it computes."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._nodes: list[bytes] = []
        self._weights: list[bytes] = []
        self._inputs: list[bytes] = []
        self._outputs: list[bytes] = []

    def input(self, name: str, dimensions: Dimensions) -> str:
        """An input of float32 numbers."""
        self._inputs.append(_value(name, dimensions))
        return name

    def output(self, name: str, value: str, dimensions: Dimensions) -> None:
        """Give a computed value a name of its own, as an output of float32 numbers."""
        self._nodes.append(_node("Identity", (value,), name, {}))
        self._outputs.append(_value(name, dimensions))

    def weight(self, array: Array) -> str:
        """A constant: int64 where it is of whole numbers, else float32."""
        name = f"w{len(self._weights)}"
        self._weights.append(_tensor(name, array))
        return name

    def node(self, operator: str, *inputs: str | Array, **attributes: Attribute) -> str:
        """The first output of an operator. An array becomes a constant; "" is an input left out."""
        names = [item if isinstance(item, str) else self.weight(item) for item in inputs]
        name = f"{operator}{len(self._nodes)}"
        self._nodes.append(_node(operator, names, name, attributes))
        return name

    def model(self) -> bytes:
        """The file's content."""
        graph = b"".join(
            [
                _all(1, self._nodes),
                _bytes(2, self._name.encode()),
                _all(5, self._weights),
                _all(11, self._inputs),
                _all(12, self._outputs),
            ]
        )
        opset = _bytes(8, _integer(2, _OPSET))
        producer = _bytes(2, b"hybrid-transcribe")
        return _integer(1, _IR_VERSION) + producer + _bytes(7, graph) + opset


# ------------------------------------------------------------------------ parts of a graph


def _node(
    operator: str, inputs: Iterable[str], output: str, attributes: Mapping[str, Attribute]
) -> bytes:
    return b"".join(
        [
            _all(1, (name.encode() for name in inputs)),
            _bytes(2, output.encode()),
            _bytes(3, output.encode()),
            _bytes(4, operator.encode()),
            _all(5, (_attribute(name, value) for name, value in attributes.items())),
        ]
    )


def _attribute(name: str, value: Attribute) -> bytes:
    if isinstance(value, str):
        (field, kind), content = _TEXT, _bytes(_TEXT[0], value.encode())
    elif isinstance(value, float):
        (field, kind), content = _NUMBER, _tag(_NUMBER[0], 5) + struct.pack("<f", value)
    elif isinstance(value, int):
        (field, kind), content = _INTEGER, _integer(_INTEGER[0], value)
    else:
        field, kind = _INTEGERS
        content = b"".join(_integer(field, number) for number in value)
    return _bytes(1, name.encode()) + content + _integer(20, kind)


def _tensor(name: str, array: Array) -> bytes:
    whole = array.dtype.kind == "i"
    numbers = np.ascontiguousarray(array, "<i8" if whole else "<f4")
    return b"".join(
        [
            *(_integer(1, size) for size in array.shape),
            _integer(2, _INT64 if whole else _FLOAT),
            _bytes(8, name.encode()),
            _bytes(9, numbers.tobytes()),
        ]
    )


def _value(name: str, dimensions: Dimensions) -> bytes:
    sizes = [
        _bytes(2, size.encode()) if isinstance(size, str) else _integer(1, size)
        for size in dimensions
    ]
    tensor = _integer(1, _FLOAT) + _bytes(2, _all(1, sizes))
    return _bytes(1, name.encode()) + _bytes(2, _bytes(1, tensor))


# ------------------------------------------------------------------------------- protobuf


def _all(field: int, items: Iterable[bytes]) -> bytes:
    return b"".join(_bytes(field, item) for item in items)


def _bytes(field: int, content: bytes) -> bytes:
    """A field of text, bytes or another message."""
    return _tag(field, 2) + _varint(len(content)) + content


def _integer(field: int, number: int) -> bytes:
    return _tag(field, 0) + _varint(number)


def _tag(field: int, wire_type: int) -> bytes:
    return _varint(field << 3 | wire_type)


def _varint(number: int) -> bytes:
    """Seven bits a byte, the lowest first; a negative number as its 64-bit two's complement."""
    rest, result = number & (1 << 64) - 1, bytearray()
    while rest > 0x7F:
        result.append(rest & 0x7F | 0x80)
        rest >>= 7
    return bytes([*result, rest])
