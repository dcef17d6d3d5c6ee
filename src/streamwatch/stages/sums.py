"""Sums of many numbers at once, group by group, with NumPy."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from streamwatch.domain.cells import LARGEST, Group, Moments, Transition
from streamwatch.domain.sketch import LOG_GAMMA, NOT_POSITIVE
from streamwatch.stages.batch import Floats, Ints

SAME = 1e-9
"""Relative difference below which a stage left a value alone: conversions round."""

_BIN_BITS = 32
"""Bins run from `NOT_POSITIVE` to some ten thousands, so their distance fits these bits."""


def is_counted(values: Floats) -> NDArray[np.bool_]:
    """Which values are numbers to count: not NaN, and not beyond `LARGEST`."""
    counted: NDArray[np.bool_] = np.abs(values) <= LARGEST
    return counted


def moments_of(groups: Ints, values: Floats, size: int) -> Iterator[tuple[int, Moments]]:
    """The moments of each group that occurs; NaN and what is beyond `LARGEST` count as missing.

    >>> list(moments_of(np.array([1, 1]), np.array([2.0, 4.0]), 3))
    [(1, Moments(n=2, mean=3.0, m2=2.0, missing=0))]
    """
    occurring = np.bincount(groups, minlength=size)
    present = is_counted(values)
    if not present.all():
        groups, values = groups[present], values[present]
    counts = np.bincount(groups, minlength=size)
    means = np.bincount(groups, values, size) / np.maximum(counts, 1)
    distances = values - means[groups]
    # Of no values at all NumPy makes whole numbers.
    squares = np.bincount(groups, distances * distances, size).astype(np.float64, copy=False)
    at = np.flatnonzero(occurring)
    found = (counts[at], means[at], squares[at], (occurring - counts)[at])
    return zip(at.tolist(), map(Moments, *(one.tolist() for one in found)), strict=True)


def groups_of(groups: Ints, values: Floats, size: int) -> Iterator[tuple[int, Group]]:
    """How many and the mean of the values of each group that has any; none may be NaN.

    >>> list(groups_of(np.array([1, 1]), np.array([2.0, 4.0]), 3))
    [(1, Group(n=2, mean=3.0))]
    """
    counts = np.bincount(groups, minlength=size)
    at = np.flatnonzero(counts)
    counts, sums = counts[at], np.bincount(groups, values, size)[at]
    return zip(at.tolist(), map(Group, counts.tolist(), (sums / counts).tolist()), strict=True)


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
    pairs, found = np.unique((groups << _BIN_BITS) + bins - NOT_POSITIVE, return_counts=True)
    owners = pairs >> _BIN_BITS
    indices = ((pairs & ((1 << _BIN_BITS) - 1)) + NOT_POSITIVE).tolist()
    counts = found.tolist()
    starts = np.flatnonzero(np.diff(owners, prepend=-1))
    ends = [*starts[1:].tolist(), len(counts)]
    for owner, start, end in zip(owners[starts].tolist(), starts.tolist(), ends, strict=True):
        yield owner, dict(zip(indices[start:end], counts[start:end], strict=True))
