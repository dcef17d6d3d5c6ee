"""Two kinds of records in one file: which beginning of which text tells returns from purchases."""

from collections import Counter

import msgspec
import numpy as np

from streamwatch.onboarding.columns import Column

LEAST_NEGATIVE = 0.001
LEAST_PURE = 0.99
LEAST_FOUND = 0.5


class Split(msgspec.Struct, frozen=True):
    """Records with a quantity below zero are told by a text's beginning.

    Attributes:
        path: of the text.
        beginning: its first character.
        records: share of the records that begin so.
        pure: share of these whose quantity is below zero.
        found: share of the quantities below zero that begin so.
    """

    path: str
    beginning: str
    records: float
    pure: float
    found: float


def returns_among(quantity: Column, columns: dict[str, Column]) -> Split | None:
    """The best way to tell returns among purchases, if one is good enough.

    A beginning is taken when at least 99 % of what begins so is below zero, and at least half
    of what is below zero begins so.
    """
    below = quantity.numbers < 0
    total = int(below.sum())
    if not LEAST_NEGATIVE * len(below) <= total < len(below) / 2:
        return None
    found = []
    for column in columns.values():
        # A route looks at the record's own keys only.
        if column.path == quantity.path or column.numeric == 1 or "." in column.path:
            continue
        first = np.array([str(value)[:1] if value is not None else "" for value in column.values])
        for letter, hits in Counter(first[below].tolist()).items():
            begins = first == letter
            pure = hits / int(begins.sum())
            if letter and pure >= LEAST_PURE and hits >= LEAST_FOUND * total:
                share = float(begins.mean())
                found.append(Split(column.path, letter, share, pure, hits / total))
    return max(found, key=lambda one: (one.found, one.pure), default=None)
