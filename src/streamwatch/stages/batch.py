"""Records that wait to be summed: noted one by one, cheaply, and read as columns."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamwatch.domain.events import Event, EventType
from streamwatch.stages.declared import Numbers

POINTS = ("decode", "validate", "normalise", "pseudonymise", "segment")
"""The stages that can change or drop values; statistics are kept after each of them."""

COUNTED = len(POINTS) - 1
"""The index in `POINTS` of the last stage; a record that passed it is counted."""

NORMALISED = POINTS.index("normalise")

Place = tuple[str, int]
"""A shop, and the start of an hour in milliseconds."""

Earlier = tuple[tuple[int, Numbers], ...]
"""What numbers were before a stage replaced the record: (the stage's index in `POINTS`, numbers).

Only stages that should leave numbers alone stand here, so it is empty for nearly every record."""

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Reject(msgspec.Struct, frozen=True, gc=False):
    """A refused record's share in a cell: place, ``stage/reason/field`` and arrival."""

    place: int
    key: str
    arrived: int


class Mark(msgspec.Struct, frozen=True, gc=False):
    """A counted record that broke a rule which only marks: place, and the rule's name."""

    place: int
    key: str


class Batch:
    """Noted records of one event type.

    Attributes:
        places: place → index.
        rejects: the refused ones.
        marks: of counted ones.
        points: the stages after which statistics are kept: `POINTS`, the user's own among them
            (behind `normalise`).
        counted: the index of the last one; a record that passed it is counted.
    """

    __slots__ = (
        "_get_labels", "_get_numbers", "_nothing", "_rows", "_split", "counted", "marks", "places",
        "points", "rejects",
    )  # fmt: skip

    def __init__(
        self, event_type: EventType, points: tuple[str, ...] = POINTS, counted: int | None = None
    ) -> None:
        self.points = points
        self.counted = len(points) - 1 if counted is None else counted
        self.places: dict[Place, int] = {}
        self.rejects: list[Reject] = []
        self.marks: list[Mark] = []
        self._rows: list[tuple[Any, ...]] = []
        self._get_numbers = tuple_getter(event_type.numbers)
        self._get_labels = tuple_getter(event_type.labels)
        self._nothing: Numbers = (None,) * len(event_type.numbers)
        self._split = next(iter(event_type.split.values()), "event_id")

    def __len__(self) -> int:
        return len(self._rows) + len(self.rejects)

    @property
    def has_rows(self) -> bool:
        """Whether `columns` has anything to say."""
        return bool(self._rows)

    def place(self, shop: str, hour: int) -> int:
        """The index of a place."""
        return self.places.setdefault((shop, hour), len(self.places))

    def count(
        self,
        place: int,
        arrived: int,
        declared: Numbers,
        event: Event,
        cuts: tuple[str | None, ...],
        earlier: Earlier = (),
    ) -> None:
        """Note a record that passed every stage."""
        self._rows.append(
            (
                place,
                self.counted,
                arrived,
                declared,
                self._get_numbers(event),
                getattr(event, self._split),
                self._get_labels(event),
                cuts,
                earlier,
            )
        )

    def drop(
        self,
        place: int,
        arrived: int,
        declared: Numbers,
        event: Event,
        passed: int,
        key: str,
        earlier: Earlier = (),
    ) -> None:
        """Note a record that was refused after it passed ``points[passed]``."""
        numbers = self._get_numbers(event) if passed >= NORMALISED else self._nothing
        split = getattr(event, self._split)
        self._rows.append((place, passed, arrived, declared, numbers, split, None, None, earlier))
        self.reject(place, key, arrived)

    def note(self, place: int, arrived: int, declared: Numbers, event: Event) -> None:
        """Note a record's declared numbers after the first of the points, and nothing else."""
        split = getattr(event, self._split)
        self._rows.append((place, 0, arrived, declared, self._nothing, split, None, None, ()))

    def reject(self, place: int, key: str, arrived: int) -> None:
        """Note a record that `decode` refused."""
        self.rejects.append(Reject(place, key, arrived))

    def numbers_of(self, event: Event) -> Numbers:
        """The numeric features of an event, in the order of its type."""
        numbers: Numbers = self._get_numbers(event)
        return numbers

    def columns(self) -> "Columns":
        """All rows so far, as columns.

        Raises:
            ValueError: there are none.
        """
        places, passed, arrivals, declared, numbers, splits, labels, cuts, earlier = zip(
            *self._rows, strict=True
        )
        return Columns(
            place=np.array(places, dtype=np.int64),
            passed=np.array(passed, dtype=np.int64),
            arrived=np.array(arrivals, dtype=np.int64),
            declared=np.array(declared, dtype=np.float64),
            numbers=np.array(numbers, dtype=np.float64),
            splits=splits,
            labels=[row for row in labels if row is not None],
            cuts=[row for row in cuts if row is not None],
            earlier={row: kept for row, kept in enumerate(earlier) if kept},
        )


class Columns(msgspec.Struct, frozen=True):
    """The rows of a batch: n of them, k numeric features, c of them counted.

    Attributes:
        place, passed, arrived: shape (n,).
        declared, numbers: shape (n, k); NaN where a value is missing.
        splits: n values of the label that keeps features apart.
        labels, cuts: c tuples, of the counted rows in their order.
        earlier: row → what its numbers were before a stage replaced the record.
    """

    place: Ints
    passed: Ints
    arrived: Ints
    declared: Floats
    numbers: Floats
    splits: tuple[str | None, ...]
    labels: list[tuple[str | None, ...]]
    cuts: list[tuple[str | None, ...]]
    earlier: dict[int, Earlier]

    def at(self, point: int) -> Floats:
        """The numbers after ``POINTS[point]``, shape (n, k).

        >>> from streamwatch.domain.events import RETURN, Return
        >>> batch = Batch(RETURN)
        >>> batch.count(0, 0, (2.0,), Return("a", "s", quantity=6.0), (), ((3, (2.0,)),))
        >>> [float(batch.columns().at(point)[0, 0]) for point in range(len(POINTS))]
        [2.0, 2.0, 2.0, 6.0, 6.0]
        """
        values = self.numbers if point >= NORMALISED else self.declared
        found = [
            (row, numbers)
            for row, kept in self.earlier.items()
            if (numbers := _before(kept, point)) is not None
        ]
        if found:
            values = values.copy()
            values[[row for row, _ in found]] = [numbers for _, numbers in found]
        return values


def _before(earlier: Earlier, point: int) -> Numbers | None:
    """The numbers at a point, if a later stage of the same unit replaced them."""
    for stage, numbers in earlier:
        if point < stage and (point >= NORMALISED or stage < NORMALISED):
            return numbers
    return None


def tuple_getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """A function that reads several attributes, as a tuple even of one.

    >>> tuple_getter(("real",))(3), tuple_getter(("real", "imag"))(3)
    ((3,), (3, 0))
    """
    getter = attrgetter(*names)
    if len(names) > 1:
        return getter
    return lambda thing: (getter(thing),)
