"""Alerts on reading the topics: lag, partitions that stand still, records that do not add up."""

from streamwatch.domain.alerting_settings import AlertingSettings
from streamwatch.rules.alert import Alert, Example
from streamwatch.rules.examples import STEADY
from streamwatch.rules.platform import GROWS, SOURCE, SOURCE_SERIES, platform_alert
from streamwatch.rules.recording import LAG, OUTCOMES, PARTITIONS


def reading_alerts(settings: AlertingSettings) -> list[Alert]:
    """Records wait, or nobody reads them."""
    lag = f'streamwatch_consumer_lag_records{{{SOURCE_SERIES},step="count"}}'
    fence = f'streamwatch_fence_offset{{{SOURCE_SERIES},step="count"}}'
    other = fence.replace('partition="3"', 'partition="4"')
    high = int(settings.lag) + 1
    partition = "{{ $labels.topic }}[{{ $labels.partition }}]"
    return [
        platform_alert(
            "StreamwatchLagGrows",
            "page",
            f"{LAG} > {settings.lag}\nand delta({LAG}[10m]) >= 0",
            (
                "{{ $labels.step }} does not keep up with {{ $labels.topic }}",
                (
                    "{{ $labels.step }} is {{ $value | humanize }} records behind on "
                    "{{ $labels.topic }}, and it does not become less. Verdicts come late by as "
                    "much. Add workers, or find what made it slow."
                ),
            ),
            (
                Example(
                    {lag: f"{high}{STEADY}"},
                    {"step": "count", "topic": "purchase"},
                    description=(
                        f"count is {_humanized(high)} records behind on purchase, and it does not "
                        "become less. Verdicts come late by as much. Add workers, or find what "
                        "made it slow."
                    ),
                ),
                {lag: f"{high * 100}-1x60"},
            ),
            hold="5m",
        ),
        platform_alert(
            "StreamwatchStandsStill",
            "page",
            "streamwatch_consumer_lag_records > 0\nand changes(streamwatch_fence_offset[5m]) == 0",
            (
                f"{{{{ $labels.step }}}} stands still on {partition}",
                (
                    f"Records wait in {partition}, and {{{{ $labels.step }}}} has taken none in "
                    "for five minutes. Shops that send through it seem silent and are not."
                ),
            ),
            (
                Example({lag: f"7{STEADY}", fence: f"5{STEADY}"}, SOURCE | {"step": "count"}),
                {lag: f"7{STEADY}", fence: "0+1x60"},
            ),
            hold="2m",
        ),
        platform_alert(
            "StreamwatchPartitionUnread",
            "page",
            f"{PARTITIONS} < {PARTITIONS} offset 30m",
            (
                "Nobody reads some partitions of {{ $labels.topic }}",
                (
                    "{{ $labels.step }} reads fewer partitions of {{ $labels.topic }} than half an "
                    "hour ago. What comes in there is not judged."
                ),
            ),
            (
                Example(
                    {fence: "0+1x60", other: "0+1x20"},
                    {"step": "count", "topic": "purchase"},
                    minutes=45,
                ),
                {fence: "0+1x60", other: "0+1x60"},
            ),
            hold="5m",
        ),
    ]


def accounting_alerts() -> list[Alert]:
    """Records are lost, missing or not readable."""
    balanced = f"streamwatch_accounting_balanced{{{SOURCE_SERIES}}}"
    gaps = f"streamwatch_gaps_total{{{SOURCE_SERIES}}}"
    records = f"streamwatch_records_total{{{SOURCE_SERIES},outcome="
    partition = "{{ $labels.topic }}[{{ $labels.partition }}]"
    return [
        platform_alert(
            "StreamwatchAccountingUnbalanced",
            "page",
            "streamwatch_accounting_balanced == 0",
            (
                f"Records of {partition} are not accounted for",
                (
                    f"The records of {partition} do not add up: some were lost or counted twice, "
                    "which is a bug in streamwatch. Its numbers are not to be trusted until it is "
                    "found."
                ),
            ),
            (Example({balanced: f"0{STEADY}"}, SOURCE), {balanced: f"1{STEADY}"}),
            hold="1m",
        ),
        platform_alert(
            "StreamwatchGaps",
            "ticket",
            "increase(streamwatch_gaps_total[15m]) > 0",
            (
                f"Offsets are missing in {partition}",
                (
                    f"Kafka does not have some offsets of {partition} any more. Without compaction "
                    "and transactions, records were deleted before they were read."
                ),
            ),
            (Example({gaps: GROWS}, SOURCE), {gaps: f"5{STEADY}"}),
        ),
        platform_alert(
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
                Example(
                    {
                        f'{records}"dead_lettered"}}': "0+2x60",
                        f'{records}"aggregated"}}': "0+98x60",
                    },
                    {"topic": "purchase", "outcome": "dead_lettered"},
                ),
                {f'{records}"dead_lettered"}}': "0+2x60", f'{records}"aggregated"}}': "0+998x60"},
            ),
            hold="5m",
        ),
    ]


def _humanized(value: float) -> str:
    """A number as Prometheus's ``humanize`` writes it.

    >>> _humanized(50_001)
    '50k'
    """
    units = ("", "k", "M", "G", "T")
    power = 0
    while abs(value) >= 1000 and power < len(units) - 1:  # noqa: PLR2004
        value /= 1000
        power += 1
    return f"{value:.4g}{units[power]}"
