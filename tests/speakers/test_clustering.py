"""Clusters, against the definition of average linkage and by numbers of speakers."""

from __future__ import annotations

import tracemalloc

import numpy as np
import numpy.typing as npt
import pytest

from hybrid_transcribe.speakers.clustering import (
    SpeakerLimits,
    average_linkage,
    cluster,
    cut,
    joined_small,
)
from hybrid_transcribe.speakers.embedding import normalized

Floats = npt.NDArray[np.float32]


def voices(
    counts: list[int], seed: int = 0, noise: float = 0.7, d: int = 192
) -> tuple[Floats, npt.NDArray[np.int64]]:
    """Vectors around as many directions as there are counts, shuffled, and whose each is."""
    random = np.random.default_rng(seed)
    centres = normalized(random.standard_normal((len(counts), d)).astype(np.float32))
    owners = np.repeat(np.arange(len(counts)), counts)
    random.shuffle(owners)
    spread = normalized(random.standard_normal((len(owners), d)).astype(np.float32))
    return normalized(centres[owners] + noise * spread), owners


def same(first: npt.NDArray[np.int64], second: npt.NDArray[np.int64]) -> bool:
    """Whether two lists of labels say the same, whatever they call it."""
    pairs = set(zip(first.tolist(), second.tolist(), strict=True))
    return len(pairs) == len(set(first.tolist())) == len(set(second.tolist()))


def by_definition(vectors: Floats, threshold: float) -> npt.NDArray[np.int64]:
    """Average linkage, slowly: of all pairs of clusters the nearest become one."""
    distances = 1 - vectors.astype(np.float64) @ vectors.astype(np.float64).T
    clusters = [[i] for i in range(len(vectors))]
    while len(clusters) > 1:
        pairs = [
            (distances[np.ix_(a, b)].mean(), i, j)
            for i, a in enumerate(clusters)
            for j, b in enumerate(clusters[:i])
        ]
        nearest, i, j = min(pairs)
        if nearest > threshold:
            break
        clusters[j] += clusters.pop(i)
    labels = np.zeros(len(vectors), np.int64)
    for number, members in enumerate(clusters):
        labels[members] = number
    return labels


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("threshold", [0.4, 0.6, 0.8, 0.95])
def test_chains_of_neighbours_give_average_linkage(seed: int, threshold: float) -> None:
    """The merges under a threshold are those of the definition."""
    vectors, _ = voices([7, 9, 4, 1, 1], seed, noise=1.3, d=12)

    merges = [m for m in average_linkage(vectors) if m.distance <= threshold]

    assert same(cut(merges, len(vectors)), by_definition(vectors, threshold))


def test_equal_vectors_end() -> None:
    """Rounding sends no chain in circles: 300 equal vectors, and three that nearly are."""
    vectors, _ = voices([1], noise=0.0)
    nearly = np.concatenate([np.repeat(vectors, 300, axis=0), vectors + 1e-7, vectors - 1e-7])

    assert len(average_linkage(nearly)) == len(nearly) - 1
    assert set(cluster(nearly).tolist()) == {0}


@pytest.mark.parametrize("n", [1, 2, 3, 4, 6])
def test_each_voice_becomes_a_cluster(n: int) -> None:
    """Unequal amounts of speech, one of them short."""
    vectors, owners = voices([5, 40, 20, 80, 12, 33][:n])

    assert same(cluster(vectors), owners)


def test_nothing_is_nobody() -> None:
    """No vectors have no labels; a single one is somebody."""
    assert cluster(np.zeros((0, 192), np.float32)).shape == (0,)
    assert cluster(voices([1])[0]).tolist() == [0]


def test_a_few_windows_are_nobody_of_their_own() -> None:
    """Two windows unlike all others join the nearest of the large clusters."""
    vectors, owners = voices([20, 20, 2])

    labels = cluster(vectors)

    assert same(labels[owners < 2], owners[owners < 2])
    assert set(labels.tolist()) == {0, 1}


def test_where_all_clusters_are_small_the_largest_counts() -> None:
    """Short audio has somebody, too."""
    vectors, _ = voices([2, 1], noise=0.1)

    assert joined_small(vectors, np.array([0, 0, 1]), 3).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("limits", "count"),
    [
        (SpeakerLimits(2, 2), 2),
        (SpeakerLimits(1, 1), 1),
        (SpeakerLimits(6, 6), 6),
        (SpeakerLimits(least=5), 5),
        (SpeakerLimits(most=3), 3),
        (SpeakerLimits(2, 9), 4),
    ],
)
def test_the_number_of_speakers_can_be_said(limits: SpeakerLimits, count: int) -> None:
    """Four voices, and as many clusters as are asked for, none of them a single window."""
    vectors, owners = voices([30, 30, 30, 30, 1])

    labels = cluster(vectors, limits)

    sizes = np.bincount(labels)
    assert len(sizes) == count
    assert sizes.min() >= 3
    if count < 4:  # Nobody is in two clusters.
        large = owners < 4
        assert len(set(zip(labels[large].tolist(), owners[large].tolist(), strict=True))) == 4


def test_voices_of_a_few_windows_are_told_apart_where_their_number_is_said() -> None:
    """Two people with two windows each, in a recording of a few seconds."""
    vectors, owners = voices([2, 2], noise=0.3)

    assert set(cluster(vectors).tolist()) == {0}
    assert same(cluster(vectors, SpeakerLimits(2, 2)), owners)


def test_one_voice_in_two_moods_is_one_person() -> None:
    """Clusters that are farther apart than windows may be are joined by their centres."""
    random = np.random.default_rng(3)
    voice, other, mood, noise = normalized(random.standard_normal((4, 192)).astype(np.float32))
    spread = normalized(random.standard_normal((60, 192)).astype(np.float32))
    moods = np.repeat([1, -1], 30)[:, None] * mood
    vectors = normalized(voice + 0.42 * moods + 0.9 * spread)
    others = normalized(other + 0.42 * noise + 0.9 * spread[:30])

    labels = cluster(np.concatenate([vectors, others]))

    assert same(labels, np.repeat([0, 1], [60, 30]))


def test_a_few_windows_are_joined_more_easily_than_many() -> None:
    """Their centre is less sure: the same similarity says more."""
    random = np.random.default_rng(5)
    voice, aside = normalized(random.standard_normal((2, 192)).astype(np.float32))
    aside = normalized(aside - (aside @ voice) * voice)
    spread = normalized(random.standard_normal((60, 192)).astype(np.float32))

    def clusters(n_aside: int) -> int:
        """How many, where some windows have a similarity of 0.55 to the voice's centre."""
        own = normalized(voice + 0.8 * spread[:30])
        others = normalized(0.55 * voice + 0.835 * aside + 0.3 * spread[30 : 30 + n_aside])
        return int(cluster(np.concatenate([own, others])).max()) + 1

    assert (clusters(3), clusters(30)) == (1, 2)


def test_unreliable_windows_make_no_cluster() -> None:
    """Windows of overlapped speech join whoever they are nearest to."""
    vectors, owners = voices([20, 20, 10])

    labels = cluster(vectors, reliable=owners < 2)

    assert same(labels[owners < 2], owners[owners < 2])
    assert set(labels.tolist()) == {0, 1}


def test_long_recordings_are_clustered_in_two_steps_with_the_same_result() -> None:
    """More windows than are compared at once, of people who take turns."""
    vectors, owners = voices([2000, 1500, 1000, 300])

    assert same(cluster(vectors), owners)


def test_more_speakers_than_windows_are_as_many_as_there_are() -> None:
    """Nobody is made up."""
    vectors, _ = voices([2])

    assert len(set(cluster(vectors, SpeakerLimits(5, 5)).tolist())) <= 2


@pytest.mark.slow
def test_memory_grows_with_the_windows_and_not_with_their_square() -> None:
    """Four hours of speech: 19,200 windows of 15 MB; a table of their distances has 1.5 GB."""
    vectors, owners = voices([9000, 6000, 3000, 1200], noise=0.6)
    tracemalloc.start()
    try:
        labels = cluster(vectors)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert same(labels, owners)
    assert peak < 80e6
