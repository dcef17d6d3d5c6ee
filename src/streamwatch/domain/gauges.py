"""The gauges of the KPIs and incidents: their names, their units and what they mean.

One metric carries one unit, so that each measure has four gauges of its own: the value, what
was expected, and the band around it.
"""

import msgspec

DEVIATION = "streamwatch_kpi_deviation_score"
UNUSUAL = "streamwatch_kpi_unusual"
WARMING = "streamwatch_kpi_warming"
BUCKET = "streamwatch_kpi_bucket_timestamp_seconds"
INCIDENT_OPEN = "streamwatch_incident_open"
INCIDENT_SINCE = "streamwatch_incident_since_timestamp_seconds"
NEXT_EXPECTED = "streamwatch_next_expected_timestamp_seconds"
INCIDENT_ORIGIN = "streamwatch_incident_origin_info"


class Measure(msgspec.Struct, frozen=True):
    """How a kind of KPI is exported.

    Attributes:
        value, expected, lower, upper: names of the gauges.
        help: what is measured, in words.
        divisor: from streamwatch's own unit to the base unit, 100 from cm to m.
        personal: whether the mean of a few people says too much about one of them.
        unit: the unit in a word; empty for prices, whose unit is the label ``currency``.
    """

    value: str
    expected: str
    lower: str
    upper: str
    help: str
    divisor: float = 1.0
    personal: bool = False
    unit: str = ""


def _measure(
    stem: str, unit: str, what: str, *, divisor: float = 1.0, personal: bool = False
) -> Measure:
    name, end = f"streamwatch_{stem}", f"_{unit}" if unit else ""
    return Measure(
        value=f"{name}{end}",
        expected=f"{name}_expected{end}",
        lower=f"{name}_lower{end}",
        upper=f"{name}_upper{end}",
        help=what,
        divisor=divisor,
        personal=personal,
        unit=unit,
    )


_PRICE = "mean.price."
PRICE_MEASURE = _measure("mean_price", "", "Mean price of one piece, in the label's currency")

MEASURES: dict[str, Measure] = {
    "volume": _measure("volume", "events", "Events counted"),
    "mean.height": _measure(
        "mean_height", "meters", "Mean height of the shoppers", divisor=100.0, personal=True
    ),
    "mean.weight": _measure(
        "mean_weight", "kilograms", "Mean weight of the shoppers", personal=True
    ),
    "mean.age": _measure("mean_age", "years", "Mean age of the shoppers", personal=True),
    "mean.quantity": _measure("mean_quantity", "pieces", "Mean number of pieces in a record"),
    "silence": _measure("silence", "seconds", "Time without a record", divisor=1 / 3600),
}

SHARES: dict[str, Measure] = {
    "missing": _measure("missing", "ratio", "Share of records that lack the field"),
    "rejects": _measure("rejects", "ratio", "Share of records refused"),
    "marks": _measure("marks", "ratio", "Share of records that a rule marks"),
    "ratio": _measure("kpi", "ratio", "Ratio of two event types"),
}
"""First part of a KPI's name → its measure, for KPIs that are shares (``missing.height``)."""


def measure_of(kpi: str) -> tuple[Measure | None, str]:
    """The gauges of a KPI and its currency; a KPI of another kind has a score only.

    >>> measure_of("mean.height")[0].value
    'streamwatch_mean_height_meters'
    >>> measure_of("mean.price.EUR")[1]
    'EUR'
    >>> measure_of("missing.height")[0].value
    'streamwatch_missing_ratio'
    """
    if kpi.startswith(_PRICE):
        return PRICE_MEASURE, kpi[len(_PRICE) :]
    return MEASURES.get(kpi) or SHARES.get(kpi.partition(".")[0]), ""


def _helps() -> dict[str, str]:
    helps = {
        DEVIATION: "How far the newest judged bucket is from what was expected, in standard "
        "deviations; below zero is lower. Not there while the KPI is warming up.",
        UNUSUAL: "1 when the newest judged bucket is outside of its own normal, else 0.",
        WARMING: "1 while too little is known of the KPI to judge it, else 0.",
        BUCKET: "Start of the newest judged bucket.",
    }
    for measure in (*MEASURES.values(), PRICE_MEASURE, *SHARES.values()):
        helps[measure.value] = f"{measure.help}, in the newest judged bucket."
        helps[measure.expected] = f"{measure.help}: what was expected of that bucket."
        helps[measure.lower] = f"{measure.help}: lower end of what is usual."
        helps[measure.upper] = f"{measure.help}: upper end of what is usual."
    helps[INCIDENT_OPEN] = (
        "1 while an incident of the KPI in this direction is open and no other incident stands "
        "for it, else 0."
    )
    helps[INCIDENT_SINCE] = "Start of the first unusual bucket of the open incident."
    helps[INCIDENT_ORIGIN] = (
        "Always 1; where the departure of the open incident came in: client, the name of a "
        "stage, or undetermined. covered is fleet or shop when another incident stands for it."
    )
    helps[NEXT_EXPECTED] = (
        "Moment by which the next record of the shop and event type must arrive, by its own "
        "cadence; after it the shop is silent."
    )
    return helps


HELPS: dict[str, str] = _helps()
"""Gauge → its help text, in the order in which they are written."""
