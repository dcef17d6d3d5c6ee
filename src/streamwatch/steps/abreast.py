"""The records of a slice in COUNT: the plain ones abreast, the others each by itself.

What a record leaves behind depends on the order of records in two points only: a shop's newest
hour decides what is too late and where refused records count, and the newest arrival stands in
where a record's own is not known. So the order is kept wherever one of the two moves.
"""

from collections.abc import Callable, Sequence

import numpy as np

from streamwatch.domain.cells import HOUR_MS
from streamwatch.domain.records import Record
from streamwatch.stages.abreast import Abreast, Sifted
from streamwatch.stages.columns import Ints, Rows
from streamwatch.stages.grouping import distinct
from streamwatch.steps.countstate import CountState
from streamwatch.steps.passage import Passage

FEWEST = 48
"""Records of a slice below which each goes by itself: columns have a price of their own."""

Journey = Callable[[Record], None]
"""The way of one record through all stages."""


def take_abreast(
    abreast: Abreast, passage: Passage, records: Sequence[Record], journey: Journey
) -> None:
    """Take the records of a slice in; ``journey`` is the way of those that are not plain."""
    source, state = passage.source, passage.state
    arrived = np.array([record.timestamp for record in records])
    known = arrived >= 0
    latest = np.where(known, arrived, passage.now_ms) + source.future
    sifted = abreast.sift([record.value for record in records], latest, state.batch)
    arrived = np.where(known, arrived, sifted.occurred)
    sifted.plain[passage.observed_among(sifted.ids, sifted.shops, arrived)] = False
    _in_order(passage, sifted, known.all().item(), records, journey)
    rows = np.flatnonzero(sifted.plain)
    if not len(rows):
        return
    declared = sifted.declared[rows]
    state.batch.count_abreast(
        Rows(
            place=_places(sifted, rows, state),
            arrived=arrived[rows],
            declared=declared,
            numbers=declared if sifted.numbers is sifted.declared else sifted.numbers[rows],
            sent=sifted.sent[rows],
            labels=sifted.labels[rows],
        )
    )
    passage.reached(int(arrived[rows].max()))


def _in_order(
    passage: Passage,
    sifted: Sifted,
    arrivals_known: bool,
    records: Sequence[Record],
    journey: Journey,
) -> None:
    """Advance the shops' newest hours, and take every record that is not plain.

    A plain one that turns out to be too late is not plain.
    """
    state, horizon, plain = passage.state, passage.source.horizon, sifted.plain
    hours = sifted.hours * HOUR_MS + sifted.phases[sifted.of_shop]
    before = np.array([state.newest.get(shop, -1) for shop in sifted.names])
    newest = before.copy()
    np.maximum.at(newest, sifted.of_shop[sifted.timely], hours[sifted.timely])
    moved = newest > before
    all_in_time = bool((sifted.occurred >= newest[sifted.of_shop] - horizon)[plain].all())
    if all_in_time and plain.all():
        for at in np.flatnonzero(moved).tolist():
            state.advance(sifted.names[at], int(newest[at]))
    elif all_in_time and not moved.any() and arrivals_known:
        for row in np.flatnonzero(~plain).tolist():
            journey(records[row])
    else:
        _one_after_the_other(passage, sifted, hours.tolist(), records, journey)


def _one_after_the_other(
    passage: Passage, sifted: Sifted, hours: list[int], records: Sequence[Record], journey: Journey
) -> None:
    state, horizon = passage.state, passage.source.horizon
    occurred, shops = sifted.occurred.tolist(), sifted.shops
    for row, is_plain in enumerate(sifted.plain.tolist()):
        if is_plain:
            shop, hour = shops[row], hours[row]
            newest = state.newest.get(shop, -1)
            if occurred[row] >= newest - horizon:
                if hour > newest:
                    state.advance(shop, hour)
                arrived = records[row].timestamp
                passage.reached(occurred[row] if arrived < 0 else arrived)
                continue
            sifted.plain[row] = False
        journey(records[row])


def _places(sifted: Sifted, rows: Ints, state: CountState) -> Ints:
    """The place of each row, as an index of the batch."""
    of_shop, hours = sifted.of_shop[rows], sifted.hours[rows]
    first = int(hours.min())
    span = int(hours.max()) - first + 1
    keys, of, _ = distinct(of_shop * span + hours - first)
    places = []
    for key in keys.tolist():
        at, hour = divmod(key, span)
        begin = (hour + first) * HOUR_MS + int(sifted.phases[at])
        places.append(state.batch.place(sifted.names[at], begin))
    found: Ints = np.array(places)[of]
    return found
