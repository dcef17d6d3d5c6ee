"""Alerts on what streamwatch gives: tap rows, series, posts; and that alerting works at all."""

from streamwatch.rules.alert import Alert, Example
from streamwatch.rules.examples import STEADY
from streamwatch.rules.platform import GROWS, INSTANCE, ONE, platform_alert


def output_alerts() -> list[Alert]:
    """Something is left out, or does not arrive."""
    dropped = f"streamwatch_series_dropped{{{ONE}}}"
    tap = {"event_type": "purchase", "stage": "normalise", "tap": "purchases"}
    shed = "streamwatch_tap_rows_shed_total{" + ONE
    shed += ',event_type="purchase",stage="normalise",tap="purchases"}'
    failed = f'streamwatch_webhook_posts_total{{{ONE},outcome="failed"}}'
    return [
        platform_alert(
            "StreamwatchTapsShed",
            "ticket",
            "sum by (event_type, stage, tap) (increase(streamwatch_tap_rows_shed_total[15m])) > 0",
            (
                "The tap {{ $labels.tap }} leaves rows out",
                (
                    "The tap {{ $labels.tap }} after {{ $labels.stage }} leaves rows out, since "
                    "the database is slow. Its tables are a smaller sample than they seem; alerts "
                    "are not touched by it."
                ),
            ),
            (Example({shed: GROWS}, tap), {shed: f"5{STEADY}"}),
        ),
        platform_alert(
            "StreamwatchTapsWrong",
            "ticket",
            "streamwatch_taps_right == 0",
            (
                "The worker {{ $labels.instance }} does not take the taps as they are now",
                (
                    "A file of the tap configuration is wrong, so that the worker "
                    "{{ $labels.instance }} goes on with the taps from before the change. Its log "
                    "names file and line."
                ),
            ),
            (
                Example({f"streamwatch_taps_right{{{ONE}}}": f"0{STEADY}"}, INSTANCE),
                {f"streamwatch_taps_right{{{ONE}}}": f"1{STEADY}"},
            ),
            hold="5m",
        ),
        platform_alert(
            "StreamwatchSeriesDropped",
            "ticket",
            "streamwatch_series_dropped > 0",
            (
                "The worker {{ $labels.instance }} does not export all shops",
                (
                    "The worker {{ $labels.instance }} has more series than its budget and leaves "
                    "some out. Shops with an open incident come first, so no alert is lost yet. "
                    "Add workers, or watch fewer segments."
                ),
            ),
            (Example({dropped: f"12{STEADY}"}, INSTANCE), {dropped: f"0{STEADY}"}),
            hold="10m",
        ),
        platform_alert(
            "StreamwatchWebhookFails",
            "ticket",
            'increase(streamwatch_webhook_posts_total{outcome="failed"}[15m]) > 0',
            (
                "The webhook does not take incidents",
                (
                    "Posts of incidents by {{ $labels.instance }} fail. They are tried again, and "
                    "the incidents stand in the database and on the alert topic."
                ),
            ),
            (
                Example({failed: GROWS}, INSTANCE | {"outcome": "failed"}),
                {failed: f"5{STEADY}"},
            ),
            hold="5m",
        ),
    ]


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
