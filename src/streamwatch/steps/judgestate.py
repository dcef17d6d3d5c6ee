"""The judge's state: what it holds, and how it is stored and read again.

Stored are one value per shop (what it has learned), one per shop and hour (the partials, so
that a flush writes only the hours that grew), one per shop for its open days, the common
factors, and the clocks. Version 1 is read as well: what it lacks begins empty.
"""

import heapq
from collections.abc import Callable, Iterator, Mapping
from datetime import tzinfo

import msgspec

from streamwatch.baselines.fleetfactor import Common
from streamwatch.domain.statevalue import pack, unpack
from streamwatch.errors import StateError
from streamwatch.steps import calendar
from streamwatch.steps.clocks import Clocks
from streamwatch.steps.partials import Hour
from streamwatch.steps.streams import Learned, OpenDays, Stream, next_task

_VERSION = 2


class StoredHour(msgspec.Struct, array_like=True):
    """An hour's partials as they are stored."""

    shop: str
    event_type: str
    hour: int
    parts: Hour


class JudgeState(msgspec.Struct):
    """All that the judge knows of one partition of the readings topic.

    Attributes:
        clocks: from the heartbeats.
        shops: shop → event type → stream.
        agenda: per event type a heap of (when something is due, shop).
        commons: ``event type|bucket`` → what all shops had in common in it.
        changed_shops, changed_open, changed_hours, clocks_changed, commons_changed: what the
            next settling writes.
    """

    clocks: Clocks
    shops: dict[str, dict[str, Stream]] = {}
    agenda: dict[str, list[tuple[int, str]]] = {}
    commons: dict[str, Common] = {}
    changed_shops: set[str] = set()
    changed_open: set[str] = set()
    changed_hours: set[tuple[str, int, str]] = set()
    clocks_changed: bool = False
    commons_changed: bool = False


def schedule(state: JudgeState, stream: Stream, lateness: int) -> None:
    """Put a stream into the agenda for its next due moment."""
    due = next_task(stream, lateness).due
    if due != stream.scheduled:
        stream.scheduled = due
        heapq.heappush(state.agenda.setdefault(stream.event_type, []), (due, stream.shop))


def all_streams(state: JudgeState) -> Iterator[Stream]:
    """Every shop's streams."""
    for streams in state.shops.values():
        yield from streams.values()


def take_changes(state: JudgeState) -> dict[str, bytes | None]:
    """The stored values that changed since the last call; ``None`` deletes one."""
    changes: dict[str, bytes | None] = {}
    if state.clocks_changed:
        changes["clocks"] = pack(_VERSION, state.clocks)
    if state.commons_changed:
        changes["commons"] = pack(_VERSION, state.commons)
    for shop in sorted(state.changed_shops):
        learned = {kind: stream.learned for kind, stream in state.shops[shop].items()}
        changes[f"shop/{shop}"] = pack(_VERSION, learned)
    for shop in sorted(state.changed_open):
        days = {kind: stream.open for kind, stream in state.shops[shop].items()}
        changes[f"open/{shop}"] = pack(_VERSION, days)
    for event_type, hour, shop in sorted(state.changed_hours):
        parts = _hour_of(state.shops[shop][event_type], hour)
        stored = pack(_VERSION, StoredHour(shop, event_type, hour, parts)) if parts else None
        changes[f"hour/{event_type}/{hour}/{shop}"] = stored
    forget_changes(state)
    return changes


def forget_changes(state: JudgeState) -> None:
    """Take what changed for written."""
    state.changed_shops.clear()
    state.changed_open.clear()
    state.changed_hours.clear()
    state.clocks_changed = state.commons_changed = False


def read_state(
    states: Mapping[str, bytes], timezone_of: Callable[[str], tzinfo], lateness: int
) -> JudgeState:
    """The state from stored values.

    Raises:
        StateError: a value is damaged, lacks its shop, or was written by a newer version.
    """
    state = JudgeState(clocks=Clocks())
    if "clocks" in states:
        state.clocks = unpack(states["clocks"], Clocks, _VERSION, "clocks")
    for key in sorted(key for key in states if key.startswith("shop/")):
        shop = key.removeprefix("shop/")
        zone = timezone_of(shop)
        learned = unpack(states[key], dict[str, Learned], _VERSION, key)
        state.shops[shop] = {kind: Stream(shop, kind, zone, what) for kind, what in learned.items()}
    if "commons" in states:
        state.commons = unpack(states["commons"], dict[str, Common], _VERSION, "commons")
    for key in sorted(key for key in states if key.startswith("open/")):
        days = unpack(states[key], dict[str, OpenDays], _VERSION, key)
        for kind, opened in state.shops.get(key.removeprefix("open/"), {}).items():
            opened.open = days.get(kind, OpenDays())
    for key in sorted(key for key in states if key.startswith("hour/")):
        stored = unpack(states[key], StoredHour, _VERSION, key)
        stream = state.shops.get(stored.shop, {}).get(stored.event_type)
        if stream is None:
            raise StateError(f"state {key!r} belongs to no stored shop: delete the row")
        day = calendar.day_start(stored.hour, stream.zone)
        stream.days.setdefault(day, {})[stored.hour] = stored.parts
    for stream in all_streams(state):
        schedule(state, stream, lateness)
    return state


def _hour_of(stream: Stream, hour: int) -> Hour:
    day = calendar.day_start(hour, stream.zone)
    return stream.days.get(day, {}).get(hour, {})
