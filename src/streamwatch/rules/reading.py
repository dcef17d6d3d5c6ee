"""Alerts on reading the topics: records wait, or nobody reads them."""

from streamwatch.domain.alerting_settings import AlertingSettings
from streamwatch.rules.alert import Alert, Example
from streamwatch.rules.examples import STEADY, selector
from streamwatch.rules.platform import SOURCE, platform_alert
from streamwatch.rules.recording import LAG, PARTITIONS

_PLACE = SOURCE | {"step": "count"}
_TOPIC = {"step": "count", "topic": "purchase"}
_LAG = "streamwatch_consumer_lag_records" + selector(_PLACE)
_FENCE = "streamwatch_fence_offset" + selector(_PLACE)
_OTHER_FENCE = "streamwatch_fence_offset" + selector(_PLACE | {"partition": "4"})


def reading_alerts(settings: AlertingSettings) -> list[Alert]:
    """All of them, the most urgent first."""
    return [_lag_grows(settings.lag), _stands_still(), _partition_unread()]


def _lag_grows(most: int) -> Alert:
    words = (
        " records behind on purchase, and it does not become less. Verdicts come late by as much. "
        "Add workers, or find what made it slow."
    )
    return platform_alert(
        "StreamwatchLagGrows",
        "page",
        f"{LAG} > {most}\nand delta({LAG}[10m]) >= 0",
        (
            "{{ $labels.step }} does not keep up with {{ $labels.topic }}",
            "{{ $labels.step }} is {{ $value | humanize }}"
            + words.replace("purchase", "{{ $labels.topic }}"),
        ),
        (
            Example(
                {_LAG: f"{most + 1}{STEADY}"},
                _TOPIC,
                description=f"count is {_humanized(most + 1)}{words}",
            ),
            {_LAG: f"{(most + 1) * 100}-1x60"},
        ),
        hold="5m",
    )


def _stands_still() -> Alert:
    partition = "{{ $labels.topic }}[{{ $labels.partition }}]"
    return platform_alert(
        "StreamwatchStandsStill",
        "page",
        # A partition that was taken over less than five minutes ago has not stood still for five.
        "streamwatch_consumer_lag_records > 0\nand changes(streamwatch_fence_offset[5m]) == 0\n"
        "and streamwatch_fence_offset offset 5m",
        (
            f"{{{{ $labels.step }}}} stands still on {partition}",
            (
                f"Records wait in {partition}, and {{{{ $labels.step }}}} has taken none in "
                "for five minutes. Shops that send through it seem silent and are not."
            ),
        ),
        (
            Example({_LAG: f"7{STEADY}", _FENCE: f"5{STEADY}"}, _PLACE),
            {_LAG: f"7{STEADY}", _FENCE: "0+1x60"},
        ),
        hold="2m",
    )


def _partition_unread() -> Alert:
    return platform_alert(
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
            Example({_FENCE: "0+1x60", _OTHER_FENCE: "0+1x20"}, _TOPIC, minutes=45),
            {_FENCE: "0+1x60", _OTHER_FENCE: "0+1x60"},
        ),
        hold="5m",
    )


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
