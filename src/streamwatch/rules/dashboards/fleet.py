"""The dashboard of the whole fleet: what is wrong now, and whether it is one shop or many."""

from streamwatch.domain.gauges import DEVIATION, INCIDENT_ORIGIN
from streamwatch.rules.alert import Tree
from streamwatch.rules.dashboards.panels import EVENT_TYPE, KPI, Panel, dashboard
from streamwatch.rules.recording import DEPARTED, DEPARTING, FLEET_ONLY, OPEN, ORIGIN, SHOPS

_CHOSEN = 'event_type=~"$event_type",kpi=~"$kpi",segment="all"'
_SCORE = f"max without (instance, pod) (abs({DEVIATION}{{{_CHOSEN}}}))"
_PLACE = "shop, event_type, kpi, segment, span"
_SHOP_LINK = ("shop", "Show the shop", "/d/streamwatch-shop?var-shop=${__value.text}")


def fleet() -> Tree:
    """The dashboard ``streamwatch-fleet``."""
    panels = [
        *_counts(),
        Panel(
            "Open incidents, the worst first",
            {
                "standard deviations": (
                    f"sort_desc({_SCORE} * on ({_PLACE}) group_right () {ORIGIN}{{{_CHOSEN}}})"
                )
            },
            "table",
            width=24,
            height=10,
            words="Origin is the stage where the departure came in, client, or undetermined. What "
            "another incident stands for is not listed.",
            nothing="no incident of a single shop is open",
            link=_SHOP_LINK,
        ),
        Panel(
            "Many shops at once",
            {"": f"{ORIGIN}{{{_CHOSEN},{FLEET_ONLY}}}"},
            "table",
            width=24,
            height=5,
            words="One incident stands for those of many shops that depart alike.",
            nothing="no incident of many shops is open",
        ),
        Panel(
            "Shops that depart, by KPI",
            {
                "{{event_type}} {{kpi}} {{direction}} ({{span}})": (
                    f'{DEPARTED}{{event_type=~"$event_type",kpi=~"$kpi"}}'
                )
            },
            words="A line that jumps up is the pipeline rather than a shop.",
        ),
        Panel(
            "Farthest from normal",
            {"{{shop}} {{event_type}} {{kpi}}": f"topk(20, {_SCORE})"},
            "bargauge",
            words="Standard deviations of the newest judged bucket, unusual or not.",
        ),
    ]
    return dashboard("streamwatch-fleet", "streamwatch: fleet", panels, [EVENT_TYPE, KPI])


def _counts() -> list[Panel]:
    queries = {
        "Open incidents": f"sum({OPEN})",
        "Shops that depart": f"count(max by (shop) ({INCIDENT_ORIGIN}{{{DEPARTING}}}))",
        "Shops judged": f"max({SHOPS})",
        "Incidents of many shops": f"sum({OPEN}{{{FLEET_ONLY}}})",
    }
    return [
        Panel(name, {"": f"{expr} or vector(0)"}, "stat", width=6, height=4)
        for name, expr in queries.items()
    ]
