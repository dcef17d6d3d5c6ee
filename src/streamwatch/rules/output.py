"""Alerts on what streamwatch gives: tap rows, series, posts; and that alerting works at all."""

from streamwatch.rules.alert import Alert, Example
from streamwatch.rules.examples import STEADY
from streamwatch.rules.platform import (
    INSTANCE,
    platform_alert,
    wrong_when_it_grows,
    wrong_while_zero,
)

_TAP = {"event_type": "purchase", "stage": "normalise", "tap": "purchases"}


def output_alerts() -> list[Alert]:
    """Something is left out, or does not arrive."""
    return [_taps_shed(), _taps_wrong(), _series_dropped(), _webhook_fails()]


def _taps_shed() -> Alert:
    metric = "streamwatch_tap_rows_shed_total"
    return wrong_when_it_grows(
        "StreamwatchTapsShed",
        "ticket",
        f"sum by (event_type, stage, tap) (increase({metric}[15m])) > 0",
        (
            "The tap {{ $labels.tap }} leaves rows out",
            (
                "The tap {{ $labels.tap }} after {{ $labels.stage }} leaves rows out, since "
                "the database is slow. Its tables are a smaller sample than they seem; alerts "
                "are not touched by it."
            ),
        ),
        metric,
        INSTANCE | _TAP,
        told=_TAP,
    )


def _taps_wrong() -> Alert:
    return wrong_while_zero(
        "StreamwatchTapsWrong",
        "ticket",
        "streamwatch_taps_right",
        (
            "The worker {{ $labels.instance }} does not take the taps as they are now",
            (
                "A file of the tap configuration is wrong, so that the worker "
                "{{ $labels.instance }} goes on with the taps from before the change. Its log "
                "names file and line."
            ),
        ),
        hold="5m",
    )


def _series_dropped() -> Alert:
    metric = "streamwatch_series_dropped_total"
    return wrong_when_it_grows(
        "StreamwatchSeriesDropped",
        "ticket",
        f"increase({metric}[15m]) > 0",
        (
            "The worker {{ $labels.instance }} does not export all shops",
            (
                "The worker {{ $labels.instance }} has more series than its budget and leaves "
                "some out. Shops with an open incident come first, so no alert is lost yet. "
                "Add workers, or watch fewer segments."
            ),
        ),
        metric,
        INSTANCE,
        told=INSTANCE,
        hold="10m",
    )


def _webhook_fails() -> Alert:
    metric, failed = "streamwatch_webhook_posts_total", INSTANCE | {"outcome": "failed"}
    return wrong_when_it_grows(
        "StreamwatchWebhookFails",
        "ticket",
        f'increase({metric}{{outcome="failed"}}[15m]) > 0',
        (
            "The webhook does not take incidents",
            (
                "Posts of incidents by {{ $labels.instance }} fail. They are tried again, and "
                "the incidents stand in the database and on the alert topic."
            ),
        ),
        metric,
        failed,
        told=failed,
        hold="5m",
    )


def watchdog() -> Alert:
    """The alert that always fires."""
    return platform_alert(
        "StreamwatchWatchdog",
        "none",
        "vector(1)",
        (
            "Alerting works",
            (
                "This alert always fires. When whoever waits for it hears nothing, then "
                "Prometheus, Alertmanager or the way between them is broken."
            ),
        ),
        (Example({"something": f"1{STEADY}"}), {}),
        hold="0s",
    )
