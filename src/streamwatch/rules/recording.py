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
    # An incident whose origin is not told is undetermined; two origins in the moment of a
    # rebalance must not make the join fail, so that one of them is taken.
    ORIGIN: (
        f"({OPEN} == 1)\n"
        f"  * on ({_INCIDENT}) group_left (origin, covered)\n"
        f"    topk by ({_INCIDENT}) (1, {INCIDENT_ORIGIN})\n"
        "or\n"
        "label_replace(\n"
        f"  ({OPEN} == 1) unless on ({_INCIDENT}) {INCIDENT_ORIGIN},\n"
        '  "origin", "undetermined", "", ""\n'
        ")"
    ),
    SHOPS: f'count by ({_KPI}) ({OPEN}{{segment="all",{SHOPS_ONLY}}})',
    DEPARTED: f'sum by ({_KPI}) ({OPEN}{{segment="all",{SHOPS_ONLY}}})',
    DEPARTED_RATIO: f"{DEPARTED} / {SHOPS}",
    LAG: "sum by (step, topic) (streamwatch_consumer_lag_records)",
    PARTITIONS: f"count by (step, topic) (max without ({TARGET}) (streamwatch_fence_offset))",
    OUTCOMES: "sum by (topic, outcome) (rate(streamwatch_records_total[5m]))",
}
"""Name → PromQL, in an order in which each uses only earlier ones."""


def recording_rules() -> list[Tree]:
    """The recording rules, in the order in which they build on each other."""
    return [{"record": name, "expr": expr} for name, expr in RECORDED.items()]
