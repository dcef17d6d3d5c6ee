"""Numbers, moments and names of KPIs as people read them."""

import math
from datetime import UTC, datetime

from streamwatch.domain.events import EVENT_TYPES
from streamwatch.domain.incidents import FLEET, Incident
from streamwatch.domain.readings import KpiKey, Span

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS
UNKNOWN = "unknown"
UNITS = {"height": "cm", "weight": "kg", "age": "years", "quantity": "pieces"}
_KINDS = {
    "mean": "mean {}",
    "missing": "share without {}",
    "mix": "mix of {}",
    "rejects": "share refused, {}",
    "marks": "share marked, {}",
}
_WHOLE = {
    "rejects": "share refused",
    "marks": "share marked",
    "ratio.returns": "returns for each purchase",
    "ratio.conversion": "purchases for each widget event",
}
_PLAIN_UNITS = {"volume": "events", "silence": "hours"}
_COUNTED, _FEW = frozenset({"events", "shops"}), 10
"""Units that come in wholes, and up to where a fraction of them still tells something."""

_SHARES = frozenset({"missing", "rejects", "marks", "ratio"})
"""Kinds of KPIs whose numbers are between 0 and 1, and are shown in percent."""


def kpi_name(kpi: str) -> str:
    """A KPI in words.

    >>> kpi_name("mean.height"), kpi_name("mean.price.EUR"), kpi_name("volume")
    ('mean height', 'mean price in EUR', 'volume')
    >>> kpi_name("rejects.validate/wrong-type/height"), kpi_name("ratio.returns")
    ('share refused, validate/wrong-type/height', 'returns for each purchase')
    """
    kind, _, rest = kpi.partition(".")
    if kpi in _WHOLE or not rest:
        return _WHOLE.get(kpi, kpi)
    feature, _, part = rest.partition(".")
    text = _KINDS.get(kind, kind + " {}").format(feature.replace("_", " "))
    return f"{text} in {part}" if part and feature == "price" else f"{text} {part}".rstrip()


def kpi_title(key: KpiKey) -> str:
    """A KPI with what it is taken from.

    >>> kpi_title(KpiKey("s", "widget-event", "mean.height", "gender=female"))
    'mean height of widget events, gender=female'
    """
    is_named = key.event_type and not key.kpi.startswith("ratio.")
    events = f" of {events_name(key.event_type)}" if is_named else ""
    segment = "" if key.segment == "all" else f", {key.segment}"
    span = f", by the {key.span}" if key.span != "day" and key.kpi != "silence" else ""
    return f"{kpi_name(key.kpi)}{events}{segment}{span}"


def departure(kpi: str, direction: str) -> str:
    """How a KPI departed.

    >>> departure("volume", "low"), departure("silence", "high"), departure("mix.size", "high")
    ('unusually low', 'unusually long', 'unlike itself')
    """
    kind = kpi.partition(".")[0]
    if kind == "mix":
        return "unlike itself"
    return "unusually long" if kind == "silence" else f"unusually {direction}"


def events_name(event_type: str) -> str:
    """The plural of an event type.

    >>> events_name("widget-event")
    'widget events'
    """
    return f"{event_type.replace('-', ' ')}s"


def unit_of(kpi: str) -> str:
    """The unit of a KPI's numbers; empty where there is none.

    >>> unit_of("mean.height"), unit_of("mean.price.EUR"), unit_of("volume"), unit_of("rejects")
    ('cm', 'EUR', 'events', '%')
    """
    kind, _, rest = kpi.partition(".")
    feature, _, part = rest.partition(".")
    if kind in _PLAIN_UNITS:
        return _PLAIN_UNITS[kind]
    if kind in _SHARES:
        return "%"
    if kind != "mean":
        return ""
    return part if feature == "price" else UNITS.get(feature, "")


def incident_unit(incident: Incident) -> str:
    """The unit of an incident's numbers: one of many shops counts them."""
    return "shops" if incident.is_fleet else unit_of(incident.key.kpi)


def shop_name(shop: str) -> str:
    """A shop as people read it.

    >>> shop_name("*"), shop_name("shop-002")
    ('many shops', 'shop-002')
    """
    return "many shops" if shop == FLEET else shop


def feature_of(kpi: str) -> str:
    """The feature of stage statistics that a KPI is about; empty for none.

    >>> feature_of("mean.price.EUR"), feature_of("volume")
    ('price.EUR', '')
    """
    kind, _, rest = kpi.partition(".")
    return rest if kind in {"mean", "missing"} else ""


def number(value: float | None) -> str:
    """A number with as many digits as help.

    >>> number(1234567.0), number(66.64923), number(0.0), number(0.012345), number(float("nan"))
    ('1,234,567', '66.65', '0', '0.01235', 'unknown')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if value == 0 or abs(value) >= 1_000:  # noqa: PLR2004
        return f"{value:,.0f}"
    return f"{value:.4g}"


def in_unit(value: float | None, unit: str) -> str:
    """A number without its unit, but for percent, of which 1.0 are a hundred.

    >>> in_unit(66.64923, "cm"), in_unit(0.03607, "%"), in_unit(None, "%"), in_unit(76.17, "events")
    ('66.65', '3.61 %', 'unknown', '76')
    """
    if value is None or not math.isfinite(value):
        return UNKNOWN
    if unit == "%":
        return f"{100 * value:.3g} %"
    # Half an event helps nobody, but of a few the fraction is what was expected.
    return f"{value:,.0f}" if unit in _COUNTED and abs(value) >= _FEW else number(value)


def with_unit(value: float | None, unit: str) -> str:
    """A number and its unit.

    >>> with_unit(66.64923, "cm"), with_unit(0.5, "%"), with_unit(None, "cm")
    ('66.65 cm', '50 %', 'unknown')
    """
    text = in_unit(value, unit)
    return f"{text} {unit}" if unit not in {"", "%"} and text != UNKNOWN else text


def band(lower: float | None, upper: float | None, unit: str) -> str:
    """The ends of a band.

    >>> band(165.46, 174.09, "cm")
    '165.5 to 174.1 cm'
    """
    if UNKNOWN in (number(lower), number(upper)):
        return UNKNOWN
    return f"{in_unit(lower, unit)} to {with_unit(upper, unit)}"


def usual(
    value: float, expected: float | None, lower: float | None, upper: float | None, unit: str
) -> str:
    """What is usual: the band, or what was expected where the band holds the value all the same.

    A silence is as long as its limit when it is told, and of a few records nearly all is usual.

    >>> usual(66.6, 169.8, 165.5, 174.1, "cm"), usual(30.13, 1.15, 0.0, 30.13, "hours")
    ('usually 165.5 to 174.1 cm', 'expected 1.15 hours')
    """
    held = lower is not None and upper is not None and lower <= value <= upper
    if expected is not None and (held or UNKNOWN in (number(lower), number(upper))):
        return f"expected {with_unit(expected, unit)}"
    return f"usually {band(lower, upper, unit)}"


def score(value: float) -> str:
    """A deviation in standard deviations.

    >>> score(-12.66)
    '12.7 sd below'
    """
    if not math.isfinite(value):
        return UNKNOWN
    side = "above" if value > 0 else "below" if value < 0 else "off"
    return f"{number(round(abs(value), 1))} sd {side}"


def moment(milliseconds: int) -> str:
    """A moment in UTC to the minute.

    >>> moment(1_772_357_400_250)
    '2026-03-01 09:30 UTC'
    """
    return f"{_utc(milliseconds):%Y-%m-%d %H:%M} UTC"


def iso(milliseconds: int) -> str:
    """A moment for machines.

    >>> iso(1_772_357_400_250)
    '2026-03-01T09:30:00Z'
    """
    return f"{_utc(milliseconds):%Y-%m-%dT%H:%M:%SZ}"


def bucket(milliseconds: int, span: Span | str) -> str:
    """A bucket by its start: an hour in UTC, or a day or week by the shop's own date.

    A day begins at the shop's midnight, so twelve hours later it is that date in UTC, in
    every time zone but those more than twelve hours ahead of it.

    >>> bucket(1_772_319_600_000, "day"), bucket(1_772_319_600_000, "hour")
    ('Sun 2026-03-01', 'Sat 2026-02-28 23:00 UTC')
    """
    if span == "hour":
        return f"{_utc(milliseconds):%a %Y-%m-%d %H:%M} UTC"
    return f"{_utc(milliseconds + DAY_MS // 2):%a %Y-%m-%d}"


def lasting(milliseconds: int) -> str:
    """A length of time, roughly.

    >>> lasting(90_000), lasting(3 * HOUR_MS), lasting(12 * DAY_MS)
    ('2 minutes', '3 hours', '12 days')
    """
    for unit, length in (("day", DAY_MS), ("hour", HOUR_MS), ("minute", 60_000)):
        if milliseconds >= 2 * length:
            return f"{round(milliseconds / length)} {unit}s"
    return "a moment" if milliseconds < 60_000 else "2 minutes"  # noqa: PLR2004


def knows(event_type: str) -> bool:
    """Whether there are tap tables and stage statistics for it."""
    return event_type in EVENT_TYPES


def _utc(milliseconds: int) -> datetime:
    # Hostile event times must not break a page.
    bounded = min(max(milliseconds, 0), 253_370_764_800_000)
    return datetime.fromtimestamp(bounded / 1000, UTC)
