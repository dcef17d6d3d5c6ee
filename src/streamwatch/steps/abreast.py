"""The records of a slice in COUNT: the plain ones abreast, the others each by itself.

What a record leaves behind depends on the order of records in two points only: a shop's newest
hour decides what is too late and where refused records count, and the newest arrival stands in
where a record's own is not known. So the order is kept wherever one of the two moves.
"""

from collections.abc import Callable, Sequence

import numpy as np

from streamwatch.domain.records import Record
from streamwatch.stages.abreast import Abreast, Sifted
from streamwatch.stages.columns import Rows
from streamwatch.steps.observers import Observers
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
    observers = passage.observers
    if observers.anybody:
        sifted.plain[observers.alone_among(sifted, arrived, known)] = False
    _in_order(passage, sifted, known.all().item(), records, journey)
    rows = np.flatnonzero(sifted.plain)
    if not len(rows):
        return
    if observers.takes_any:
        _look(observers, sifted, records)
    declared, place_of = sifted.declared[rows], state.batch.places.__getitem__
    shops = [sifted.shops[row] for row in rows.tolist()]
    places = map(place_of, zip(shops, sifted.hours[rows].tolist(), strict=True))
    state.batch.count_abreast(
        Rows(
            place=np.fromiter(places, np.int64, len(rows)),
            arrived=arrived[rows],
            declared=declared,
            numbers=declared if sifted.numbers is sifted.declared else sifted.numbers[rows],
            sent=sifted.sent[rows],
            labels=sifted.labels[rows],
        )
    )
    passage.reached(int(arrived[rows].max()))


def _look(observers: Observers, sifted: Sifted, records: Sequence[Record]) -> None:
    """Let taps look at the plain records."""
    sampled = np.array(observers.in_sample(sifted), dtype=np.int64)
    rows = sampled[sifted.plain[sampled]]
    if not len(rows):
        return
    occurred = sifted.occurred[rows].tolist()
    places = rows.tolist()
    observers.look_at_all(
        [sifted.events[row] for row in places],
        [
            (records[row].offset, records[row].timestamp, moment)
            for row, moment in zip(places, occurred, strict=True)
        ],
        sifted.hours[rows].tolist(),
    )


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
    newest = np.array([passage.state.newest.get(shop, -1) for shop in sifted.shops])
    moves = bool((sifted.hours > newest)[sifted.timely].any())
    if moves or not arrivals_known:
        _one_after_the_other(passage, sifted, records, journey)
        return
    sifted.plain &= sifted.occurred >= newest - passage.source.horizon
    for row in np.flatnonzero(~sifted.plain).tolist():
        journey(records[row])


def _one_after_the_other(
    passage: Passage, sifted: Sifted, records: Sequence[Record], journey: Journey
) -> None:
    state, horizon = passage.state, passage.source.horizon
    occurred, hours, shops = sifted.occurred.tolist(), sifted.hours.tolist(), sifted.shops
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
