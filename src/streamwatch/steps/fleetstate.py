"""What FLEET holds: the histories of all shops, what is open in them, and what they share."""

import msgspec

from streamwatch.domain.cells import ALL, DAY_MS, HOUR_MS
from streamwatch.domain.incidents import Incident
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.statevalue import pack
from streamwatch.domain.verdicts import Verdict
from streamwatch.incidents.grouping import Group, group_of
from streamwatch.incidents.history import History
from streamwatch.steps.streams import kpi_name

VERSION = 2

ShopHistories = dict[str, History]

_A_WEEK = {"hour": 168, "day": 7, "week": 1, "month": 1}
_WIDTHS = {"hour": HOUR_MS, "day": DAY_MS, "week": 7 * DAY_MS, "month": 31 * DAY_MS}
_KEPT_DISCOVERIES_MS = 10 * DAY_MS


class StoredFleet(msgspec.Struct):
    """What all shops share, as it is stored."""

    wide: list[tuple[Group, Incident]]
    discoveries: dict[str, set[str]]


class FleetState(msgspec.Struct):
    """All that FLEET knows.

    Attributes:
        shops: shop → KPI → history.
        wide: the newest incident of many shops in each group.
        changed, wide_changed: what the next settling writes.
        judged: event type, KPI and span → the shops that are judged in it.
        running: group → shop → its open incident. Made from the histories, not stored.
        tests: verdicts a week. Made from the histories, not stored.
        discoveries: span and day → the KPIs that departed.
    """

    shops: dict[str, ShopHistories] = {}
    wide: dict[Group, Incident] = {}
    changed: set[str] = set()
    wide_changed: bool = False
    judged: dict[tuple[str, str, str], set[str]] = {}
    running: dict[Group, dict[str, Incident]] = {}
    tests: int = 0
    discoveries: dict[str, set[str]] = {}


def begin_history(state: FleetState, key: KpiKey, stored: History | None = None) -> History:
    """The history of a KPI, a new one if it has none."""
    histories = state.shops.setdefault(key.shop, {})
    name = f"{key.event_type}|{kpi_name(key)}"
    state.changed.add(key.shop)
    if name not in histories:
        histories[name] = stored if stored is not None else History(key)
        state.tests += 0 if key.kpi == "silence" else _A_WEEK[key.span]
        if key.segment == ALL:
            state.judged.setdefault((key.event_type, key.kpi, key.span), set()).add(key.shop)
    return histories[name]


def history_of(state: FleetState, key: KpiKey) -> History | None:
    """The history of a KPI, if it has one."""
    return state.shops.get(key.shop, {}).get(f"{key.event_type}|{kpi_name(key)}")


def note_incident(state: FleetState, incident: Incident) -> None:
    """Keep what is open at hand."""
    group = group_of(incident)
    if group is None:
        return
    running = state.running.setdefault(group, {})
    if incident.status == "open":
        running[incident.key.shop] = incident
    elif running.get(incident.key.shop, incident).id == incident.id:
        running.pop(incident.key.shop, None)


def open_in(state: FleetState, group: Group) -> list[Incident]:
    """The open incidents of single shops in a group."""
    return list(state.running.get(group, {}).values())


def open_of_shop(state: FleetState, shop: str) -> list[Incident]:
    """The open incidents of a shop."""
    return [
        incident
        for history in state.shops.get(shop, {}).values()
        for incident in history.incidents.values()
        if incident.status == "open"
    ]


def tests_a_week(state: FleetState) -> int:
    """How many verdicts the fleet gives in a week."""
    return state.tests


def note_discovery(state: FleetState, verdict: Verdict) -> int:
    """How many verdicts of this one's span and day depart, itself included."""
    key = verdict.key
    width = _WIDTHS[key.span]
    bucket = (verdict.bucket + width // 2) // width * width
    found = state.discoveries.setdefault(f"{key.span}|{bucket}", set())
    found.add(f"{key.shop}|{key.event_type}|{kpi_name(key)}")
    limit = verdict.bucket - _KEPT_DISCOVERIES_MS
    for old in [one for one in state.discoveries if int(one.rpartition("|")[2]) < limit]:
        del state.discoveries[old]
    state.wide_changed = True
    return len(found)


def take_changes(state: FleetState) -> dict[str, bytes | None]:
    """The stored values that changed since the last call."""
    changes: dict[str, bytes | None] = {
        f"shop/{shop}": pack(VERSION, state.shops[shop]) for shop in sorted(state.changed)
    }
    if state.wide_changed:
        wide = sorted(state.wide.items(), key=lambda one: one[0])
        changes["fleet"] = pack(VERSION, StoredFleet(wide, state.discoveries))
    state.changed.clear()
    state.wide_changed = False
    return changes
