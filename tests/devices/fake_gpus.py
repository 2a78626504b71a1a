"""Libraries that see one GPU and then do something, put before the real ones for a probe.

The child process that runs the probe is real, and so is all of the library that is not its GPU.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from hybrid_transcribe.devices import GpuProber

#: What cuDNN 9 writes before it aborts, where one of its parts is missing.
CUDNN = (
    "Unable to load any of {libcudnn_ops.so.9.1.0, libcudnn_ops.so.9}\\n"
    "Invalid handle. Cannot load symbol cudnnCreateTensorDescriptor"
)

#: What happens when something is computed on the GPU.
FAULTS = {
    "abort": f"print({CUDNN!r}.encode().decode('unicode_escape'), file=sys.stderr, flush=True)\n"
    "    os.abort()",
    "library": "raise RuntimeError('Library libcublas.so.12 is not found or cannot be loaded')",
    "hang": "threading.Event().wait()",
    "works": "print('a library says hello', flush=True)",
}

_CTRANSLATE2 = """
import os, sys, threading
here = os.path.dirname(os.path.abspath(__file__))
del sys.modules["ctranslate2"]
sys.path.remove(here)
import ctranslate2, ctranslate2.models
Real = ctranslate2.models.Whisper
def Whisper(folder, device, compute_type):
    assert device == "cuda", device
    assert compute_type == "float16", compute_type
    {fault}
    return Real(folder, device="cpu", compute_type="float32")
ctranslate2.models.Whisper = Whisper
ctranslate2.get_cuda_device_count = lambda: 1
ctranslate2.get_supported_compute_types = lambda device: {{"int8", "float16", "float32"}}
sys.path.insert(0, here)
"""

_REAL_TORCH = """
import os, sys, threading
here = os.path.dirname(os.path.abspath(__file__))
del sys.modules["torch"]
sys.path.remove(here)
import torch
full = torch.full
def on_cpu(shape, number, dtype, device):
    assert device == "cuda", device
    {fault}
    return full(shape, number, dtype=dtype, device="cpu")
torch.full = on_cpu
torch.cuda.is_available = lambda: True
torch.cuda.is_bf16_supported = lambda: False
sys.path.insert(0, here)
"""

_TORCH = """
import os, sys, threading, types
float16 = "float16"
cuda = types.SimpleNamespace(is_available=lambda: True, is_bf16_supported=lambda: True)
class inference_mode:
    def __enter__(self): pass
    def __exit__(self, *error): pass
class Numbers(float):
    T = property(lambda self: self)
    def __getitem__(self, index): return self
    def __matmul__(self, other): return Numbers(self * other)
    def sum(self): return self
def full(shape, number, dtype, device):
    assert (dtype, device) == ("float16", "cuda")
    return Numbers(number)
def conv1d(sound, weights):
    {fault}
    return Numbers(sound * weights)
nn = types.SimpleNamespace(functional=types.SimpleNamespace(conv1d=conv1d))
"""


def prober(folder: Path, fault: str, backend: str = "ctranslate2", **how: Any) -> GpuProber:
    """Looks at a machine with one such GPU."""
    folder.mkdir(parents=True, exist_ok=True)
    text = {"ctranslate2": _CTRANSLATE2, "torch": _TORCH, "real torch": _REAL_TORCH}[backend]
    (folder / f"{backend.split()[-1]}.py").write_text(
        text.format(fault=FAULTS[fault]), encoding="utf-8"
    )
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    variables = {"PYTHONPATH": os.pathsep.join(paths)}
    return GpuProber(why_no_gpu=lambda: None, variables=variables, **how)
