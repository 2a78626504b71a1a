"""What is tried next where memory was too little."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from hybrid_transcribe.devices.ladder import Setup, after_failure, smaller

CT2 = ("int8", "int8_float16", "int8_float32", "float16", "float32")
TYPES = (*CT2, "int8_bfloat16", "int16", "bfloat16", "q4_0")

#: How the lines about memory begin.
NO_MEMORY = "Not enough memory on the GPU: went on with "


def way_down(setup: Setup, compute_types: tuple[str, ...]) -> list[tuple[Setup, str]]:
    """Every step of the ladder from there."""
    steps = []
    while (step := smaller(setup, compute_types)) is not None:
        steps.append(step)
        setup = step[0]
    return steps


def test_the_ladder_in_order() -> None:
    """Half the batch and half again, then 8 bits, then the CPU in a format of its own."""
    steps = way_down(Setup("gpu", "float16", 8), CT2)

    assert [setup for setup, _ in steps] == [
        Setup("gpu", "float16", 4),
        Setup("gpu", "float16", 2),
        Setup("gpu", "float16", 1),
        Setup("gpu", "int8_float16", 1),
        Setup("cpu", None, 1),
    ]
    assert [line.removeprefix(NO_MEMORY).partition(";")[0] for _, line in steps][::2] == [
        "batch_size 4",
        "batch_size 1",
        "the CPU",
    ]
    assert steps[3][1].startswith(NO_MEMORY + "int8 weights; a smaller model")


def test_without_a_batch_the_weights_shrink_first() -> None:
    """An engine that was given no batch size has none to halve."""
    step = smaller(Setup("gpu", None), CT2)

    assert step is not None
    assert step[0] == Setup("gpu", "int8_float16")


def test_an_engine_without_int8_goes_to_the_cpu() -> None:
    """openai-whisper knows float16 and float32 only."""
    steps = way_down(Setup("gpu", "float16"), ("float16", "float32"))

    assert [setup for setup, _ in steps] == [Setup("cpu")]


def test_float32_keeps_its_kind_of_float() -> None:
    """A GPU of before 2016 has 8 bits, yet no float16."""
    step = smaller(Setup("gpu", "float32"), CT2)

    assert step is not None
    assert step[0] == Setup("gpu", "int8_float32")


def test_a_broken_gpu_is_left_at_once() -> None:
    """A smaller batch mends nothing; the batch stays, the format is chosen anew."""
    step = after_failure(Setup("gpu", "int8_float16", 8))

    assert step is not None
    assert step[0] == Setup("cpu", None, 8)
    assert step[1].startswith("The GPU failed: went on with the CPU; ")
    assert after_failure(step[0]) is None


@given(
    st.builds(
        Setup,
        st.sampled_from(["gpu", "cpu"]),
        st.none() | st.sampled_from(TYPES),
        st.none() | st.integers(-3, 100_000),
    ),
    st.lists(st.sampled_from(TYPES)).map(tuple),
)
def test_the_ladder_ends_on_the_cpu(setup: Setup, compute_types: tuple[str, ...]) -> None:
    """From everywhere, in few steps, never the same one twice, and every format is known."""
    steps = way_down(setup, compute_types)
    setups = [setup, *(s for s, _ in steps)]

    assert setups[-1].device == "cpu"
    assert len(set(setups)) == len(setups) <= 20
    assert all(
        after.compute_type in (None, before.compute_type, *compute_types)
        for before, after in pairwise(setups)
    )
