"""NVIDIA's libraries where pip puts them, and the small model that shows a device computes."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from hybrid_transcribe.devices import libraries, preferred
from hybrid_transcribe.devices._ct2_model import FRAMES, WIDTH
from hybrid_transcribe.devices.gpu_probe_child import PROBES

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the names are those of Linux")


def site(tmp_path: Path, *names: str) -> Path:
    """The folder of the namespace with such files; real libraries, whatever their names say."""
    for name in names:
        path = tmp_path / "nvidia" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(Path(msgspec._core.__file__).read_bytes())
    return tmp_path / "nvidia"


def test_only_what_may_be_asked_for_is_found(tmp_path: Path) -> None:
    """cuBLAS of CUDA 12 and cuDNN 9: another major version would be another library."""
    folder = site(
        tmp_path,
        "cublas/lib/libcublas.so.12",
        "cublas/lib/libcublasLt.so.12",
        "cublas/lib/libnvblas.so.12",
        "cu13/lib/libcublas.so.13",
        "cudnn/lib/libcudnn.so.9",
        "cudnn/lib/libcudnn_ops.so.9",
        "cufft/lib/libcufft.so.11",
    )

    assert [path.name for path in libraries.installed([str(folder)])] == [
        "libcublas.so.12",
        "libcublasLt.so.12",
        "libcudnn.so.9",
        "libcudnn_ops.so.9",
    ]


def test_the_namespace_is_found_without_importing_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wherever on the path of modules it is."""
    folder = site(tmp_path, "cublas/lib/libcublas.so.12")
    monkeypatch.syspath_prepend(str(tmp_path))

    assert folder / "cublas" / "lib" / "libcublas.so.12" in libraries.installed()
    assert "nvidia" not in sys.modules


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process has loaded")
def test_what_is_there_is_loaded_and_what_is_broken_left_out(tmp_path: Path) -> None:
    """A half-installed package does not keep the rest from being of use."""
    folder = site(tmp_path, "cublas/lib/libcublas.so.12", "cublas/lib/libcublasLt.so.12")
    broken, whole = libraries.installed([str(folder)])
    broken.write_bytes(b"no library")

    assert libraries.preload([str(folder)]) == [whole]
    assert str(whole) in libraries.in_use()
    assert str(broken) not in libraries.in_use()


def test_the_small_model_computes(tmp_path: Path) -> None:
    """On the CPU here: convolutions, attention and products, with different numbers out.

    In a process without torch, which CTranslate2's specs would take seconds to import.
    """
    code = """
import sys
sys.modules["torch"] = None
from pathlib import Path
from hybrid_transcribe.devices._ct2_model import encode, write_model
folder = Path(sys.argv[1])
write_model(folder)
heard = encode(folder, "cpu", "float32")
print(*heard.shape, float(heard.std()) > 0.01, bool((abs(heard) < 100).all()))
"""
    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, timeout=60
    )

    assert ran.stdout.split() == ["1", str(FRAMES // 2), str(WIDTH), "True", "True"], ran.stderr


@pytest.mark.parametrize(
    ("backend", "device", "can", "chosen"),
    [
        ("ctranslate2", "gpu", {"float32", "float16", "int8_float16"}, "float16"),
        ("ctranslate2", "gpu", {"float32", "int8_float32", "int8"}, "int8_float32"),
        ("ctranslate2", "cpu", {"float32", "int8", "int8_float32"}, "int8"),
        ("torch", "gpu", {"float32"}, "float32"),
        ("torch", "cpu", {"float16", "float32"}, "float32"),
        ("ctranslate2", "gpu", {"int16"}, None),
    ],
)
def test_the_number_format_is_the_best_of_what_there_is(
    backend: str, device: str, can: set[str], chosen: str | None
) -> None:
    """Each device has its own order."""
    assert preferred(backend, device, can) == chosen


def test_every_library_that_can_be_chosen_can_be_tried() -> None:
    """The probe knows the libraries that formats are known of."""
    assert all(preferred(backend, "gpu", {"float32"}) for backend in PROBES)
