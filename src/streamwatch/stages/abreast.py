"""The plain records of a slice, taken through all stages side by side, as columns.

Nearly every record needs nothing special: each stage lets it pass, no tap looks at it, and its
numbers and labels change only by what its unit or its spelling says. What a stage does with a
text (a shop, a unit, a combination of labels) is asked of the stage itself, once for each text
that occurs, and holds for all records that carry it. A record of which it cannot be told in this
way that it passes is not plain; it goes the way of `steps.count` by itself.
"""

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamwatch.domain.cells import HOUR_MS
from streamwatch.domain.events import EventType, Received, Time
from streamwatch.domain.records import Unreadable
from streamwatch.domain.refusals import Refusal
from streamwatch.stages.alike import Declared, Factors, Spelling
from streamwatch.stages.batch import Batch, tuple_getter
from streamwatch.stages.clockcolumn import event_times_ms
from streamwatch.stages.columns import Floats, Ints
from streamwatch.stages.decode import MAX_BYTES, Decode
from streamwatch.stages.doubledkeys import are_surely_single, has_doubled_key
from streamwatch.stages.mapping import LONGEST_NAME
from streamwatch.stages.remembered import Remembered
from streamwatch.stages.segment import HourOf
from streamwatch.stages.underway import NamedStage
from streamwatch.stages.validate import NUL, Checks
from streamwatch.stages.when import EARLIEST_MS

Flags = NDArray[np.bool_]

REFUSED = -1
"""Stands for labels that `normalise` refuses, and for the hours of a shop that `validate` does."""


class Sifted(msgspec.Struct):
    """The records of a slice, n of them, with k numeric features, the plain ones told from others.

    Attributes:
        plain: which ones are, shape (n,) as all that follow, if nothing else is said.
        events: as decoded; a blank one for a record that cannot be read.
        ids, shops: their event ids and shops.
        occurred: event times, milliseconds since 1970 UTC.
        timely: whether the time could be read, and is neither absurd nor in the future.
        hours: the starts of their hours in the shops' zones.
        declared, numbers: shape (n, k): as declared, and as `normalise` leaves them; the same
            array where it changes none. NaN where a value is missing.
        sent, labels: indices into the batch's combinations: of the labels as sent, and as
            `normalise` leaves them.
    """

    plain: Flags
    events: Sequence[Received]
    ids: Sequence[str]
    shops: Sequence[str]
    occurred: Ints
    timely: Flags
    hours: Ints
    declared: Floats
    numbers: Floats
    sent: Ints
    labels: Ints


class Abreast:
    """The stages of one source, for many records at once.

    Attributes:
        stages: those that it stands for; with any others it must not be used.
    """

    def __init__(
        self,
        event_type: EventType,
        stages: Sequence[NamedStage],
        decode: Decode,
        read: Callable[[bytes], Received] | None,
        declared: Declared,
        checks: Checks,
        hour_of: HourOf,
    ) -> None:
        """What the stages do, for many records.

        Args:
            event_type: of the records.
            stages: those behind `decode`, none of the user's own among them.
            decode: the stage of that name.
            read: its quick part, see `stages.decode.typed_read`.
            declared: see `stages.declared`.
            checks: what `validate` asks.
            hour_of: see `stages.segment`.
        """
        self.stages = stages
        self._type = event_type
        self._decode = decode
        self._read = read
        self._declared = declared
        self._checks = checks
        # The full hours of a zone always stand apart from UTC's by the same time.
        self._phases = Remembered(
            lambda shop: REFUSED if checks.refusal_of_shop[shop] else hour_of(shop, 0) % HOUR_MS
        )
        self._blank = event_type.received("", "")
        normalise = dict(stages)["normalise"]
        self._factors = [
            Factors(event_type, feature, declared, normalise) for feature in event_type.units
        ]
        self._spelling = Spelling(event_type, normalise)
        self._labels_of = tuple_getter(event_type.labels)
        seen = {"event_id", "shop", "time", *event_type.numbers, *event_type.labels}
        seen |= set(event_type.units.values())
        self._unseen = [
            field.name
            for field in msgspec.structs.fields(event_type.received)
            if field.name not in seen
        ]

    def sift(self, values: Sequence[bytes | None], latest: Ints, batch: Batch) -> Sifted:
        """The records of a slice as columns, the plain ones told from the others.

        Args:
            values: the payloads, n of them.
            latest: shape (n,): the latest event times that they may have.
            batch: numbers the combinations of labels.
        """
        given = [b"" if value is None or type(value) is Unreadable else value for value in values]
        events = self._decoded(given)
        ids: list[str] = [event.event_id for event in events]
        shops: list[str] = [event.shop for event in events]
        times = [event.time for event in events]
        occurred = event_times_ms(times, shops, self._checks.zone_of)
        timely = (occurred >= EARLIEST_MS) & (occurred <= latest)
        phases = np.fromiter(map(self._phases.__getitem__, shops), np.int64, len(shops))
        plain = timely & (phases != REFUSED) & _are_names(ids)
        fields = np.full(len(events), len(msgspec.structs.fields(self._type.received)), np.int64)
        declared, numbers = self._numbers(events, plain, fields)
        sent, labels = self._labels(events, batch, plain, fields)
        for name in self._unseen:
            _without_missing(fields, list(map(attrgetter(name), events)))
        fields -= np.array([time is None for time in times])
        self._refuse_doubled(given, times, fields, plain)
        self._ask_rules(events, plain)
        return Sifted(
            plain=plain,
            events=events,
            ids=ids,
            shops=shops,
            occurred=occurred,
            timely=timely,
            hours=occurred - (occurred - phases) % HOUR_MS,
            declared=declared,
            numbers=numbers,
            sent=sent,
            labels=labels,
        )

    def _decoded(self, values: Sequence[bytes]) -> list[Received]:
        """The events; a blank one, which no stage passes, for what is no event."""
        read, blank, rest = self._read, self._blank, iter(values)
        events: list[Received] = []
        if read is None:
            for value in rest:
                event = self._decode(value)
                events.append(blank if isinstance(event, Refusal) else event)
            return events
        while len(events) < len(values):
            try:
                events.extend(map(read, rest))
            except (ValueError, msgspec.DecodeError, RecursionError):
                events.append(blank)  # for the one at which it ended; those before it stand
        return events

    def _numbers(self, events: Sequence[Any], plain: Flags, fields: Ints) -> tuple[Floats, Floats]:
        """The declared numbers, and those behind `normalise`."""
        given = [list(map(attrgetter(name), events)) for name in self._type.numbers]
        columns = [np.array(one, dtype=np.float64) for one in given]
        for one, column in zip(given, columns, strict=True):
            missing = np.isnan(column)
            if missing.any():
                none = np.array([value is None for value in one])
                plain &= missing == none
                fields -= none
        declared = np.stack(columns, axis=1)
        numbers = declared
        for factors in self._factors:
            units = list(map(attrgetter(factors.field), events))
            _without_missing(fields, units)
            found = factors.of(units)
            if found is None:
                continue
            if numbers is declared:
                numbers = declared.copy()
            at, (as_declared, in_normalise) = factors.column, found
            plain &= ~np.isnan(in_normalise) | np.isnan(numbers[:, at])
            numbers[:, at] *= in_normalise
            declared[:, at] *= as_declared
        for column, (low, high) in zip(declared.T, self._checks.bounds, strict=True):
            plain &= ~((column < low) | (column > high))
        return declared, numbers

    def _labels(
        self, events: Sequence[Any], batch: Batch, plain: Flags, fields: Ints
    ) -> tuple[Ints, Ints]:
        """The combinations of labels, as sent and as `normalise` leaves them."""
        number_of = batch.combinations.__getitem__
        sent = np.fromiter(map(number_of, map(self._labels_of, events)), np.int64, len(events))
        occurring = np.flatnonzero(np.bincount(sent))
        spelt = np.empty(int(occurring[-1]) + 1, dtype=np.int64)
        missing = np.empty_like(spelt)
        unknown = [number for number in occurring.tolist() if number not in batch.spellings]
        if unknown:
            self._spell(unknown, batch)
        for number in occurring.tolist():
            spelt[number], missing[number] = batch.spellings[number]
        fields -= missing[sent]
        found: Ints = spelt[sent]
        plain &= found != REFUSED
        return sent, found

    def _spell(self, numbers: Sequence[int], batch: Batch) -> None:
        """Find what `normalise` makes of combinations of labels, and how many are missing."""
        combinations = list(batch.combinations)
        for number in numbers:
            labels = combinations[number]
            behind = self._spelling.of(labels)
            spelt = REFUSED if behind is None else batch.combinations[behind]
            batch.spellings[number] = spelt, labels.count(None)

    def _refuse_doubled(
        self, values: Sequence[bytes], times: Sequence[Time], fields: Ints, plain: Flags
    ) -> None:
        """Records in which a key stands twice, and too long ones, are not plain."""
        plain &= np.fromiter(map(len, values), np.int64, len(values)) <= MAX_BYTES
        if self._read is None:
            return  # decoding has looked
        single = are_surely_single(values, times, fields)
        for row in np.flatnonzero(plain & ~single).tolist():
            plain[row] = not has_doubled_key(values[row])

    def _ask_rules(self, events: Sequence[Received], plain: Flags) -> None:
        """Records that break a rule are not plain."""
        if not self._checks.others:
            return
        for row in np.flatnonzero(plain).tolist():
            event = events[row]
            numbers = self._declared(event)
            plain[row] = all(holds(event, numbers) for _, holds in self._checks.others)


def _are_names(ids: Sequence[str]) -> Flags:
    """Which ids can be stored."""
    lengths = np.fromiter(map(len, ids), np.int64, len(ids))
    names: Flags = (lengths > 0) & (lengths <= LONGEST_NAME)
    if NUL in "".join(ids):
        names &= np.array([NUL not in one for one in ids])
    return names


def _without_missing(fields: Ints, column: Sequence[object]) -> None:
    """Of the records that lack a field, one field less was found."""
    if None in column:
        fields -= np.array([value is None for value in column])
