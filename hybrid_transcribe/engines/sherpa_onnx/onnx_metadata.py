"""The key-value pairs that an exporter wrote into an ONNX file, read without loading the model.

sherpa-onnx 2.0 ends the whole process (``_Exit``) where a pair is missing, so the pairs are
checked before it opens a file. An ONNX file is one protobuf message; its weights are a single
field that is skipped by its length, so reading 650 MB of Parakeet takes a millisecond.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import IO

#: Field numbers of onnx.proto: ``ModelProto.metadata_props``, and key and value of its entries.
_METADATA_PROPS, _KEY, _VALUE = 14, 1, 2

#: Protobuf's wire types.
_VARINT, _FIXED64, _LENGTH_DELIMITED, _FIXED32 = 0, 1, 2, 5

#: A varint is at most 64 bits of seven each.
_MAX_VARINT_BYTES = 10


def read_metadata(path: Path) -> dict[str, str]:
    """All pairs of an ONNX file. Raises ValueError where it is cut short or no ONNX file."""
    size_bytes = path.stat().st_size
    pairs: dict[str, str] = {}
    with path.open("rb") as file:
        for number, payload in _fields(file, size_bytes):
            if number == _METADATA_PROPS:
                entry = _entry(payload)
                pairs[entry.get(_KEY, "")] = entry.get(_VALUE, "")
    return pairs


def _fields(file: IO[bytes], end: int) -> Iterator[tuple[int, bytes]]:
    """Number and payload of each field; the payload of large fields is skipped and empty."""
    while file.tell() < end:
        tag = _varint(file)
        number, wire_type = tag >> 3, tag & 7
        if number == 0:
            raise ValueError("no protobuf message")
        length = _length(file, wire_type)
        if file.tell() + length > end:
            raise ValueError("cut short")
        if wire_type == _LENGTH_DELIMITED and number == _METADATA_PROPS:
            yield number, file.read(length)
        else:
            file.seek(length, 1)
            yield number, b""


def _length(file: IO[bytes], wire_type: int) -> int:
    """Bytes of a field's value that follow."""
    if wire_type == _VARINT:
        _varint(file)
        return 0
    if wire_type == _LENGTH_DELIMITED:
        return _varint(file)
    if wire_type in (_FIXED32, _FIXED64):
        return 4 if wire_type == _FIXED32 else 8
    raise ValueError("no protobuf message")


def _varint(file: IO[bytes]) -> int:
    value = 0
    for index in range(_MAX_VARINT_BYTES):
        byte = file.read(1)
        if not byte:
            raise ValueError("cut short")
        value |= (byte[0] & 0x7F) << (7 * index)
        if byte[0] < 0x80:
            return value
    raise ValueError("no protobuf message")


def _entry(payload: bytes) -> dict[int, str]:
    """Field number to text of one ``StringStringEntryProto``."""
    file, texts = BytesIO(payload), {}
    while file.tell() < len(payload):
        number = _varint(file) >> 3
        texts[number] = file.read(_varint(file)).decode("utf-8", "replace")
    return texts
