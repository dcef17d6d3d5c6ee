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
        queries: legend → PromQL; the legend may hold ``{{shop}}``.
        kind: ``timeseries``, ``stat``, ``table`` or ``bargauge``.
        unit: Grafana's name of the unit.
        width, height: of 24 columns, and rows.
        words: what a newcomer must know to read it.
    """

    title: str
    queries: dict[str, str]
    kind: str = "timeseries"
    unit: str = "short"
    width: int = 12
    height: int = 8
    words: str = ""

    @property
    def is_instant(self) -> bool:
        """Whether only the newest value is shown."""
        return self.kind != "timeseries"


class Choice(msgspec.Struct, frozen=True):
    """A variable at the top of a dashboard: its name, and the query that lists its values."""

    name: str
    query: str
    with_all: bool = True


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
                "tags": ["streamwatch"],
                "asDropdown": True,
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
    targets: list[dict[str, Any]] = [
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
    found: Tree = {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.words,
        "datasource": SOURCE,
        "gridPos": place,
        "targets": targets,
        "fieldConfig": {"defaults": {"unit": panel.unit}, "overrides": []},
    }
    if panel.kind == "table":
        hidden = {"Time": True, "__name__": True, "job": True, "Value": len(targets) == 1}
        found["transformations"] = [
            {"id": "merge", "options": {}},
            {"id": "organize", "options": {"excludeByName": hidden}},
        ]
    return found
