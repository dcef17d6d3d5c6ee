"""The dashboard of the pipeline: what becomes of the records, stage by stage."""

from streamwatch.rules.alert import Tree
from streamwatch.rules.dashboards.panels import Panel, dashboard, quantile
from streamwatch.rules.recording import LAG, ORIGIN, OUTCOMES


def pipeline() -> Tree:
    """The dashboard ``streamwatch-pipeline``."""
    panels = [
        Panel("Records by what became of them", {"{{topic}} {{outcome}}": OUTCOMES}, unit="cps"),
        Panel(
            "Refused, by stage and reason",
            {
                "{{topic}} {{stage}} {{reason}} {{field}}": (
                    "sum by (topic, stage, reason, field) (rate(streamwatch_rejects_total[5m]))"
                )
            },
            unit="cps",
            nothing="no record was refused since the workers started",
        ),
        Panel("Records behind", {"{{step}} {{topic}}": LAG}),
        Panel(
            "Time of a slice, 99 of 100 below",
            {"{{step}}": quantile("streamwatch_slice_duration_seconds_bucket")},
            unit="s",
        ),
        Panel(
            "Slices waiting",
            {"{{topic}}": "sum by (topic) (streamwatch_slices_waiting)"},
            words="Fetched and not yet taken in; at its limit, fetching pauses.",
        ),
        Panel(
            "Rows of taps",
            {
                "{{tap}} after {{stage}}": (
                    "sum by (tap, stage) (rate(streamwatch_tap_rows_written_total[5m]))"
                ),
                "shed: {{tap}} after {{stage}}": (
                    "sum by (tap, stage) (rate(streamwatch_tap_rows_shed_total[5m])) > 0"
                ),
            },
            unit="cps",
            nothing="no tap took a row since the workers started",
        ),
        Panel(
            "Departures by origin",
            {"{{origin}}": f'count by (origin) ({ORIGIN}{{segment="all"}})'},
            nothing="no incident is open",
        ),
    ]
    return dashboard("streamwatch-pipeline", "streamwatch: pipeline stages", panels, [])
