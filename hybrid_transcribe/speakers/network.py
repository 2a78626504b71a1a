"""ONNX networks on one thread of the CPU."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.errors import EngineUnavailable, ModelUnavailable
from hybrid_transcribe.messages import UserMessage

Floats = npt.NDArray[np.float32]


class Network:
    """A graph with one input and one output.

    One thread: both networks are so small that a second one gives little, and it would take a core
    from whoever transcribes meanwhile.
    """

    def __init__(self, path: Path) -> None:
        """Raises EngineUnavailable without onnxruntime, ModelUnavailable for a damaged file."""
        try:
            import onnxruntime
        except ImportError as error:
            raise EngineUnavailable(UserMessage("speakers_need_onnxruntime")) from error
        try:
            self._session: Any = onnxruntime.InferenceSession(
                str(path), _session_options(onnxruntime), providers=["CPUExecutionProvider"]
            )
        # Its errors have no common base but RuntimeError and Exception.
        except Exception as error:
            raise ModelUnavailable(UserMessage("damaged_speaker_model", file=path.name)) from error
        self._input: str = self._session.get_inputs()[0].name

    def __call__(self, values: Floats) -> Floats:
        """The output for a batch."""
        output: Floats = self._session.run(None, {self._input: values})[0]
        return output


def _session_options(onnxruntime: Any) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    # Windows have many lengths: what is kept for each of them would only grow.
    options.enable_mem_pattern = False
    return options
