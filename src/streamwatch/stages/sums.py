"""Sums of many numbers at once, group by group, with NumPy."""

from collections.abc import Iterator

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamwatch.domain.cells import LARGEST, Group, Moments, Transition
from streamwatch.domain.sketch import LOG_GAMMA, NOT_POSITIVE
from streamwatch.stages.columns import Floats, Ints
from streamwatch.stages.grouping import counts_of

SAME = 1e-9
"""Relative difference below which a stage left a value alone: conversions round."""


def is_counted(values: Floats) -> NDArray[np.bool_]:
    """Which values are numbers to count: not NaN, and not beyond `LARGEST`."""
    counted: NDArray[np.bool_] = np.abs(values) <= LARGEST
    return counted


class Sums(msgspec.Struct, frozen=True):
    """The moments of each of g groups, as arrays of shape (g,); where ``n`` is 0 they are 0.

    Attributes:
        n, mean, m2, missing: as in `Moments`.
    """

    n: Ints
    mean: Floats
    m2: Floats
    missing: Ints

    def merged(self, into: Ints, size: int) -> "Sums":
        """The moments of groups of these groups; ``into`` says in which each is."""
        n = _added(into, self.n, size)
        mean = _added(into, self.n * self.mean, size) / np.maximum(n, 1)
        distance = self.mean - mean[into]
        return Sums(
            n=n.astype(np.int64),
            mean=mean,
            m2=_added(into, self.m2 + self.n * distance * distance, size),
            missing=_added(into, self.missing, size).astype(np.int64),
        )

    def moments(self) -> Iterator[tuple[int, Moments]]:
        """Those of each group that occurs."""
        at = np.flatnonzero(self.n + self.missing)
        found = (self.n[at], self.mean[at], self.m2[at], self.missing[at])
        return zip(at.tolist(), map(Moments, *(one.tolist() for one in found)), strict=True)

    def groups(self) -> Iterator[tuple[int, Group]]:
        """How many and their mean, of each group that has any."""
        at = np.flatnonzero(self.n)
        found = map(Group, self.n[at].tolist(), self.mean[at].tolist())
        return zip(at.tolist(), found, strict=True)


def sums_of(groups: Ints, values: Floats, size: int) -> Sums:
    """The moments of each group; NaN and what is beyond `LARGEST` count as missing.

    >>> list(sums_of(np.array([1, 1]), np.array([2.0, 4.0]), 3).moments())
    [(1, Moments(n=2, mean=3.0, m2=2.0, missing=0))]
    """
    present = is_counted(values)
    missing = np.zeros(size, dtype=np.int64)
    if not present.all():
        missing = np.bincount(groups[~present], minlength=size)
        groups, values = groups[present], values[present]
    n = np.bincount(groups, minlength=size)
    mean = _added(groups, values, size) / np.maximum(n, 1)
    distance = values - mean[groups]
    return Sums(n, mean, _added(groups, distance * distance, size), missing)


def _added(groups: Ints, values: Floats | Ints, size: int) -> Floats:
    # Of no values at all NumPy makes whole numbers.
    return np.bincount(groups, values, size).astype(np.float64, copy=False)


def changes_of(
    groups: Ints, before: Floats, after: Floats, size: int
) -> Iterator[tuple[int, Transition]]:
    """How many values changed in each group in which any did, and by how much together.

    >>> list(changes_of(np.array([1, 1]), np.array([2.0, 4.0]), np.array([2.0, 5.0]), 3))
    [(1, Transition(changed=1, sum_change=1.0))]
    """
    changed = differ(before, after)
    if not changed.any():
        return iter(())
    counts = np.bincount(groups[changed], minlength=size)
    sums = np.bincount(groups[changed], after[changed] - before[changed], size)
    at = np.flatnonzero(counts)
    return zip(at.tolist(), map(Transition, counts[at].tolist(), sums[at].tolist()), strict=True)


def differ(before: Floats, after: Floats) -> NDArray[np.bool_]:
    """Where both are numbers and more than rounding lies between them."""
    both = np.isfinite(before) & np.isfinite(after)
    differing: NDArray[np.bool_] = both & ~np.isclose(before, after, rtol=SAME, atol=0.0)
    return differing


def bins_of(groups: Ints, values: Floats) -> Iterator[tuple[int, dict[int, int]]]:
    """The sketch of each group that occurs."""
    if not len(groups):
        return
    bins = np.full(len(values), NOT_POSITIVE, dtype=np.int64)
    positive = values > 0
    bins[positive] = np.ceil(np.log(values[positive]) / LOG_GAMMA).astype(np.int64)
    # One number for group and bin, since sorting pairs takes many times as long.
    lowest = int(bins.min())
    width = int(bins.max()) - lowest + 1
    pairs, found = counts_of(groups * width + bins - lowest)
    owners = pairs // width
    indices = (pairs - owners * width + lowest).tolist()
    counts = found.tolist()
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    ends = [*starts[1:].tolist(), len(counts)]
    for owner, start, end in zip(owners[starts].tolist(), starts.tolist(), ends, strict=True):
        yield owner, dict(zip(indices[start:end], counts[start:end], strict=True))
