"""The files of Grafana: data source, dashboards, and where they lie."""

from streamwatch.domain.gauges import MEASURES, NEXT_EXPECTED, PRICE_MEASURE, SHARES, Measure
from streamwatch.domain.settings import Settings
from streamwatch.rules.alert import Tree
from streamwatch.rules.panels import Choice, Panel, dashboard
from streamwatch.rules.recording import DEPARTED, LAG, OPEN, ORIGIN, OUTCOMES, SHOPS, SHOPS_ONLY

FOLDER = "/var/lib/grafana/dashboards/streamwatch"
"""Where Grafana's container or host has the folder ``dashboards``."""

_SHOP = 'shop="$shop",event_type=~"$event_type",kpi=~"$kpi",segment="all"'
_FLEET = 'event_type=~"$event_type",kpi=~"$kpi",segment="all"'
_UNITS = {"meters": "lengthm", "kilograms": "masskg", "seconds": "s", "ratio": "percentunit"}
_MEASURED = "max by (event_type, kpi, span)"
_EVENT_TYPE = Choice("event_type", "label_values(streamwatch_incident_open, event_type)")
_KPI = Choice("kpi", "label_values(streamwatch_incident_open, kpi)")


def grafana_files(settings: Settings) -> dict[str, Tree]:
    """File name → its content; the dashboards are JSON, the provisioning is YAML."""
    return {
        "provisioning/datasources/streamwatch.yaml": _data_source(settings.alerting.prometheus),
        "provisioning/dashboards/streamwatch.yaml": _provider(),
        "dashboards/fleet.json": _fleet(),
        "dashboards/shop.json": _shop(),
        "dashboards/pipeline.json": _pipeline(),
        "dashboards/itself.json": _itself(),
    }


def _data_source(address: str) -> Tree:
    return {
        "apiVersion": 1,
        "datasources": [
            {
                "name": "streamwatch",
                "uid": "streamwatch",
                "type": "prometheus",
                "access": "proxy",
                "url": address,
                "editable": False,
            }
        ],
    }


def _provider() -> Tree:
    return {
        "apiVersion": 1,
        "providers": [
            {
                "name": "streamwatch",
                "folder": "streamwatch",
                "type": "file",
                "disableDeletion": True,
                "allowUiUpdates": False,
                "options": {"path": FOLDER},
            }
        ],
    }


def _fleet() -> Tree:
    score = "max without (instance, pod) (abs(streamwatch_kpi_deviation_score{" + _FLEET + "}))"
    panels = [
        Panel("Open incidents", {"": f"sum({OPEN}) or vector(0)"}, "stat", width=6, height=4),
        Panel(
            "Shops with one",
            {"": f"count(max by (shop) ({OPEN}{{{SHOPS_ONLY}}}) == 1) or vector(0)"},
            "stat",
            width=6,
            height=4,
        ),
        Panel("Shops judged", {"": f"max({SHOPS}) or vector(0)"}, "stat", width=6, height=4),
        Panel(
            "Pipeline alerts",
            {"": 'count(ALERTS{alertname="PipelineDeparture",alertstate="firing"}) or vector(0)'},
            "stat",
            width=6,
            height=4,
        ),
        Panel(
            "Open incidents, the worst first",
            {
                "standard deviations": (
                    f"sort_desc({score} * on (shop, event_type, kpi, segment, span) "
                    f"group_right () ({ORIGIN}{{{_FLEET}}}))"
                )
            },
            "table",
            width=24,
            height=10,
            words="Origin is the stage where the departure came in, client, or undetermined.",
        ),
        Panel(
            "Shops that depart, by KPI",
            {
                "{{event_type}} {{kpi}} {{direction}} ({{span}})": (
                    f'{DEPARTED}{{event_type=~"$event_type",kpi=~"$kpi"}} > 0'
                )
            },
            words="A line that jumps up is the pipeline rather than a shop.",
        ),
        Panel(
            "Farthest from normal",
            {"{{shop}} {{event_type}} {{kpi}}": f"topk(20, {score})"},
            "bargauge",
            words="Standard deviations of the newest judged bucket, unusual or not.",
        ),
    ]
    return dashboard("streamwatch-fleet", "streamwatch: fleet", panels, [_EVENT_TYPE, _KPI])


def _shop() -> Tree:
    panels = [
        Panel(
            "Distance from normal, standard deviations",
            {
                "{{event_type}} {{kpi}} ({{span}})": (
                    f"{_MEASURED} (streamwatch_kpi_deviation_score{{{_SHOP}}})"
                )
            },
        ),
        Panel(
            "Incidents",
            {"{{event_type}} {{kpi}} {{direction}} ({{span}})": f"{OPEN}{{{_SHOP}}} == 1"},
        ),
    ]
    panels += [_band(name, measure) for name, measure in MEASURES.items()]
    panels.append(_band("mean.price", PRICE_MEASURE))
    panels += [_band(name, measure) for name, measure in SHARES.items()]
    panels.append(
        Panel(
            "Next record expected by",
            {"{{event_type}}": f'max by (event_type) ({NEXT_EXPECTED}{{shop="$shop"}}) * 1000'},
            "stat",
            unit="dateTimeAsIso",
            words="By the shop's own cadence; after it the shop is silent.",
        )
    )
    panels.append(
        Panel(
            "Warming up",
            {
                "{{event_type}} {{kpi}} ({{span}})": (
                    f"{_MEASURED} (streamwatch_kpi_warming{{{_SHOP}}}) == 1"
                )
            },
            words="Too little is known of these KPIs yet to judge them.",
        )
    )
    choices = [
        Choice("shop", "label_values(streamwatch_incident_open, shop)", with_all=False),
        _EVENT_TYPE,
        _KPI,
    ]
    return dashboard("streamwatch-shop", "streamwatch: one shop", panels, choices)


def _band(name: str, measure: Measure) -> Panel:
    parts = {
        "value": measure.value,
        "expected": measure.expected,
        "lower": measure.lower,
        "upper": measure.upper,
    }
    by = f"{_MEASURED[:-1]}, currency)" if measure is PRICE_MEASURE else _MEASURED
    currency = " {{currency}}" if measure is PRICE_MEASURE else ""
    return Panel(
        title=f"{name}: {measure.unit or 'in its currency'}, with its band",
        queries={
            f"{part} {{{{event_type}}}}{currency} ({{{{span}}}})": f"{by} ({gauge}{{{_SHOP}}})"
            for part, gauge in parts.items()
        },
        unit=_UNITS.get(measure.unit, "short"),
    )


def _pipeline() -> Tree:
    panels = [
        Panel(
            "Records by what became of them",
            {"{{topic}} {{outcome}}": f"{OUTCOMES} > 0"},
            unit="cps",
        ),
        Panel(
            "Refused, by stage and reason",
            {
                "{{topic}} {{stage}} {{reason}} {{field}}": (
                    "sum by (topic, stage, reason, field) (rate(streamwatch_rejects_total[5m])) > 0"
                )
            },
            unit="cps",
        ),
        Panel("Records behind", {"{{step}} {{topic}}": LAG}),
        Panel(
            "Time of a slice, 99 of 100 below",
            {"{{step}}": _quantile("streamwatch_slice_duration_seconds_bucket")},
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
        ),
        Panel(
            "Departures by origin",
            {"{{origin}}": f'count by (origin) ({ORIGIN}{{segment="all"}})'},
        ),
    ]
    return dashboard("streamwatch-pipeline", "streamwatch: pipeline stages", panels, [])


def _itself() -> Tree:
    panels = [
        Panel("Workers", {"": 'sum(up{job="streamwatch"})'}, "stat", width=4, height=4),
        Panel("Ready", {"": "sum(streamwatch_ready)"}, "stat", width=4, height=4),
        Panel("Database answers", {"": "min(streamwatch_database_up)"}, "stat", width=4, height=4),
        Panel("Adds up", {"": "min(streamwatch_accounting_balanced)"}, "stat", width=4, height=4),
        Panel(
            "Partitions loading",
            {"": "sum(streamwatch_partitions_loading)"},
            "stat",
            width=4,
            height=4,
        ),
        Panel(
            "Series over the budget",
            {"": "sum(streamwatch_series_dropped)"},
            "stat",
            width=4,
            height=4,
        ),
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
            {"{{step}}": _quantile("streamwatch_flush_duration_seconds_bucket")},
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
        Panel(
            "Versions",
            {"workers": "count by (version, python, faust) (streamwatch_build_info)"},
            "table",
        ),
    ]
    return dashboard("streamwatch-itself", "streamwatch: itself", panels, [])


def _quantile(metric: str) -> str:
    return f"histogram_quantile(0.99, sum by (step, le) (rate({metric}[5m])))"
