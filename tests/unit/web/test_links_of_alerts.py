"""Where the links of an alert lead."""

from msgspec.structs import replace
from sqlalchemy import Engine
from tests.unit.web.fleet_of_shops import fill, get, incident, read, site_of, write

from streamwatch.domain.rows import IncidentRow


def test_an_alert_leads_to_its_incident_by_its_labels(engine: Engine) -> None:
    found = fill(engine)
    labels = {"shop": "shop-002", "event_type": "widget-event", "kpi": "mean.height"}
    text = read(engine, "/incident", **labels, direction="low")
    assert found.id in text
    assert get(site_of(engine), "/incident", **labels, direction="high").status == 404


def test_runbooks_are_served_as_plain_text(engine: Engine) -> None:
    site = replace(site_of(engine), runbook=lambda name: f"# {name}" if name == "Known" else None)
    answer = get(site, "/runbooks/Known.md")
    assert (answer.body, answer.content_type) == (b"# Known", "text/plain; charset=utf-8")
    assert get(site, "/runbooks/Unknown.md").status == 404


def test_an_alert_on_many_shops_without_an_incident_of_its_own_leads_to_those_of_the_shops(
    engine: Engine,
) -> None:
    labels = {"shop": "*", "event_type": "widget-event", "kpi": "mean.height", "direction": "low"}
    away = get(site_of(engine), "/incident", **labels)
    assert (away.status, dict(away.headers)["Location"]) == (303, "/?kpi=mean.height")
    write(engine, IncidentRow(incident("*")))
    assert "many shops" in read(engine, "/incident", **labels).lower()
    assert get(site_of(engine), "/api/v1/incident", **{**labels, "direction": "high"}).status == 404
