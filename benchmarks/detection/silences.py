"""How soon a shop that sends nothing any more is told, through JUDGE itself.

Shops of one size send as the simulation's shops do: by the hour of their day, with weekdays and
a wobble; or a file a day, or a file a week. After eight weeks each stops at a random moment.
"""

import datetime as dt
import itertools
from collections.abc import Iterator

import msgspec
import numpy as np

from streamwatch.domain.cells import ALL, Cell
from streamwatch.domain.messages import Heartbeat, Partial
from streamwatch.domain.records import FileRecord, Slice
from streamwatch.domain.rows import VerdictRow
from streamwatch.domain.settings import JudgingSettings
from streamwatch.simulation.fleet import FleetSettings, build_fleet
from streamwatch.simulation.season import expected_visits
from streamwatch.steps.judge import JudgeStep

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
LEARNT_DAYS = 56
EVENT = "widget-event"
BEAT_MS = HOUR_MS // 30


class Arrival(msgspec.Struct, frozen=True, order=True):
    """Records of one hour of one shop that arrive together, or over the hour."""

    first: int
    last: int
    shop: int
    hour: int
    count: int


def continuous(fleet, seed: int, days: int) -> list[Arrival]:
    """Records come as things happen: those of an hour from its first to its last."""
    rng = np.random.default_rng([seed, 1])
    found = []
    shares = np.diff(fleet.hours, axis=1, prepend=0.0)
    for day in range(days):
        wobble = rng.gamma(fleet.dispersion**-2, fleet.dispersion**2)
        mean = expected_visits(fleet, day) * wobble
        counts = rng.poisson(mean[:, None] * shares)
        for shop, hour in zip(*np.nonzero(counts), strict=True):
            start = fleet.settings.start_ms + day * DAY_MS + int(hour) * HOUR_MS
            times = np.sort(rng.integers(0, HOUR_MS, int(counts[shop, hour])))
            # As often as heartbeats come, so that no gap is longer than the records make it.
            cuts = np.searchsorted(times, np.arange(BEAT_MS, HOUR_MS, BEAT_MS))
            for part in np.split(times, cuts):
                if len(part):
                    first, last = start + int(part[0]), start + int(part[-1])
                    found.append(Arrival(first, last, int(shop), start, len(part)))
    return found


def filed(arrivals: list[Arrival], every: int, start: int, rng) -> list[Arrival]:
    """The same records, but each period's come in one file six hours after its end."""
    period = every * DAY_MS
    late: dict[int, int] = {}
    found = []
    for one in arrivals:
        number = (one.first - start) // period
        jitter = late.setdefault(number * 1000 + one.shop, int(rng.integers(0, HOUR_MS // 3)))
        at = start + (number + 1) * period + 6 * HOUR_MS + jitter
        found.append(Arrival(at, at, one.shop, one.hour, one.count))
    return found


def messages(arrivals: list[Arrival], until: int, begun: int) -> Iterator[tuple[int, bytes]]:
    """Partials as COUNT sends them, and a heartbeat every two minutes."""
    encode = msgspec.msgpack.encode
    cells: dict[tuple[int, int], Cell] = {}
    ordered = sorted(arrivals, key=lambda one: one.last)
    place = 0
    for version, beat in enumerate(range(begun, until, BEAT_MS)):
        while place < len(ordered) and ordered[place].last < beat:
            one = ordered[place]
            cell = cells.setdefault((one.shop, one.hour), Cell(first_arrival=one.first))
            cell.count += one.count
            cell.last_arrival = one.last
            partial = Partial(
                EVENT, EVENT, 0, f"shop-{one.shop:03d}", one.hour, place, one.hour, {ALL: cell}
            )
            yield beat, encode(partial)
            place += 1
        yield beat, encode(Heartbeat(EVENT, EVENT, 0, version, 0, beat, beat))


def delays(seed: int, size: float, shops: int, every: int = 0) -> dict[str, object]:
    """Hours until silence is told, and false alarms in the eighth week and after.

    Args:
        seed: of all that is drawn.
        size: records a day of each shop.
        shops: how many.
        every: days that a file covers; 0 for records that come as things happen.
    """
    days = LEARNT_DAYS + (42 if every == 7 else 14)
    settings = FleetSettings(
        shops=shops, days=days, seed=seed, start=dt.date(2026, 2, 2), smallest=size, largest=size
    )
    fleet = build_fleet(settings)
    rng = np.random.default_rng([seed, 2])
    arrivals = continuous(fleet, seed, days)
    if every:
        arrivals = filed(arrivals, every, settings.start_ms, rng)
    ends = settings.start_ms + LEARNT_DAYS * DAY_MS + rng.integers(0, 7 * DAY_MS, shops)
    sent = [one for one in arrivals if one.first < ends[one.shop]]
    newest = {shop: max(one.last for one in sent if one.shop == shop) for shop in range(shops)}
    judge = JudgeStep(JudgingSettings(), lambda _shop: dt.UTC)
    state = judge.restore({})
    told: dict[int, int] = {}
    false = 0
    portions = itertools.groupby(
        messages(sent, settings.end_ms, settings.start_ms), key=lambda one: one[0]
    )
    for beat, portion in portions:
        records = [FileRecord(0, value) for _, value in portion]
        outcome = judge.process(state, Slice("readings", 0, records), 0)
        for row in outcome.rows:
            if not isinstance(row, VerdictRow) or row.verdict.key.kpi != "silence":
                continue
            shop = int(row.verdict.key.shop.removeprefix("shop-"))
            if row.verdict.state != "unusual" or shop in told:
                continue
            if beat > newest[shop] + BEAT_MS and row.verdict.bucket > newest[shop]:
                told[shop] = beat
            else:
                false += 1
    begun = {shop: newest[shop] + (every * DAY_MS) for shop in range(shops)}
    hours = sorted((told[shop] - begun[shop]) / HOUR_MS for shop in told)
    months = shops * (LEARNT_DAYS - 21) / 30
    found = np.array(hours + [np.inf] * (shops - len(hours)))
    return {
        "shops": shops,
        "told": len(hours) / shops,
        "median hours": _at(found, 0.5),
        "95 % within": _at(found, 0.95),
        "false alarms a shop-month": false / months,
    }


def gap_rule(seed: int, size: float, shops: int) -> dict[str, object]:
    """A team's rule on the same shops: a gap longer than the longest of the eight weeks."""
    settings = FleetSettings(
        shops=shops, days=LEARNT_DAYS, seed=seed, start=dt.date(2026, 2, 2),
        smallest=size, largest=size,
    )  # fmt: skip
    arrivals = continuous(build_fleet(settings), seed, LEARNT_DAYS)
    longest = []
    for shop in range(shops):
        own = sorted(one for one in arrivals if one.shop == shop)
        longest.append(max(b.first - a.last for a, b in itertools.pairwise(own)) / HOUR_MS)
    return {
        "median hours": float(np.median(longest)),
        "false alarms a shop-month": 30 / LEARNT_DAYS,
    }


def _at(hours: np.ndarray, share: float) -> float | None:
    value = float(np.quantile(hours, share, method="higher"))
    return round(value, 2) if np.isfinite(value) else None
