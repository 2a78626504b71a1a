"""Reading the weights in a file of ``torch.save``, without torch and without running its code.

Such a file is a zip: ``data.pkl``, a pickle that says which tensors there are, and ``data/<key>``
with the numbers of each. The pickle may name nothing but what a dict of tensors is made of.
"""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def state_dict(content: bytes) -> dict[str, Any]:
    """What was saved, with arrays (float32 or int64, read-only) in place of tensors.

    Raises ValueError for what is no such file, is damaged, or holds anything else than dicts of
    tensors and plain values.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            (name,) = (n for n in archive.namelist() if n.endswith("/data.pkl"))
            home = name.removesuffix("data.pkl")
            data = io.BytesIO(archive.read(name))
            saved = _TensorUnpickler(data, lambda key: archive.read(f"{home}data/{key}")).load()
    except Exception as error:
        # A damaged pickle raises whatever its opcodes lead to.
        raise ValueError(f"no weights as torch saves them: {error!r}") from error
    if not isinstance(saved, dict):
        raise ValueError("no weights as torch saves them: not a dict")
    return saved


def _tensor(storage: Array, offset: int, size: Any, stride: Any, *_: Any) -> Array:
    """``torch._utils._rebuild_tensor_v2``: a storage seen as a tensor."""
    count = math.prod(size)
    steps = [math.prod(size[axis + 1 :]) for axis in range(len(size))]
    if any(n > 1 and step != s for n, step, s in zip(size, steps, stride, strict=True)):
        raise ValueError("its numbers do not follow each other")
    if offset < 0 or offset + count > storage.size:
        raise ValueError("it is longer than its storage")
    numbers: Array = storage[offset : offset + count]
    numbers.shape = tuple(size)
    return numbers


#: All that the pickle may name.
_NAMES: dict[tuple[str, str], Any] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _tensor,
    ("torch", "FloatStorage"): np.dtype("<f4"),
    ("torch", "LongStorage"): np.dtype("<i8"),
}


class _TensorUnpickler(pickle.Unpickler):
    def __init__(self, data: io.BytesIO, stored: Callable[[str], bytes]) -> None:
        super().__init__(data)
        self._stored = stored

    def find_class(self, module: str, name: str) -> Any:
        """Refuses every name but those of a dict of tensors."""
        if (module, name) not in _NAMES:
            raise pickle.UnpicklingError(f"it names {module}.{name}")
        return _NAMES[module, name]

    def persistent_load(self, reference: Any) -> Array:
        """The numbers of a storage: ``("storage", type, key, device, count)``."""
        _, kind, key, _, count = reference
        numbers: Array = np.frombuffer(self._stored(str(key)), kind)
        if numbers.size != count:
            raise pickle.UnpicklingError(f"storage {key} has {numbers.size} numbers, not {count}")
        return numbers
