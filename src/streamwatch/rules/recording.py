"""Recording rules: several workers and partitions as one number."""

from streamwatch.domain.gauges import INCIDENT_OPEN, INCIDENT_ORIGIN
from streamwatch.domain.incidents import FLEET
from streamwatch.rules.alert import Tree

TARGET = "instance, pod"
"""Labels that name a worker and are summed over."""

_INCIDENT = "shop, event_type, kpi, segment, span, direction"
_KPI = "event_type, kpi, span, direction"

FLEET_ONLY, SHOPS_ONLY = f'shop="{FLEET}"', f'shop!="{FLEET}"'
"""Matchers: the incidents of many shops, and those of one."""

STANDING = 'covered=""'
"""Matcher: the open incidents for which no other one stands."""

DEPARTING = f'segment="all",{SHOPS_ONLY},covered!="shop"'
"""Matchers: those of whole shops, also where an incident of many shops stands for them."""

OPEN = "shop_kpi:streamwatch_incident_open:max"
ORIGIN = "shop_kpi:streamwatch_incident_open:origin"
SHOPS = "kpi:streamwatch_shops:count"
DEPARTED = "kpi:streamwatch_incident_open:sum"
DEPARTED_RATIO = "kpi:streamwatch_incident_open:ratio"
LAG = "topic:streamwatch_consumer_lag_records:sum"
PARTITIONS = "topic:streamwatch_fence_offset:count"
OUTCOMES = "topic:streamwatch_records:rate5m"

RECORDED: dict[str, str] = {
    OPEN: f"max without ({TARGET}) ({INCIDENT_OPEN})",
    # In the moment of a rebalance two workers may tell two origins: one of them is taken.
    ORIGIN: (
        f"topk by ({_INCIDENT}) (\n  1, max without ({TARGET}) ({INCIDENT_ORIGIN}{{{STANDING}}})\n)"
    ),
    SHOPS: f'count by ({_KPI}) ({OPEN}{{segment="all",{SHOPS_ONLY}}})',
    # Here the shops count for which an incident of the fleet stands.
    DEPARTED: (
        f"count by ({_KPI}) (\n"
        f"  max by ({_INCIDENT}) ({INCIDENT_ORIGIN}{{{DEPARTING}}})\n"
        ")\n"
        f"or 0 * {SHOPS}"
    ),
    DEPARTED_RATIO: f"{DEPARTED} / {SHOPS}",
    LAG: "sum by (step, topic) (streamwatch_consumer_lag_records)",
    PARTITIONS: f"count by (step, topic) (max without ({TARGET}) (streamwatch_fence_offset))",
    OUTCOMES: "sum by (topic, outcome) (rate(streamwatch_records_total[5m]))",
}
"""Name → PromQL, in an order in which each uses only earlier ones."""


def recording_rules() -> list[Tree]:
    """The recording rules, in the order in which they build on each other."""
    return [{"record": name, "expr": expr} for name, expr in RECORDED.items()]
