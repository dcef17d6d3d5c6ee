"""What all alerts on streamwatch itself share."""

from streamwatch.rules.alert import PLATFORM, Alert, Example, Severity
from streamwatch.rules.examples import STEADY, selector

JOB = "streamwatch"
"""The name of the scrape job."""

INSTANCE = {"instance": "one:9464", "job": JOB}
"""Labels of one worker's series, in the examples."""

SOURCE = {**INSTANCE, "topic": "purchase", "partition": "3"}
"""Labels of a source partition's series."""

GROWS, STANDS = "100+20x60", f"5{STEADY}"
"""A counter that grows, and one that does not."""


def platform_alert(
    name: str,
    severity: Severity,
    expr: str,
    words: tuple[str, str],
    examples: tuple[Example, dict[str, str]],
    hold: str = "2m",
) -> Alert:
    """An alert with the origin ``platform``.

    Args:
        name: as in `Alert`.
        severity: as in `Alert`.
        expr: as in `Alert`.
        words: summary and description.
        examples: one that fires, and series that keep quiet.
        hold: as in `Alert`.
    """
    return Alert(
        name=name,
        expr=expr,
        severity=severity,
        summary=words[0],
        description=words[1],
        dashboard="/d/streamwatch-itself",
        fires=examples[0],
        quiet=examples[1],
        hold=hold,
        labels={"origin": PLATFORM},
    )


def wrong_while_zero(
    name: str,
    severity: Severity,
    metric: str,
    words: tuple[str, str],
    labels: dict[str, str] = INSTANCE,
    hold: str = "2m",
) -> Alert:
    """An alert on a gauge that is 1 while all is well."""
    series = metric + selector(labels)
    examples = Example({series: f"0{STEADY}"}, labels), {series: f"1{STEADY}"}
    return platform_alert(name, severity, f"{metric} == 0", words, examples, hold)


def wrong_when_it_grows(
    name: str,
    severity: Severity,
    expr: str,
    words: tuple[str, str],
    metric: str,
    labels: dict[str, str],
    told: dict[str, str],
    hold: str = "2m",
) -> Alert:
    """An alert on a counter that stands still while all is well.

    The counter's series in the examples is that of ``metric`` and ``labels``; ``told`` are the
    labels of the alert.
    """
    series = metric + selector(labels)
    examples = Example({series: GROWS}, told), {series: STANDS}
    return platform_alert(name, severity, expr, words, examples, hold)
