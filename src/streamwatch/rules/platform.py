"""What all alerts on streamwatch itself share."""

from streamwatch.rules.alert import PLATFORM, Alert, Example, Severity

JOB = "streamwatch"
"""The name of the scrape job."""

ONE = f'instance="one:9464",job="{JOB}"'
"""Labels of one worker's series, in the examples."""

INSTANCE = {"instance": "one:9464", "job": JOB}
SOURCE = {**INSTANCE, "topic": "purchase", "partition": "3"}
SOURCE_SERIES = f'{ONE},topic="purchase",partition="3"'
GROWS = "100+20x60"


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
