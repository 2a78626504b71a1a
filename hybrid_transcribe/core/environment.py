"""What children of ours get of the environment: what they need, and no keys of anybody.

A notebook server's environment holds passwords of databases and keys of clouds. A worker needs
its libraries' paths and switches; settings reach it through its pipe. What a plug-in needs
beside is named in the setting ``pass_environment``.
"""

from __future__ import annotations

import fnmatch
import os
import re
from collections.abc import Mapping

from hybrid_transcribe.core.telemetry import SWITCHES

#: Names, or their beginnings with ``*``, by what they are for.
NEEDED = (
    # The system and its user; without some of these Windows starts no Python.
    *("PATH", "HOME", "USER", "LOGNAME", "USERNAME", "SHELL", "TERM", "TZ", "LANG", "LANGUAGE"),
    *("LC_*", "TMPDIR", "TEMP", "TMP", "XDG_*", "SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC"),
    *("PATHEXT", "APPDATA", "LOCALAPPDATA", "PROGRAMDATA", "PROGRAMFILES*", "USERPROFILE"),
    *("HOMEDRIVE", "HOMEPATH", "NUMBER_OF_PROCESSORS", "PROCESSOR_*", "OS"),
    # Python and where it is installed.
    *("PYTHON*", "VIRTUAL_ENV", "CONDA_PREFIX", "CONDA_DEFAULT_ENV", "COVERAGE_*"),
    # Shared libraries, memory and cores.
    *("LD_LIBRARY_PATH", "LD_PRELOAD", "DYLD_*", "MALLOC_*", "GLIBC_TUNABLES", "OMP_*", "KMP_*"),
    *("MKL_*", "OPENBLAS_*", "GOTO_*", "BLIS_*", "VECLIB_*", "NUMEXPR_*", "CT2_*", "ORT_*"),
    # GPUs.
    *("CUDA_*", "NVIDIA_*", "CUDNN_*", "CUBLAS_*", "ROCR_*", "HIP_*", "HSA_*", "ROCM_*"),
    *("TORCH_*", "PYTORCH_*"),
    # Models: caches, mirrors and switches of the hub and of the engines.
    *("HF_*", "HUGGINGFACE_*", "TRANSFORMERS_*", "TOKENIZERS_*", "SAFETENSORS_*", "WHISPER_*"),
    # The way out.
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "SSL_CERT_FILE", "SSL_CERT_DIR"),
    *("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    # Ours.
    "HYBRID_TRANSCRIBE_*",
    *SWITCHES,
)

#: Names with one of these words hold secrets, whatever they are for.
_SECRET = re.compile(
    r"(^|_)(API_?KEY|KEY|TOKEN|SECRET|PASSWORD|PASSWD|PWD|PASS|CREDENTIALS?|AUTH)(_|$)"
)

#: The one key that is needed: the hub's, for models that are not public. Workers get it.
HUB_TOKENS = ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN")


def needed(
    environ: Mapping[str, str] | None = None, *, more: tuple[str, ...] = ()
) -> dict[str, str]:
    """The variables that a child needs. ``more`` are names, or patterns with ``*``, beside ours.

    What is named there in full is passed even where it is a key.

    >>> sorted(needed({"PATH": "/bin", "AWS_SECRET_ACCESS_KEY": "x", "HF_HOME": "/m"}))
    ['HF_HOME', 'PATH']
    """
    values = os.environ if environ is None else environ
    return {name: value for name, value in values.items() if _is_needed(name.upper(), more)}


def _is_needed(name: str, more: tuple[str, ...]) -> bool:
    if name in more:
        return True
    if _SECRET.search(name):
        return False
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in (*NEEDED, *more))
