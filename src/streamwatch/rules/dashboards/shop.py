"""The dashboard of one shop: each measure with its band."""

from streamwatch.domain.gauges import (
    DEVIATION,
    MEASURES,
    NEXT_EXPECTED,
    PRICE_MEASURE,
    SHARES,
    WARMING,
    Measure,
)
from streamwatch.rules.alert import Tree
from streamwatch.rules.dashboards.panels import EVENT_TYPE, KPI, Choice, Panel, dashboard
from streamwatch.rules.recording import OPEN

_SHOP = 'shop="$shop",event_type=~"$event_type",kpi=~"$kpi",segment="all"'
_UNITS = {"meters": "lengthm", "kilograms": "masskg", "seconds": "s", "ratio": "percentunit"}
_BY = "max by (event_type, kpi, span)"


def shop() -> Tree:
    """The dashboard ``streamwatch-shop``."""
    panels = [
        Panel(
            "Distance from normal, standard deviations",
            {"{{event_type}} {{kpi}} ({{span}})": f"{_BY} ({DEVIATION}{{{_SHOP}}})"},
        ),
        Panel(
            "Incidents",
            {"{{event_type}} {{kpi}} {{direction}} ({{span}})": f"{OPEN}{{{_SHOP}}}"},
            words="1 while one is open for which no other incident stands.",
        ),
        *(_band(name, measure) for name, measure in MEASURES.items()),
        _band("mean.price", PRICE_MEASURE),
        *(_band(name, measure) for name, measure in SHARES.items()),
        Panel(
            "Next record expected by",
            {"{{event_type}}": f'max by (event_type) ({NEXT_EXPECTED}{{shop="$shop"}}) * 1000'},
            "stat",
            unit="dateTimeAsIso",
            words="By the shop's own cadence; after it the shop is silent.",
            nothing="the cadence is not known yet, or the shop is silent",
        ),
        Panel(
            "Warming up",
            {"{{event_type}} {{kpi}} ({{span}})": f"{_BY} ({WARMING}{{{_SHOP}}}) == 1"},
            words="Too little is known of these KPIs yet to judge them.",
            nothing="every KPI is judged",
        ),
    ]
    choices = [
        Choice("shop", "label_values(streamwatch_incident_open, shop)", with_all=False),
        EVENT_TYPE,
        KPI,
    ]
    return dashboard("streamwatch-shop", "streamwatch: one shop", panels, choices)


def _band(name: str, measure: Measure) -> Panel:
    parts = {
        "value": measure.value,
        "expected": measure.expected,
        "lower": measure.lower,
        "upper": measure.upper,
    }
    is_price = measure is PRICE_MEASURE
    by = "max by (event_type, kpi, span, currency)" if is_price else _BY
    currency = " {{currency}}" if is_price else ""
    return Panel(
        title=f"{name}: {measure.unit or 'in its currency'}, with its band",
        queries={
            f"{part} {{{{event_type}}}}{currency} {{{{kpi}}}} ({{{{span}}}})": (
                f"{by} ({gauge}{{{_SHOP}}})"
            )
            for part, gauge in parts.items()
        },
        unit=_UNITS.get(measure.unit, "short"),
        nothing="not judged in this shop",
        is_band=True,
    )
