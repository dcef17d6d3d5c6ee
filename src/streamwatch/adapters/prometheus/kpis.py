"""The newest verdicts and incidents of each shop, and the gauges made of them."""

from collections.abc import Iterator, Mapping

import msgspec

from streamwatch.adapters.prometheus.labels import quoted
from streamwatch.adapters.prometheus.rendered import RenderedGauge
from streamwatch.adapters.prometheus.shopseries import (
    Block,
    ShopSeries,
    count_series,
    most_series,
    shop_series,
)
from streamwatch.domain import gauges
from streamwatch.domain.cells import DAY_MS
from streamwatch.domain.incidents import Incident
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.records import PartitionId
from streamwatch.domain.verdicts import Verdict

FORGOTTEN_AFTER_MS = 31 * DAY_MS
"""A KPI that is so much older than its shop's newest is no longer told, such as a category
that the shop gave up."""


class _Shop(msgspec.Struct):
    """What is known of one shop, and from which partition.

    Attributes:
        last_records: the newest bucket that held records.
    """

    verdicts: dict[KpiKey, tuple[PartitionId, Verdict]] = {}
    incidents: dict[str, tuple[PartitionId, Incident]] = {}
    last_records: int | None = None


class Kpis:
    """The newest of each KPI and incident; every one belongs to the partition it came from."""

    def __init__(self) -> None:
        self._shops: dict[str, _Shop] = {}
        self._changed: set[str] = set()
        self._open: set[str] = set()

    def take_verdict(self, partition: PartitionId, verdict: Verdict) -> None:
        """Take a verdict in, unless a newer bucket or version is known."""
        shop = self._shop(verdict.key.shop)
        known = shop.verdicts.get(verdict.key)
        if known is not None and _age(verdict) < _age(known[1]):
            return
        shop.verdicts[verdict.key] = partition, verdict
        if verdict.n and (shop.last_records is None or verdict.bucket > shop.last_records):
            shop.last_records = verdict.bucket

    def take_incident(self, partition: PartitionId, incident: Incident) -> None:
        """Take an incident in, unless a later revision of it is known."""
        incidents = self._shop(incident.key.shop).incidents
        known = incidents.get(incident.id)
        if known is not None and incident.revision < known[1].revision:
            return
        incidents[incident.id] = partition, incident
        _leave_out_replaced(incidents, incident)
        was_open, is_open = incident.id in self._open, incident.status == "open"
        if was_open != is_open:
            self._open ^= {incident.id}
            if incident.is_fleet:
                self._changed.update(self._covered_by(incident.id))

    def forget(self, partition: PartitionId) -> None:
        """Forget all that came from a partition."""
        for name, shop in list(self._shops.items()):
            before = len(shop.verdicts) + len(shop.incidents)
            shop.verdicts = {k: v for k, v in shop.verdicts.items() if v[0] != partition}
            shop.incidents = {k: v for k, v in shop.incidents.items() if v[0] != partition}
            after = len(shop.verdicts) + len(shop.incidents)
            if after != before:
                self._changed.add(name)
            if not after:
                del self._shops[name]
        kept = {id_ for shop in self._shops.values() for id_ in shop.incidents}
        self._open &= kept

    def forget_all(self) -> None:
        """Forget all shops."""
        self._changed.update(self._shops)
        self._shops = {}
        self._open = set()

    def take_changed(self) -> set[str]:
        """The shops that changed since the last call."""
        changed, self._changed = self._changed, set()
        return changed

    def of_shop(self, name: str) -> tuple[list[Verdict], list[Incident]]:
        """The newest verdict of each KPI of a shop, and its incidents; none of a departed shop."""
        shop = self._shops.get(name, _Shop())
        if _has_departed(shop):
            return [], []
        _leave_out_old(shop)
        verdicts = [verdict for _, verdict in shop.verdicts.values()]
        return verdicts, [self._standing(incident) for _, incident in shop.incidents.values()]

    def _standing(self, incident: Incident) -> Incident:
        """The incident; one that lasts longer than the one that stood for it is on its own."""
        if not incident.part_of or incident.part_of in self._open:
            return incident
        return msgspec.structs.replace(incident, part_of="")

    def _covered_by(self, id_: str) -> list[str]:
        return [
            name
            for name, shop in self._shops.items()
            if any(one.part_of == id_ for _, one in shop.incidents.values())
        ]

    def _shop(self, name: str) -> _Shop:
        self._changed.add(name)
        shop = self._shops.get(name)
        if shop is None:
            shop = self._shops[name] = _Shop()
        return shop


class _Told(msgspec.Struct):
    """A shop to tell of, rendered once it is to be told.

    Attributes:
        sizes: series of the whole shop and of its segments, once they are known.
    """

    verdicts: list[Verdict]
    incidents: list[Incident]
    is_open: bool
    rendered: ShopSeries | None = None
    sizes: tuple[int, int] | None = None


class KpiSeries:
    """The rendered series of all shops, within a budget.

    The budget goes to the shops with an open incident first, then to the other shops, then to
    the segments; a shop that does not fit is left out and its series are counted. What is left
    out is not rendered either, which is most of the time of a scrape after many shops changed.

    Attributes:
        dropped: series that were left out by the last `gauges`.
    """

    def __init__(self, max_series: int, min_group: int) -> None:
        self._max_series = max_series
        self._min_group = min_group
        self._shops: dict[str, _Told] = {}
        self.dropped = 0
        self._left = max_series

    def update(self, name: str, verdicts: list[Verdict], incidents: list[Incident]) -> None:
        """Take a shop that changed; one without anything is gone."""
        if verdicts or incidents:
            is_open = any(incident.status == "open" for incident in incidents)
            self._shops[name] = _Told(verdicts, incidents, is_open)
        else:
            self._shops.pop(name, None)

    @property
    def open_incidents(self) -> int:
        """How many incidents are open."""
        return sum(
            incident.status == "open"
            for shop in self._shops.values()
            if shop.is_open
            for incident in shop.incidents
        )

    def gauges(self, due: Mapping[tuple[str, str], int]) -> Iterator[RenderedGauge]:
        """The gauges that have series; the deadlines take what the KPIs leave of the budget."""
        texts = [block.text for block in self._within_budget()]
        for name, words in gauges.HELPS.items():
            lines = [text[name] for text in texts if name in text]
            if name == gauges.NEXT_EXPECTED:
                lines = self._deadlines(due)
            if lines:
                yield RenderedGauge(name, words, lines)

    def _deadlines(self, due: Mapping[tuple[str, str], int]) -> list[bytes]:
        """The lines of the deadlines, the nearest first."""
        told = sorted(due.items(), key=lambda one: (one[1], one[0]))[: self._left]
        self.dropped += len(due) - len(told)
        gauge = gauges.NEXT_EXPECTED
        return [
            f'{gauge}{{event_type="{quoted(kind)}",shop="{quoted(shop)}"}} {at / 1000!r}\n'.encode()
            for (shop, kind), at in told
        ]

    def _within_budget(self) -> list[Block]:
        ordered = [shop for _, shop in sorted(self._shops.items(), key=_urgency)]
        taken: list[Block] = []
        left = self._max_series
        self.dropped = 0
        for part in (0, 1):
            for shop in ordered:
                series = self._sizes(shop, left)[part]
                if series > left:
                    self.dropped += series
                elif series:
                    rendered = self._rendered(shop)
                    taken.append(rendered.segments if part else rendered.first)
                    left -= series
        self._left = left
        return taken

    def _sizes(self, shop: _Told, left: int) -> tuple[int, int]:
        """Series of the whole shop and of its segments; rendered where they fit for certain."""
        if shop.sizes is None:
            if most_series(shop.verdicts, shop.incidents) <= left:
                self._rendered(shop)
            else:
                shop.sizes = count_series(shop.verdicts, shop.incidents, self._min_group)
        if shop.rendered is not None:
            return shop.rendered.first.series, shop.rendered.segments.series
        return shop.sizes or (0, 0)

    def _rendered(self, shop: _Told) -> ShopSeries:
        if shop.rendered is None:
            shop.rendered = shop_series(shop.verdicts, shop.incidents, self._min_group)
        return shop.rendered


def _age(verdict: Verdict) -> tuple[int, int]:
    return verdict.bucket, verdict.version


def _has_departed(shop: _Shop) -> bool:
    """Whether it goes on being judged, and has sent nothing for long."""
    if shop.last_records is None:
        return False
    newest = max((verdict.bucket for _, verdict in shop.verdicts.values()), default=0)
    return newest - shop.last_records > FORGOTTEN_AFTER_MS


def _leave_out_old(shop: _Shop) -> None:
    newest = max((verdict.bucket for _, verdict in shop.verdicts.values()), default=0)
    limit = newest - FORGOTTEN_AFTER_MS
    for key in [key for key, (_, one) in shop.verdicts.items() if one.bucket < limit]:
        del shop.verdicts[key]


def _leave_out_replaced(
    incidents: dict[str, tuple[PartitionId, Incident]], incident: Incident
) -> None:
    """Keep of a KPI and direction the open incidents and the newest closed one."""
    same = [
        one
        for _, one in incidents.values()
        if one.key == incident.key and one.direction == incident.direction
    ]
    newest = max(same, key=lambda one: (one.since, one.revision))
    for one in same:
        if one.status == "closed" and one is not newest:
            del incidents[one.id]


def _urgency(shop: tuple[str, _Told]) -> tuple[bool, str]:
    name, told = shop
    return not told.is_open, name
