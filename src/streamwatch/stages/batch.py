"""Records that wait to be summed: noted one by one, cheaply, and read as columns."""

from collections.abc import Callable
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np

from streamwatch.domain.events import Event, EventType
from streamwatch.stages.columns import NORMALISE, POINTS, Columns, Earlier, Labels, Rows, joined
from streamwatch.stages.declared import Numbers

Place = tuple[str, int]
"""A shop, and the start of an hour in milliseconds."""


class Reject(msgspec.Struct, frozen=True, gc=False):
    """A refused record's share in a cell: place, ``stage/reason/field`` and arrival."""

    place: int
    key: str
    arrived: int


class Mark(msgspec.Struct, frozen=True, gc=False):
    """A counted record that broke a rule which only marks: place, and the rule's name."""

    place: int
    key: str


class Numbered(dict[Any, int]):
    """Numbers things from 0 in the order in which they are first asked for."""

    __slots__ = ()

    def __missing__(self, key: Any) -> int:
        number = self[key] = len(self)
        return number


class Batch:
    """Noted records of one event type.

    Attributes:
        places: place → index.
        combinations: combination of labels → index.
        spellings: of each that was sent, by its index, what `stages.abreast` found of it.
        rejects: the refused ones.
        marks: of counted ones.
        points: the stages after which statistics are kept: `POINTS`, the user's own among them.
        counted: the index of the last one; a record that passed it is counted.
        normalised: the index of `normalise`.
    """

    __slots__ = (
        "_arrivals", "_at", "_declared", "_earlier", "_final", "_labels", "_labels_of",
        "_nothing", "_numbers_of", "_passed", "_rows", "_sent", "combinations", "counted", "marks",
        "normalised", "places", "points", "rejects", "spellings",
    )  # fmt: skip

    def __init__(
        self, event_type: EventType, points: tuple[str, ...] = POINTS, counted: int | None = None
    ) -> None:
        self.points = points
        self.counted = len(points) - 1 if counted is None else counted
        self.normalised = points.index(NORMALISE) if NORMALISE in points else len(points)
        self.places: dict[Place, int] = Numbered()
        self.combinations: dict[Labels, int] = Numbered()
        self.spellings: dict[int, tuple[int, int]] = {}
        self.rejects: list[Reject] = []
        self.marks: list[Mark] = []
        self._numbers_of = tuple_getter(event_type.numbers)
        self._labels_of = tuple_getter(event_type.labels)
        self._nothing: Numbers = (None,) * len(event_type.numbers)
        self._at: list[int] = []
        self._arrivals: list[int] = []
        self._declared: list[float | None] = []
        self._rows: list[Rows] = []
        self._labels: list[int] = []
        # Of these only the records that are unlike the others have anything.
        self._passed: dict[int, int] = {}
        self._final: dict[int, Numbers] = {}
        self._earlier: dict[int, Earlier] = {}
        self._sent: dict[int, int] = {}

    def __len__(self) -> int:
        return len(self._at) + len(self.rejects) + sum(len(one.place) for one in self._rows)

    @property
    def has_rows(self) -> bool:
        """Whether `columns` has anything to say."""
        return bool(self._at or self._rows)

    def place(self, shop: str, hour: int) -> int:
        """The index of a place."""
        return self.places[shop, hour]

    def count(
        self,
        place: int,
        arrived: int,
        declared: Numbers,
        event: Event,
        earlier: Earlier = (),
        sent: Labels | None = None,
    ) -> None:
        """Note a record that passed every stage; ``sent`` are the labels that the client sent."""
        numbers = self._numbers_of(event)
        if numbers != declared:
            self._final[len(self._at)] = numbers
        if earlier:
            self._earlier[len(self._at)] = earlier
        self._at.append(place)
        self._arrivals.append(arrived)
        self._declared += declared
        labels = self._labels_of(event)
        if sent is not None and sent != labels:
            self._sent[len(self._at) - 1] = self.combinations[sent]
        self._labels.append(self.combinations[labels])

    def count_abreast(self, rows: Rows) -> None:
        """Note many records that passed every stage."""
        self._rows.append(rows)

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
        self._note_until(passed)
        self.count(place, arrived, declared, event, earlier)
        if passed < self.normalised:
            self._final[len(self._at) - 1] = self._nothing
        self.reject(place, key, arrived)

    def note(self, place: int, arrived: int, declared: Numbers, event: Event) -> None:
        """Note a record's declared numbers after the first of the points, and nothing else."""
        self._note_until(0)
        self.count(place, arrived, declared, event)
        self._final[len(self._at) - 1] = self._nothing

    def _note_until(self, passed: int) -> None:
        self._passed[len(self._at)] = passed

    def reject(self, place: int, key: str, arrived: int) -> None:
        """Note a record that `decode` refused."""
        self.rejects.append(Reject(place, key, arrived))

    def numbers_of(self, event: Event) -> Numbers:
        """The numeric features of an event, in the order of its type."""
        numbers: Numbers = self._numbers_of(event)
        return numbers

    def labels_of(self, event: Event) -> Labels:
        """The labels of an event, in the order of its type."""
        labels: Labels = self._labels_of(event)
        return labels

    def columns(self) -> "Columns":
        """All rows so far, as columns."""
        rows = len(self._at)
        passed = np.full(rows, self.counted, dtype=np.int64)
        passed[list(self._passed)] = list(self._passed.values())
        declared = np.array(self._declared, dtype=np.float64).reshape(rows, len(self._nothing))
        numbers = declared
        if self._final:
            numbers = declared.copy()
            numbers[list(self._final)] = np.array(list(self._final.values()), dtype=np.float64)
        labels = np.array(self._labels, dtype=np.int64)
        sent = labels.copy()
        sent[list(self._sent)] = list(self._sent.values())
        one_by_one = Rows(
            place=np.array(self._at, dtype=np.int64),
            arrived=np.array(self._arrivals, dtype=np.int64),
            declared=declared,
            numbers=numbers,
            sent=sent,
            labels=labels,
        )
        whole = joined([*([one_by_one] if rows else []), *self._rows])
        passed = np.concatenate([passed, np.full(len(whole.place) - rows, self.counted)])
        return Columns(
            place=whole.place,
            passed=passed,
            arrived=whole.arrived,
            declared=whole.declared,
            numbers=whole.numbers,
            combinations=list(self.combinations),
            labels=whole.labels,
            earlier=self._earlier,
            sent=whole.sent,
            normalised=self.normalised,
        )


def tuple_getter(names: tuple[str, ...]) -> Callable[[Any], tuple[Any, ...]]:
    """A function that reads several attributes, as a tuple even of one.

    >>> tuple_getter(("real",))(3), tuple_getter(("real", "imag"))(3)
    ((3,), (3, 0))
    """
    getter = attrgetter(*names)
    if len(names) > 1:
        return getter
    return lambda thing: (getter(thing),)
