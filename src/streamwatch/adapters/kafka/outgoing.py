"""From lines of files to records for Kafka: their key, and the time that they carry."""

import heapq
from collections.abc import Callable, Iterable, Iterator
from datetime import tzinfo
from operator import attrgetter
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from streamwatch.adapters.files.source_line import SourceLine
from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import FieldMapping, ShopSettings
from streamwatch.stages.when import EARLIEST_MS, event_time_ms


class Outgoing(msgspec.Struct, frozen=True, gc=False):
    """A record to send.

    Attributes:
        topic, key, value: as Kafka gets them.
        time_ms: the record's time in Kafka, milliseconds since 1970 UTC; it is the arrival
            time by which the judge's clock goes.
        file, line: where it comes from, for messages.
    """

    topic: str
    key: bytes | None
    value: bytes | None
    time_ms: int
    file: str
    line: int


Dating = Callable[[Iterable[SourceLine], str], Iterator[Outgoing]]


def compile_dating(settings: Settings, now_ms: int) -> Dating:
    """The function that gives the lines of one file (and its name) their keys and times.

    The key is the line's own, else the shop. The time is the arrival that the file states,
    else the event's own time. A line that has neither, or dates itself before 2000 or after
    ``now_ms``, gets the time of the line before it, so that one wrong date among old records
    does not carry the judge's clock into the present; ``now_ms`` if there is no line before.

    >>> dating = compile_dating(Settings(), now_ms=1_790_000_000_000)
    >>> line = SourceLine("purchase", -1, b'{"shop":"s","time":"2026-01-01T00:00:00Z"}', None, 1)
    >>> [(one.key, one.time_ms) for one in dating([line], "a.jsonl")]
    [(b's', 1767225600000)]
    """
    places = {source.topic: _places(source.fields) for source in settings.sources}
    usual = _places({})
    zone_of = _compile_zones(settings.shops)
    decode = msgspec.json.Decoder().decode

    def dating(lines: Iterable[SourceLine], file: str) -> Iterator[Outgoing]:
        last = now_ms
        for line in lines:
            key, time_ms = line.key, line.arrived_ms
            if (key is None or time_ms < 0) and line.value is not None:
                shop_at, time_at = places.get(line.topic, usual)
                row = _row(decode, line.value)
                shop = shop_at(row)
                if key is None and shop is not None:
                    key = shop.encode("utf-8", "replace")
                if time_ms < 0:
                    time_ms = _time_of(time_at(row), zone_of(shop), now_ms)
            if time_ms < 0:
                time_ms = last
            last = time_ms
            yield Outgoing(line.topic, key, line.value, time_ms, file, line.line)

    return dating


def merge(files: list[Iterator[Outgoing]]) -> Iterator[Outgoing]:
    """The records of several files in the order of their times; each keeps its own order."""
    return files[0] if len(files) == 1 else heapq.merge(*files, key=attrgetter("time_ms"))


Find = Callable[[Any], Any]


def _places(fields: dict[str, FieldMapping]) -> tuple[Callable[[Any], str | None], Find]:
    shop_at = _compile_find(fields.get("shop", FieldMapping()), "shop")
    time_at = _compile_find(fields.get("time", FieldMapping()), "time")

    def shop(row: Any) -> str | None:
        found = shop_at(row)
        return found if isinstance(found, str) else None

    return shop, time_at


def _compile_find(mapping: FieldMapping, name: str) -> Find:
    if mapping.constant is not None:
        return lambda _: mapping.constant
    path = (mapping.path or name).split(".")

    def find(row: Any) -> Any:
        for key in path:
            row = row.get(key) if isinstance(row, dict) else None
        return row

    return find


def _row(decode: Callable[[bytes], Any], value: bytes) -> Any:
    """The value as an object; anything else has neither shop nor time, and decode judges it."""
    try:
        return decode(value)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def _time_of(time: Any, zone: Callable[[], tzinfo], now_ms: int) -> int:
    if not isinstance(time, str | int | float):
        return -1
    try:
        found = event_time_ms(time, lambda _: zone(), "")
    except OverflowError:
        return -1
    return found if found is not None and EARLIEST_MS <= found <= now_ms else -1


def _compile_zones(shops: dict[str, ShopSettings]) -> Callable[[str | None], Callable[[], tzinfo]]:
    default = shops.get("default", ShopSettings())
    zones: dict[str, tzinfo] = {}

    def zone_named(name: str) -> tzinfo:
        if name not in zones:
            try:
                zones[name] = ZoneInfo(name)
            except (ZoneInfoNotFoundError, ValueError):
                zones[name] = ZoneInfo("UTC")
        return zones[name]

    def zone_of(shop: str | None) -> Callable[[], tzinfo]:
        return lambda: zone_named(shops.get(shop or "", default).timezone)

    return zone_of
