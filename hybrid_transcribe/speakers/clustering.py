"""Which embeddings belong to one person.

Average linkage on the cosine distance joins windows up to `THRESHOLD`; then clusters whose centres
are alike are joined: the centre of many windows is surer than any of them. On 41 conversations of
the development readers the number of speakers is right in 37 to 40 for thresholds from 0.45 to 0.55
with centres from 0.525 to 0.65; average linkage alone: in 21 at 0.475 and in 35 at 0.6.

The mean distance between the members of two clusters is 1 minus the product of their mean vectors,
so that no table of distances is needed: memory grows with the number of vectors, not its square.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from hybrid_transcribe.speakers.embedding import normalized
from hybrid_transcribe.speakers.network import Floats

Labels = npt.NDArray[np.int64]

#: Clusters of windows whose mean cosine distance is larger are joined by their centres only.
THRESHOLD = 0.475

#: Clusters with centres of at least this cosine similarity are one person.
SAME_CENTRE = 0.63

#: Mean similarity of two windows of one person.
_WITHIN = 0.6

#: A cluster of fewer windows is nobody of its own, and joins the nearest.
LEAST_WINDOWS = 3

#: Longer recordings are clustered in two steps: first those nearer than ``_NEAR`` within blocks
#: of ``_BLOCK`` windows (8 minutes), then what became of them. 40 minutes without a pause.
_MOST_AT_ONCE, _BLOCK, _NEAR = 3200, 640, 0.3

#: Similarities that differ by less are the same: a chain never comes back to where it was.
_ROUNDING = 1e-5


@dataclass(frozen=True, slots=True)
class SpeakerLimits:
    """How many speakers there may be; ``most`` None: any number."""

    least: int = 1
    most: int | None = None


@dataclass(frozen=True, slots=True)
class Merge:
    """Two clusters became one at a distance. Each is named by one of its vectors."""

    first: int
    second: int
    distance: float


def cluster(
    vectors: Floats, limits: SpeakerLimits | None = None, reliable: npt.ArrayLike | None = None
) -> Labels:
    """The cluster of each vector, numbered from 0; shape (n,). ``vectors``: (n, d), length 1.

    Only ``reliable`` ones (all, where there are not enough) make clusters; others join the nearest.
    """
    chosen = np.ones(len(vectors), np.bool_) if reliable is None else np.asarray(reliable, np.bool_)
    if chosen.sum() < LEAST_WINDOWS:
        chosen = np.ones(len(vectors), np.bool_)
    if not len(vectors):
        return np.zeros(0, np.int64)
    labels = _clustered(vectors[chosen], limits or SpeakerLimits())
    result: Labels = (vectors @ centres(vectors[chosen], labels).T).argmax(axis=1)
    result[chosen] = labels
    return result


def centres(vectors: Floats, labels: Labels) -> Floats:
    """The direction of each cluster's mean, shape (n_clusters, d), length 1."""
    return normalized(
        np.stack([vectors[labels == k].mean(axis=0) for k in range(labels.max() + 1)])
    )


def _clustered(vectors: Floats, limits: SpeakerLimits) -> Labels:
    merges = sorted(linkage(vectors), key=lambda merge: merge.distance)
    n = len(vectors)
    labels = cut((m for m in merges if m.distance <= THRESHOLD), n)
    labels = _joined_alike(vectors, joined_small(vectors, labels), limits)
    if labels.max() + 1 >= limits.least:
        return labels
    labels = _cut_into(merges, n, limits.least)
    n_large = int((np.bincount(labels) >= LEAST_WINDOWS).sum())
    return joined_small(vectors, labels) if n_large >= limits.least else labels


# ------------------------------------------------------------------------------- linkage


def linkage(vectors: Floats) -> list[Merge]:
    """The merges of average linkage, in no particular order, so many that one cluster is left."""
    n = len(vectors)
    if n <= _MOST_AT_ONCE:
        return average_linkage(vectors)
    merges: list[Merge] = []
    for start in range(0, n, _BLOCK):
        block = average_linkage(vectors[start : start + _BLOCK])
        merges += [
            Merge(m.first + start, m.second + start, m.distance)
            for m in block
            if m.distance <= _NEAR
        ]
    labels = cut(merges, n)
    sizes = np.bincount(labels)
    sums = np.zeros((len(sizes), vectors.shape[1]), np.float32)
    np.add.at(sums, labels, vectors)
    _, names = np.unique(labels, return_index=True)
    means: Floats = (sums / sizes[:, None]).astype(np.float32)
    return merges + average_linkage(means, sizes, names)


def average_linkage(
    means: Floats, sizes: npt.ArrayLike | None = None, names: npt.ArrayLike | None = None
) -> list[Merge]:
    """All n - 1 merges, in no particular order, by chains of nearest neighbours.

    ``means`` are the mean vectors of clusters of so many vectors, named by one of them; without
    sizes and names they are single vectors. Exact: average linkage gives the same whatever pair of
    mutually nearest clusters is joined first (F. Murtagh, A survey of recent advances in
    hierarchical clustering algorithms, 1983).
    """
    rows = _Rows(means, sizes, names)
    merges: list[Merge] = []
    chain: list[int] = []
    while rows.n > 1:
        if not chain:
            rows.compact()
            chain.append(rows.first())
        similarity = rows.similarity(chain[-1])
        nearest = int(similarity.argmax())
        if len(chain) > 1 and similarity[chain[-2]] >= similarity[nearest] - _ROUNDING:
            last, other = chain.pop(), chain.pop()
            merges.append(rows.join(last, other, 1 - float(similarity[other])))
        else:
            chain.append(nearest)
    return merges


class _Rows:
    """Clusters by their means; those that were joined to another are gone."""

    def __init__(
        self, means: Floats, sizes: npt.ArrayLike | None, names: npt.ArrayLike | None
    ) -> None:
        self.n = len(means)
        self._means = means.astype(np.float32, copy=True)
        self._sizes = np.ones(self.n) if sizes is None else np.array(sizes, np.float64)
        self._names = np.arange(self.n) if names is None else np.asarray(names)
        self._present = np.ones(self.n, np.bool_)

    def compact(self) -> None:
        """Drop what is gone, once that is half. Numbers of rows change."""
        if self.n <= len(self._present) // 2:
            self._means, self._sizes = self._means[self._present], self._sizes[self._present]
            self._names = self._names[self._present]
            self._present = np.ones(self.n, np.bool_)

    def first(self) -> int:
        """Any row that is there."""
        return int(self._present.argmax())

    def similarity(self, row: int) -> Floats:
        """Mean similarity of its members with those of each other row; none with itself."""
        similarity: Floats = self._means @ self._means[row]
        similarity[~self._present] = -np.inf
        similarity[row] = -np.inf
        return similarity

    def join(self, row: int, other: int, distance: float) -> Merge:
        """Make one row of two."""
        total = self._sizes[row] + self._sizes[other]
        weight = np.float32(self._sizes[other] / total)
        self._means[row] += weight * (self._means[other] - self._means[row])
        self._sizes[row] = total
        self._present[other] = False
        self.n -= 1
        return Merge(int(self._names[row]), int(self._names[other]), distance)


class _Forest:
    """Clusters that only grow; ``n_large`` of them have ``least`` vectors or more."""

    def __init__(self, n: int, least: int = LEAST_WINDOWS) -> None:
        self._parents = list(range(n))
        self._sizes = [1] * n
        self._least = least
        self.n_large = n if least <= 1 else 0

    def join(self, merge: Merge) -> None:
        """Make one cluster of two."""
        first, second = self._root(merge.first), self._root(merge.second)
        self._parents[first] = second
        before = (self._sizes[first] >= self._least) + (self._sizes[second] >= self._least)
        self._sizes[second] += self._sizes[first]
        self.n_large += (self._sizes[second] >= self._least) - before

    def labels(self) -> Labels:
        """The cluster of each vector, numbered in their order."""
        roots = [self._root(i) for i in range(len(self._parents))]
        numbers = {name: number for number, name in enumerate(dict.fromkeys(roots))}
        return np.array([numbers[name] for name in roots], np.int64)

    def _root(self, i: int) -> int:
        while self._parents[i] != i:
            self._parents[i] = self._parents[self._parents[i]]
            i = self._parents[i]
        return i


def cut(merges: Iterable[Merge], n: int) -> Labels:
    """The clusters of ``n`` vectors after those merges."""
    forest = _Forest(n)
    for merge in merges:
        forest.join(merge)
    return forest.labels()


def _cut_into(merges: Sequence[Merge], n: int, count: int) -> Labels:
    """The latest cut with so many large clusters; with so many of any size where there is none."""
    forest = _Forest(n)
    best = max(n - count, 0)
    for n_merged, merge in enumerate(merges, 1):
        forest.join(merge)
        if forest.n_large == count:
            best = n_merged
    return cut(merges[:best], n)


# -------------------------------------------------------------------------- after linkage


def joined_small(vectors: Floats, labels: Labels, least: int = LEAST_WINDOWS) -> Labels:
    """Clusters of fewer than ``least`` vectors join: each vector the nearest large cluster.

    Where all are small, the largest counts as large.
    """
    sizes = np.bincount(labels)
    large = np.flatnonzero(sizes >= least)
    if not len(large):
        large = np.array([sizes.argmax()])
    small = ~np.isin(labels, large)
    if not small.any():
        return labels
    result = np.searchsorted(large, labels)
    directions = normalized(np.stack([vectors[labels == k].mean(axis=0) for k in large]))
    result[small] = (vectors[small] @ directions.T).argmax(axis=1)
    return result.astype(np.int64)


def _certainty(sizes: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """How alike the centre of so many windows is to that of very many of the same person.

    Windows of one person have a mean similarity of about `_WITHIN`, and half of each is half of
    the next. Similarities are divided by it (C. Spearman's correction for attenuation, 1904).
    """
    independent = np.maximum(np.asarray(sizes, np.float64) / 2, 1)
    certainty: npt.NDArray[np.float64] = np.sqrt(_WITHIN / (_WITHIN + (1 - _WITHIN) / independent))
    return certainty


def _joined_alike(vectors: Floats, labels: Labels, limits: SpeakerLimits) -> Labels:
    """Join clusters with centres that are alike, the most alike first, within the limits."""
    labels = labels.copy()
    while (count := int(labels.max()) + 1) > limits.least:
        directions = centres(vectors, labels) / _certainty(np.bincount(labels))[:, None]
        similarity = directions @ directions.T
        np.fill_diagonal(similarity, -np.inf)
        first, second = divmod(int(similarity.argmax()), count)
        if similarity[first, second] < SAME_CENTRE and count <= (limits.most or count):
            break
        labels[labels == max(first, second)] = min(first, second)
        labels[labels > max(first, second)] -= 1
    return labels
