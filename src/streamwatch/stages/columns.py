"""The noted records of a batch as columns, and what the columns hold."""

from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamwatch.stages.declared import Numbers

POINTS = ("decode", "validate", "normalise", "pseudonymise", "segment")
"""The stages that can change or drop values; statistics are kept after each of them."""

COUNTED = len(POINTS) - 1
"""The index in `POINTS` of the last stage; a record that passed it is counted."""

NORMALISE = "normalise"
"""The stage from which on numbers are in cm and kg; up to it they count as declared."""

NORMALISED = POINTS.index(NORMALISE)

Labels = tuple[str | None, ...]
"""The values of an event type's labels, in its order."""

Earlier = tuple[tuple[int, Numbers, Labels], ...]
"""What stood before a stage replaced the record: (its index in `POINTS`, numbers, labels).

Only stages that should leave the record alone stand here, so it is empty for nearly every one."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Rows(msgspec.Struct, frozen=True):
    """Records that were taken through all stages together: n of them, k numeric features.

    Attributes:
        place, arrived: shape (n,).
        declared, numbers, sent, labels: as in `Columns`.
    """

    place: Ints
    arrived: Ints
    declared: Floats
    numbers: Floats
    sent: Ints
    labels: Ints


def joined(parts: Sequence[Rows]) -> Rows:
    """All rows of several, in their order."""
    if len(parts) == 1:
        return parts[0]
    declared = np.concatenate([one.declared for one in parts])
    same = all(one.numbers is one.declared for one in parts)
    return Rows(
        place=np.concatenate([one.place for one in parts]),
        arrived=np.concatenate([one.arrived for one in parts]),
        declared=declared,
        numbers=declared if same else np.concatenate([one.numbers for one in parts]),
        sent=np.concatenate([one.sent for one in parts]),
        labels=np.concatenate([one.labels for one in parts]),
    )


class Columns(msgspec.Struct, frozen=True):
    """The rows of a batch: n of them, k numeric features.

    Attributes:
        place, passed, arrived: shape (n,).
        declared, numbers: shape (n, k); NaN where a value is missing. The same array where no
            number changed on the way.
        combinations: each combination of labels that occurs.
        labels: shape (n,), indices into ``combinations``.
        earlier: row → what it was before a stage replaced the record.
        sent: shape (n,), likewise, of the labels as the client sent them.
        normalised: the index of `normalise` among the points.
    """

    place: Ints
    passed: Ints
    arrived: Ints
    declared: Floats
    numbers: Floats
    combinations: Sequence[Labels]
    labels: Ints
    earlier: dict[int, Earlier]
    sent: Ints
    normalised: int = NORMALISED

    @property
    def is_unchanged(self) -> bool:
        """Whether every number stands after every point as it was declared."""
        return self.numbers is self.declared and not self.earlier

    def at(self, point: int) -> Floats:
        """The numbers after a point, shape (n, k).

        >>> from streamwatch.domain.events import RETURN, Return
        >>> from streamwatch.stages.batch import Batch
        >>> batch = Batch(RETURN)
        >>> batch.count(0, 0, (2.0,), Return("a", "s", quantity=6.0), ((3, (2.0,), ()),))
        >>> [float(batch.columns().at(point)[0, 0]) for point in range(len(POINTS))]
        [2.0, 2.0, 2.0, 6.0, 6.0]
        """
        values = self.numbers if point >= self.normalised else self.declared
        found = [
            (row, numbers)
            for row, kept in self.earlier.items()
            if (numbers := self._before(kept, point)) is not None
        ]
        if found:
            values = values.copy()
            values[[row for row, _ in found]] = [numbers for _, numbers in found]
        return values

    def _before(self, earlier: Earlier, point: int) -> Numbers | None:
        """The numbers at a point, if a later stage of the same unit replaced them."""
        for stage, numbers, _ in earlier:
            if point < stage and (point >= self.normalised or stage < self.normalised):
                return numbers
        return None
