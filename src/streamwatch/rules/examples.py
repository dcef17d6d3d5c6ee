"""Series of one incident, for the examples that the tests of alerts run."""

from streamwatch.domain.gauges import INCIDENT_OPEN, INCIDENT_ORIGIN, INCIDENT_SINCE, Measure

STEADY = "x60"
SINCE_SECONDS = 1_790_000_000
SINCE_WORDS = "2026-09-21 14:13:20 +0000 UTC"


def labels(kpi: str, event_type: str, direction: str, segment: str = "all") -> dict[str, str]:
    """The labels of an incident of ``shop-017``."""
    return {
        "shop": "shop-017",
        "event_type": event_type,
        "kpi": kpi,
        "segment": segment,
        "span": "day",
        "direction": direction,
    }


def selector(named: dict[str, str], *without: str) -> str:
    """Labels between braces.

    >>> selector({"shop": "a", "kpi": "volume"}, "kpi")
    '{shop="a"}'
    """
    inner = ",".join(f'{name}="{value}"' for name, value in named.items() if name not in without)
    return f"{{{inner}}}"


def incident(
    named: dict[str, str], *, is_open: bool = True, origin: str = "undetermined", covered: str = ""
) -> dict[str, str]:
    """An incident on the worker that runs FLEET, and the zero of one that judges."""
    fleet = named | {"instance": "one:9464"}
    stands = is_open and not covered
    series = {
        INCIDENT_OPEN + selector(fleet): f"{int(stands)}{STEADY}",
        INCIDENT_OPEN + selector(named | {"instance": "two:9464"}): f"0{STEADY}",
    }
    if stands:
        series[INCIDENT_SINCE + selector(fleet)] = f"{SINCE_SECONDS}{STEADY}"
    if is_open:
        told = fleet | {"origin": origin, "covered": covered}
        series[INCIDENT_ORIGIN + selector(told)] = f"1{STEADY}"
    return series


def verdict(
    named: dict[str, str], measure: Measure | None, score: float, values: tuple[float, ...] = ()
) -> dict[str, str]:
    """The series of a verdict: score, then value, expected, lower and upper end."""
    place = selector(named, "direction")
    series = {f"streamwatch_kpi_deviation_score{place}": f"{score}{STEADY}"}
    if measure is not None:
        gauges = (measure.value, measure.expected, measure.lower, measure.upper)
        for gauge, value in zip(gauges, values, strict=True):
            series[gauge + place] = f"{value}{STEADY}"
    return series
