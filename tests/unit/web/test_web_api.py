"""The JSON API and the document that describes it."""

import json
from typing import Any

import msgspec
import pytest
from sqlalchemy import Engine
from tests.unit.web.fleet_of_shops import NOW, fill, get, incident, site_of, write

from streamwatch.adapters.sql.acknowledgements import add_acknowledgement
from streamwatch.adapters.web.api import ProblemAnswer
from streamwatch.adapters.web.openapi import ENDPOINTS, Endpoint
from streamwatch.domain.rows import IncidentRow

QUERIES = {
    "/api/v1/incidents": {"status": "all"},
    "/api/v1/incident": {"shop": "shop-002", "event_type": "widget-event", "kpi": "mean.height"},
    "/api/v1/shops": {"search": "shop"},
    "/api/v1/shop": {"name": "shop-002"},
}


def answer_of(engine: Engine, path: str, **query: str) -> dict[str, Any]:
    response = get(site_of(engine), path, **query)
    assert response.status == 200, response.body
    assert response.content_type == "application/json"
    found: dict[str, Any] = json.loads(response.body)
    return found


def document(engine: Engine) -> dict[str, Any]:
    return answer_of(engine, "/openapi.json")


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: one.path)
def test_every_answer_is_as_the_document_says(engine: Engine, endpoint: Endpoint) -> None:
    fill(engine)
    response = get(site_of(engine), endpoint.path, **QUERIES[endpoint.path])
    decoded = msgspec.json.decode(response.body, type=endpoint.answer, strict=True)
    assert msgspec.json.encode(decoded) == response.body
    described = document(engine)["paths"][endpoint.path]["get"]
    reference = described["responses"]["200"]["content"]["application/json"]["schema"]["$ref"]
    assert reference == f"#/components/schemas/{endpoint.answer.__name__}"


def test_the_document_is_openapi_and_every_reference_leads_somewhere(engine: Engine) -> None:
    found = document(engine)
    assert found["openapi"].startswith("3.1.")
    assert set(found["paths"]) == {endpoint.path for endpoint in ENDPOINTS}
    schemas = found["components"]["schemas"]
    text = json.dumps(found)
    named = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    assert named == set(schemas)
    operations = [path["get"]["operationId"] for path in found["paths"].values()]
    assert len(set(operations)) == len(operations)
    assert {"origin", "hypothesis", "unit"} <= set(schemas["IncidentAnswer"]["properties"])


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda one: one.path)
def test_every_parameter_is_described_and_read(engine: Engine, endpoint: Endpoint) -> None:
    fill(engine)
    described = document(engine)["paths"][endpoint.path]["get"]["parameters"]
    for parameter in described:
        allowed = parameter["schema"].get("enum", ["1"])
        for value in allowed:
            answer = get(site_of(engine), endpoint.path, **{parameter["name"]: value})
            assert answer.status in {200, 404}


def test_incidents_come_worst_first_with_what_was_said(engine: Engine) -> None:
    found = fill(engine)
    write(engine, IncidentRow(incident("shop-100", score=float("nan"))))
    add_acknowledgement(engine, found.id, "expected", "a sale", "Ada", NOW)
    rows = answer_of(engine, "/api/v1/incidents")["incidents"]
    assert [row["incident"]["shop"] for row in rows] == ["shop-009", "shop-100", "shop-002"]
    assert rows[1]["incident"]["score"] is None
    last = rows[2]
    assert (last["departures"], last["acknowledged"], last["who"]) == (2, "expected", "Ada")
    assert last["incident"]["since"] == "2026-03-01T00:00:00Z"
    assert last["incident"]["unit"] == "cm"
    one = answer_of(engine, "/api/v1/incident", id=found.id)
    assert [word["note"] for word in one["acknowledgements"]] == ["a sale"]
    assert one["readings"][-1]["value"] == 66.6


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("/api/v1/incident", {"id": "nothing"}, 404),
        ("/api/v1/shop", {"name": "nobody"}, 404),
        ("/api/v1/incidents", {"status": "odd"}, 400),
        ("/api/v1/shops", {"page": "x"}, 400),
        ("/api/v2/shops", {}, 404),
    ],
)
def test_a_problem_is_json_too(
    engine: Engine, path: str, query: dict[str, str], status: int
) -> None:
    fill(engine)
    response = get(site_of(engine), path, **query)
    assert response.status == status
    assert msgspec.json.decode(response.body, type=ProblemAnswer).error
