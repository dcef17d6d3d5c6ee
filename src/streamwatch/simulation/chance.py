"""Randomness that repeats: generators by name, and lots that depend on nothing but their key."""

import zlib

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_STEP = np.uint64(0x9E3779B97F4A7C15)
_MIX_1 = np.uint64(0xBF58476D1CE4E5B9)
_MIX_2 = np.uint64(0x94D049BB133111EB)


def generator(seed: int, *purpose: int | str) -> np.random.Generator:
    """A generator for one purpose; drawing from it does not change any other.

    >>> float(generator(7, "visits", 3).random()) == float(generator(7, "visits", 3).random())
    True
    """
    words = [zlib.crc32(part.encode()) if isinstance(part, str) else part for part in purpose]
    return np.random.default_rng([seed, *words])


def lots(salt: int, *keys: Ints) -> Floats:
    """One number in [0, 1) for each key, the same whenever it is asked for.

    Mixes with the finaliser of SplitMix64 (Steele, Lea, Flood: Fast splittable pseudorandom
    number generators, OOPSLA 2014).

    Args:
        salt: separates the purposes.
        keys: arrays of whole numbers that broadcast.

    >>> lots(1, np.arange(3)).tolist() == lots(1, np.arange(3)).tolist()
    True
    """
    state = np.full(1, salt, dtype=np.uint64)
    for key in keys:
        mixed = (state + np.asarray(key).astype(np.int64).view(np.uint64)) * _STEP + _STEP
        mixed = (mixed ^ (mixed >> np.uint64(30))) * _MIX_1
        mixed = (mixed ^ (mixed >> np.uint64(27))) * _MIX_2
        state = mixed ^ (mixed >> np.uint64(31))
    fractions: Floats = (state >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return fractions


def normal_lots(salt: int, *keys: Ints) -> Floats:
    """Standard normal numbers made from `lots` (Box and Muller, 1958)."""
    radius = np.sqrt(-2.0 * np.log(1.0 - lots(salt, *keys)))
    drawn: Floats = radius * np.cos(2.0 * np.pi * lots(salt + 1, *keys))
    return drawn


def cumulative(shares: Floats) -> Floats:
    """Cumulative shares along the last axis; each row ends in exactly 1.

    >>> cumulative(np.array([[1.0, 3.0]])).tolist()
    [[0.25, 1.0]]
    """
    sums = np.cumsum(shares, axis=-1)
    result: Floats = sums / sums[..., -1:]
    result[..., -1] = 1.0
    return result


def pick(table: Floats, rows: Ints, chances: Floats) -> Ints:
    """For each row of a table of cumulative shares the column that a chance falls into.

    >>> pick(np.array([[0.25, 1.0], [0.9, 1.0]]), np.array([0, 1]), np.array([0.5, 0.5])).tolist()
    [1, 0]
    """
    width = table.shape[1]
    flat = (table + np.arange(len(table))[:, None]).ravel()
    found = np.searchsorted(flat, rows + chances, side="right") - rows * width
    columns: Ints = np.clip(found, 0, width - 1)
    return columns
