"""Panels of Grafana dashboards, and a dashboard made of them."""

from typing import Any

import msgspec

from streamwatch.rules.alert import Tree

SOURCE = {"type": "prometheus", "uid": "${datasource}"}
_COLUMNS = 24
_SCHEMA = 39


class Panel(msgspec.Struct, frozen=True):
    """One panel.

    Attributes:
        title: what it shows.
        queries: legend → PromQL; the legend may hold ``{{shop}}``. The first one names the value
            in a table; without a name the value is left out.
        kind: ``timeseries``, ``stat``, ``table`` or ``bargauge``.
        unit: Grafana's name of the unit.
        width, height: of 24 columns, and rows.
        words: what a newcomer must know to read it.
        nothing: what it means when there is no series; empty where there always is one.
        link: the column of a table whose values lead elsewhere, what it is called, and where to.
        is_band: whether the series ``lower`` and ``upper`` are the ends of a band.
    """

    title: str
    queries: dict[str, str]
    kind: str = "timeseries"
    unit: str = "short"
    width: int = 12
    height: int = 8
    words: str = ""
    nothing: str = ""
    link: tuple[str, str, str] | None = None
    is_band: bool = False

    @property
    def is_instant(self) -> bool:
        """Whether only the newest value is shown."""
        return self.kind != "timeseries"


class Choice(msgspec.Struct, frozen=True):
    """A variable at the top of a dashboard: its name, and the query that lists its values."""

    name: str
    query: str
    with_all: bool = True


EVENT_TYPE = Choice("event_type", "label_values(streamwatch_incident_open, event_type)")
KPI = Choice("kpi", "label_values(streamwatch_incident_open, kpi)")


def quantile(metric: str) -> str:
    """The time below which 99 of 100 were, by step."""
    return f"histogram_quantile(0.99, sum by (step, le) (rate({metric}[5m])))"


def dashboard(uid: str, title: str, panels: list[Panel], choices: list[Choice]) -> Tree:
    """A dashboard that can only be read, with its data source as a variable."""
    return {
        "uid": uid,
        "title": title,
        "tags": ["streamwatch"],
        "schemaVersion": _SCHEMA,
        "version": 1,
        "editable": False,
        "graphTooltip": 1,
        "refresh": "30s",
        "timezone": "browser",
        "time": {"from": "now-24h", "to": "now"},
        "links": [
            {
                "title": "streamwatch",
                "type": "dashboards",
                "icon": "external link",
                "tooltip": "The other dashboards of streamwatch",
                "tags": ["streamwatch"],
                "asDropdown": True,
                "targetBlank": False,
                "includeVars": True,
                "keepTime": True,
            }
        ],
        "templating": {"list": [_source_choice(), *(_choice(one) for one in choices)]},
        "annotations": {"list": []},
        "panels": _placed(panels),
    }


def _source_choice() -> Tree:
    return {
        "name": "datasource",
        "label": "data source",
        "type": "datasource",
        "query": "prometheus",
        "current": {"text": "streamwatch", "value": "streamwatch"},
    }


def _choice(one: Choice) -> Tree:
    found: Tree = {
        "name": one.name,
        "label": one.name.replace("_", " "),
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": one.query, "refId": one.name},
        "refresh": 2,
        "sort": 1,
        "includeAll": one.with_all,
        "multi": False,
    }
    if one.with_all:
        found |= {"allValue": ".*", "current": {"text": "All", "value": "$__all"}}
    return found


def _placed(panels: list[Panel]) -> list[Tree]:
    """Panels from left to right, in rows."""
    found: list[Tree] = []
    left = top = row_height = 0
    for number, panel in enumerate(panels, start=1):
        if left + panel.width > _COLUMNS:
            left, top, row_height = 0, top + row_height, 0
        place = {"x": left, "y": top, "w": panel.width, "h": panel.height}
        found.append(_panel(number, panel, place))
        left += panel.width
        row_height = max(row_height, panel.height)
    return found


def _panel(number: int, panel: Panel, place: dict[str, int]) -> Tree:
    found: Tree = {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.words,
        "datasource": SOURCE,
        "gridPos": place,
        "targets": _targets(panel),
        "fieldConfig": {"defaults": _defaults(panel), "overrides": _overrides(panel)},
    }
    if panel.kind == "table":
        hidden = {"Time": True, "__name__": True, "job": True, "Value": "" in panel.queries}
        named = {"Value": next(iter(panel.queries))}
        found["transformations"] = [
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {"excludeByName": hidden, "renameByName": named}},
        ]
    return found


def _targets(panel: Panel) -> list[Tree]:
    return [
        {
            "refId": chr(ord("A") + position),
            "datasource": SOURCE,
            "expr": expr,
            "legendFormat": legend,
            "instant": panel.is_instant,
            "range": not panel.is_instant,
            **({"format": "table"} if panel.kind == "table" else {}),
        }
        for position, (legend, expr) in enumerate(panel.queries.items())
    ]


def _defaults(panel: Panel) -> Tree:
    return {"unit": panel.unit} | ({"noValue": panel.nothing} if panel.nothing else {})


def _overrides(panel: Panel) -> list[Tree]:
    if panel.link is not None:
        column, title, address = panel.link
        links = [{"title": title, "url": address}]
        return [_override("byName", column, "links", links)]
    if panel.is_band:
        dashed = {"fill": "dash", "dash": [4, 4]}
        return [_override("byRegexp", "(lower|upper|expected) .*", "custom.lineStyle", dashed)]
    return []


def _override(how: str, which: str, what: str, value: Any) -> Tree:
    return {
        "matcher": {"id": how, "options": which},
        "properties": [{"id": what, "value": value}],
    }
