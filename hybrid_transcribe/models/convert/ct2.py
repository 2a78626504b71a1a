"""Reading ``model.bin``, the file of weights of CTranslate2.

The layout, little endian, as the converter of CTranslate2 writes it (``ModelSpec._serialize``):
a version, the name and revision of the kind of model, then variables (name, rank, dimensions,
type, bytes) and, last, other names for variables that are shared. A string is its length with
the closing zero byte, the text and that byte.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hybrid_transcribe.errors import ModelUnavailable
from hybrid_transcribe.messages import UserMessage

Array = np.ndarray[Any, Any]

#: The one version and kind that published Whisper models have, with the revision of its names.
_VERSION, _KIND, _REVISION = 6, "WhisperSpec", 3

#: Type numbers in the order of CTranslate2's ``DataType``. numpy has no bfloat16: it is the
#: upper half of a float32 and is read as 16 bits first.
_TYPES = ("<f4", "<i1", "<i2", "<i4", "<f2", "<u2")
_BFLOAT16 = _TYPES.index("<u2")


@dataclass(frozen=True, slots=True)
class Weights:
    """The variables of a model by name, shared ones under each of their names."""

    path: Path
    arrays: Mapping[str, Array]

    def __contains__(self, name: str) -> bool:
        return name in self.arrays

    def __getitem__(self, name: str) -> Array:
        """A variable as numbers: 8- and 16-bit integers are divided by their scales.

        Raises ModelUnavailable where it is missing or quantised in a way we do not read.
        """
        if name not in self.arrays:
            raise ModelUnavailable(UserMessage("ct2_lacks", path=self.path, name=name))
        array = self.arrays[name]
        if array.ndim == 0 or array.dtype.kind == "f":
            return array
        return self._numbers(name, array)

    def _numbers(self, name: str, whole: Array) -> Array:
        scale = self.arrays.get(f"{name}_scale")
        is_known = whole.dtype.itemsize <= 2 and scale is not None and f"{name}_zero" not in self
        # int8: one scale a row; int16: one in all (`LayerSpec._quantize` of CTranslate2).
        if not is_known or scale is None or scale.size not in (1, whole.shape[0]):
            raise ModelUnavailable(
                UserMessage("ct2_quantised", path=self.path, name=name, kind=whole.dtype.name)
            )
        rows = scale.astype(np.float32).reshape(-1, *(1,) * (whole.ndim - 1))
        numbers: Array = whole.astype(np.float32) / rows
        return numbers.astype(self._float_type())

    def _float_type(self) -> np.dtype[Any]:
        """The type of what was not quantised, such as biases."""
        result: np.dtype[Any] = self["decoder/layer_norm/gamma"].dtype
        return result

    @property
    def float_bytes(self) -> int:
        """Bytes of all weights as numbers, each counted once."""
        once = {id(array): array.size for array in self.arrays.values()}
        return sum(once.values()) * self._float_type().itemsize

    def layers(self, part: str) -> int:
        """How many layers ``encoder`` or ``decoder`` has."""
        prefix = f"{part}/layer_"
        # "layer_norm" is not one of them.
        rest = (n[len(prefix) :].split("/", 1)[0] for n in self.arrays if n.startswith(prefix))
        return len({number for number in rest if number.isdigit()})


def read(path: Path) -> Weights:
    """The variables of a ``model.bin``, mapped rather than read: memory stays flat.

    Raises ModelUnavailable for a file that is cut, or of another kind.
    """
    try:
        # Copy on write: torch warns about arrays that it could not change.
        data = np.memmap(path, np.uint8, "c")
        return Weights(path, _Reader(path, data).variables())
    except (OSError, ValueError, struct.error, UnicodeDecodeError) as error:
        raise ModelUnavailable(UserMessage("ct2_unreadable", path=path, why=error)) from error


class _Reader:
    def __init__(self, path: Path, data: Array) -> None:
        self._path, self._data, self._at = path, data, 0

    def variables(self) -> dict[str, Array]:
        (version,) = self._take("I")
        # Before the kind is read, which older versions have not.
        kind = self._text() if version == _VERSION else None
        revision = self._take("I")[0] if kind else None
        if (version, kind, revision) != (_VERSION, _KIND, _REVISION):
            raise ModelUnavailable(
                UserMessage(
                    "ct2_version",
                    path=self._path,
                    kind=kind or "a model",
                    revision=revision or "",
                    version=version,
                    known_kind=_KIND,
                    known_revision=_REVISION,
                    known_version=_VERSION,
                )
            )
        arrays = dict(self._variable() for _ in range(self._take("I")[0]))
        for _ in range(self._take("I")[0]):
            alias, name = self._text(), self._text()
            if name not in arrays:
                raise ValueError(f"{alias} stands for {name}, which is not there")
            arrays[alias] = arrays[name]
        return arrays

    def _variable(self) -> tuple[str, Array]:
        name = self._text()
        shape = self._take("I" * self._take("B")[0])
        number, n_bytes = self._take("BI")
        if number >= len(_TYPES):
            raise ValueError(f"{name} has the unknown type {number}")
        kind = np.dtype(_TYPES[number])
        if n_bytes != math.prod(shape) * kind.itemsize:
            raise ValueError(f"{name} of shape {shape} has {n_bytes} bytes")
        array = self._bytes(n_bytes).view(kind).reshape(shape)
        return name, _wider(array) if number == _BFLOAT16 else array

    def _text(self) -> str:
        (length,) = self._take("H")
        return self._bytes(length).tobytes()[:-1].decode("utf-8")

    def _take(self, pattern: str) -> tuple[int, ...]:
        packed = struct.Struct("<" + pattern)
        return packed.unpack(self._bytes(packed.size).tobytes())

    def _bytes(self, count: int) -> Array:
        start, self._at = self._at, self._at + count
        if self._at > len(self._data):
            raise ValueError(f"it ends at byte {len(self._data)}, in the middle")
        return self._data[start : self._at]


def _wider(upper: Array) -> Array:
    """bfloat16 as float32."""
    wide: Array = (upper.astype(np.uint32) << 16).view(np.float32)
    return wide
