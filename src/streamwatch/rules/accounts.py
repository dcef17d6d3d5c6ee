"""Alerts on the accounting: records are lost, missing or not readable."""

from streamwatch.rules.alert import Alert, Example
from streamwatch.rules.examples import selector
from streamwatch.rules.platform import (
    SOURCE,
    platform_alert,
    wrong_when_it_grows,
    wrong_while_zero,
)
from streamwatch.rules.recording import OUTCOMES

_PARTITION = "{{ $labels.topic }}[{{ $labels.partition }}]"


def accounting_alerts() -> list[Alert]:
    """All of them, the most urgent first."""
    return [_unbalanced(), _gaps(), _dead_letters()]


def _unbalanced() -> Alert:
    return wrong_while_zero(
        "StreamwatchAccountingUnbalanced",
        "page",
        "streamwatch_accounting_balanced",
        (
            f"Records of {_PARTITION} are not accounted for",
            (
                f"The records of {_PARTITION} do not add up: some were lost or counted twice, "
                "which is a bug in streamwatch. Its numbers are not to be trusted until it is "
                "found."
            ),
        ),
        labels=SOURCE,
        hold="1m",
    )


def _gaps() -> Alert:
    metric = "streamwatch_gaps_total"
    return wrong_when_it_grows(
        "StreamwatchGaps",
        "ticket",
        f"increase({metric}[15m]) > 0",
        (
            f"Offsets are missing in {_PARTITION}",
            (
                f"Kafka does not have some offsets of {_PARTITION} any more. Without compaction "
                "and transactions, records were deleted before they were read."
            ),
        ),
        metric,
        SOURCE,
        told=SOURCE,
    )


def _dead_letters() -> Alert:
    return platform_alert(
        "StreamwatchDeadLetters",
        "ticket",
        f'{OUTCOMES}{{outcome="dead_lettered"}}\n'
        f"  / on (topic) group_left sum by (topic) ({OUTCOMES}) > 0.01",
        (
            "More than 1% of {{ $labels.topic }} cannot be read",
            (
                "More than one in a hundred records of {{ $labels.topic }} is not readable at "
                "all and lies in {{ $labels.topic }}.dlq. Somebody sends another format."
            ),
        ),
        (
            Example(_outcomes("0+98x60"), {"topic": "purchase", "outcome": "dead_lettered"}),
            _outcomes("0+998x60"),
        ),
        hold="5m",
    )


def _outcomes(aggregated: str) -> dict[str, str]:
    """Two dead letters a minute beside so many records that can be read."""
    counts = {"dead_lettered": "0+2x60", "aggregated": aggregated}
    return {
        "streamwatch_records_total" + selector(SOURCE | {"outcome": outcome}): values
        for outcome, values in counts.items()
    }
