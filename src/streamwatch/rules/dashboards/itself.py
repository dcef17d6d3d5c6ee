"""The dashboard of streamwatch itself: workers, database, and whether its numbers add up."""

from streamwatch.rules.alert import Tree
from streamwatch.rules.dashboards.panels import Panel, dashboard, quantile
from streamwatch.rules.platform import JOB
from streamwatch.rules.recording import LAG


def itself() -> Tree:
    """The dashboard ``streamwatch-itself``."""
    return dashboard(
        "streamwatch-itself", "streamwatch: itself", [*_states(), *_over_time(), _versions()], []
    )


def _states() -> list[Panel]:
    queries = {
        "Workers": f'sum(up{{job="{JOB}"}})',
        "Ready": "sum(streamwatch_ready)",
        "Database answers": "min(streamwatch_database_up)",
        "Adds up": "min(streamwatch_accounting_balanced)",
        "Partitions loading": "sum(streamwatch_partitions_loading)",
        "Series over the budget": "sum(streamwatch_series_over_budget)",
    }
    return [Panel(name, {"": expr}, "stat", width=4, height=4) for name, expr in queries.items()]


def _over_time() -> list[Panel]:
    return [
        Panel("Records behind", {"{{step}} {{topic}}": LAG}),
        Panel(
            "Read up to, behind the clock",
            {
                "{{step}} {{topic}}": (
                    "time() - min by (step, topic) (streamwatch_partition_clock_timestamp_seconds)"
                )
            },
            unit="s",
        ),
        Panel(
            "Time of a flush, 99 of 100 below",
            {"{{step}}": quantile("streamwatch_flush_duration_seconds_bucket")},
            unit="s",
        ),
        Panel(
            "Rows written",
            {"{{step}} {{kind}}": "sum by (step, kind) (rate(streamwatch_rows_written_total[5m]))"},
            unit="cps",
        ),
        Panel(
            "Messages published",
            {"{{step}}": "sum by (step) (rate(streamwatch_messages_published_total[5m]))"},
            unit="cps",
        ),
        Panel(
            "Posts to the webhook",
            {"{{outcome}}": "sum by (outcome) (rate(streamwatch_webhook_posts_total[5m]))"},
            unit="cps",
        ),
        Panel(
            "Heartbeats, seconds ago",
            {"{{instance}}": "time() - streamwatch_heartbeat_timestamp_seconds"},
            unit="s",
        ),
    ]


def _versions() -> Panel:
    return Panel(
        "Versions",
        {"workers": "count by (version, python, faust) (streamwatch_build_info)"},
        "table",
    )
