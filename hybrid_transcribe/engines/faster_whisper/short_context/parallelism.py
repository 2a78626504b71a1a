"""Whether a request can take the fast way, and how the machine is used for it."""

from __future__ import annotations

import os
from dataclasses import dataclass

from hybrid_transcribe.types import Options

#: Options that are about the library's own window, or need the text before it.
_NEED_THE_WINDOW = (
    "clip_timestamps",
    "hallucination_silence_threshold",
    "prefix",
    "chunk_length",
    "condition_on_previous_text",
)

#: More copies of a model than this wait for memory rather than for cores.
MOST_REPLICAS = 8

#: Pieces that a GPU hears at once. Its decoder is bound by reading weights, so more of them cost
#: it little; with large-v3 in float16 sixteen full windows take 4 GB besides 3 GB of weights
#: (two times 1,500 x 1,280 numbers in each of 32 layers), which leaves room on a card of 8 GB.
GPU_BATCH = 16

#: Pieces that a replica decodes at once on a CPU. Of clips of 5 to 10 s (beam 1) one thread
#: decodes one in 160 ms with tiny.en and 400 ms with base; two together take 78 and 252 ms each,
#: four 45 and 121, eight 36 and 101, sixteen 38 and 92.
CPU_BATCH = 8

#: Windows are as long as a multiple of this, in seconds: only pieces of the same length are
#: decoded together. A GPU takes more silence for larger batches; on a CPU silence costs time
#: where it has to be encoded.
STEP_S, CPU_ENCODED_STEP_S, GPU_STEP_S = 2.0, 1.0, 5.0


def can_trim(options: Options, device: str) -> bool:
    """True for what the trimmed window does as well as the full one."""
    return (
        options.context != "full"
        and (device == "cpu" or options.batch_size in (None, 1))
        and not any(getattr(options, name) for name in _NEED_THE_WINDOW)
    )


@dataclass(frozen=True, slots=True)
class Parallelism:
    """How a model is spread over a CPU: copies that work side by side, and threads of each.

    The weights are shared between copies. ``threads`` 0 lets the library choose. ``batch`` is
    how many pieces a copy hears at once, at most.
    """

    replicas: int = 1
    threads: int = 0
    batch: int = 1

    @property
    def n_ears(self) -> int:
        """Pieces to have in hand, so that no copy ever waits for one."""
        # While each replica decodes a batch, the next one gathers, among pieces of several lengths.
        return self.replicas if self.batch == 1 else (self.replicas + 2) * self.batch


def wide(cpu_threads: int, device: str) -> Parallelism:
    """For many pieces at once, in batches; on a CPU in as many side by side as it has cores.

    Two copies of one thread transcribe short clips 1.5 times as fast as one of two threads:
    most steps of the decoder are too small to share.
    """
    if device != "cpu":
        return Parallelism(1, cpu_threads, GPU_BATCH)
    n = cpu_threads or cores()
    replicas = min(n, MOST_REPLICAS)
    return Parallelism(replicas, max(n // replicas, 1), CPU_BATCH)


def step_s(device: str, *, encoded: bool) -> float:
    """Of what windows' lengths are multiples, in seconds.

    ``encoded`` says that all silence behind a piece is encoded with it.
    """
    if device != "cpu":
        return GPU_STEP_S
    return CPU_ENCODED_STEP_S if encoded else STEP_S


def deep(cpu_threads: int) -> Parallelism:
    """For one window after the other."""
    return Parallelism(1, cpu_threads)


def cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on every system
        return os.cpu_count() or 1
