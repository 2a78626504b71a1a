"""Switches against the telemetry of the libraries that we load, set before any of them is.

`hybrid_transcribe` sets them when it is imported, so that they hold in every process of ours: a
notebook's kernel, workers, the kernels behind pages, the server and the command. Children
inherit them. Nothing is imported here but the standard library's `os`.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, MutableMapping

#: Variable to the value that turns its telemetry off.
SWITCHES: Mapping[str, str] = {
    # onnxruntime from 1.29 on: its import alone creates a device id and an event store in the
    # user's cache; 1.32 has the switch under this name.
    "ORT_DISABLE_TELEMETRY": "1",
    # huggingface_hub, and hf_xet 1.6 and later, which report each transfer.
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_XET_TELEMETRY_ENABLED": "0",
    # The hub's command asks the package index for newer versions.
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    # transformers asks the hub's conversion space for safetensors of a checkpoint without them.
    "DISABLE_SAFETENSORS_CONVERSION": "1",
    # pyannote.audio from 4 on sends metrics of every pipeline.
    "PYANNOTE_METRICS_ENABLED": "0",
    # Gradio, where a notebook uses it beside us.
    "GRADIO_ANALYTICS_ENABLED": "False",
    # Common to many: transformers, diffusers and huggingface_hub know the first, the second is
    # the convention of donottrack.sh.
    "DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}


def disable(environ: MutableMapping[str, str] | None = None) -> None:
    """Set every switch that the user has not set to a value of their own."""
    environ = os.environ if environ is None else environ
    for name, value in SWITCHES.items():
        if not environ.get(name, "").strip():
            environ[name] = value


def enabled(environ: Mapping[str, str] | None = None) -> list[str]:
    """Names of the switches that do not turn telemetry off, sorted; empty when all do."""
    environ = os.environ if environ is None else environ
    return sorted(name for name, value in SWITCHES.items() if not _is_off(name, value, environ))


def _is_off(name: str, value: str, environ: Mapping[str, str]) -> bool:
    """True where the variable says the same as our value, in whatever spelling."""
    return truth(environ.get(name, "")) == truth(value)


def truth(value: str) -> bool | None:
    """What a yes or no means however people write it, None where it cannot be read."""
    return {
        **dict.fromkeys(("1", "true", "yes", "on"), True),
        **dict.fromkeys(("0", "false", "no", "off"), False),
    }.get(value.strip().lower())
