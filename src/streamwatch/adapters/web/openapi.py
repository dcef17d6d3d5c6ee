"""The OpenAPI document of the JSON API, made from the types that it answers with."""

from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import Engine

from streamwatch.adapters.sql.fleet import WANTED
from streamwatch.adapters.web.api import (
    IncidentsAnswer,
    OneIncidentAnswer,
    OneShopAnswer,
    ProblemAnswer,
    ShopsAnswer,
    incidents_answer,
    one_incident_answer,
    one_shop_answer,
    shops_answer,
)

Answering = Callable[[Engine, dict[str, str], int], msgspec.Struct]
Parameter = tuple[str, str, dict[str, Any]]
"""Name, what it means, schema."""

_TEXT: dict[str, Any] = {"type": "string"}
_PAGE: Parameter = ("page", "from 1", {"type": "integer", "minimum": 1, "default": 1})


class Endpoint(msgspec.Struct, frozen=True):
    """One path of the API: what it is for, its query, what it answers, and the function."""

    path: str
    summary: str
    parameters: tuple[Parameter, ...]
    answer: type[msgspec.Struct]
    answering: Answering


ENDPOINTS = (
    Endpoint(
        "/api/v1/incidents",
        "Departed KPIs: what nobody acknowledged first, the farthest out first",
        (
            ("status", "which", {**_TEXT, "enum": list(WANTED), "default": "open"}),
            ("shop", "a part of the shop's name", _TEXT),
            ("kpi", "the KPI, such as mean.height", _TEXT),
            ("origin", "client, a stage, or undetermined", _TEXT),
            _PAGE,
        ),
        IncidentsAnswer,
        incidents_answer,
    ),
    Endpoint(
        "/api/v1/incident",
        "One incident with its readings: by its id, or the newest with an alert's labels",
        (
            ("id", "the incident's id", _TEXT),
            ("shop", "without an id", _TEXT),
            ("event_type", "without an id", _TEXT),
            ("kpi", "without an id", _TEXT),
            ("segment", "without an id", {**_TEXT, "default": "all"}),
            (
                "span",
                "without an id",
                {**_TEXT, "enum": ["hour", "day", "week", "month"], "default": "day"},
            ),
            ("direction", "without an id", {**_TEXT, "enum": ["low", "high"]}),
        ),
        OneIncidentAnswer,
        one_incident_answer,
    ),
    Endpoint(
        "/api/v1/shops",
        "Shops in the order of their names",
        (("search", "a part of the name", _TEXT), _PAGE),
        ShopsAnswer,
        shops_answer,
    ),
    Endpoint(
        "/api/v1/shop",
        "One shop: its KPIs with their newest readings, and its open incidents",
        (("name", "the shop", _TEXT), ("segment", "a cut", {**_TEXT, "default": "all"})),
        OneShopAnswer,
        one_shop_answer,
    ),
)


def openapi_document(version: str) -> dict[str, Any]:
    """The document, OpenAPI 3.1."""
    types = [endpoint.answer for endpoint in ENDPOINTS] + [ProblemAnswer]
    references, components = msgspec.json.schema_components(
        types, ref_template="#/components/schemas/{name}"
    )
    *answers, problem = references
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "streamwatch",
            "version": version,
            "description": "What is wrong in the fleet, and the readings behind it. Only reads.",
        },
        "paths": {
            endpoint.path: {"get": _operation(endpoint, answer, problem)}
            for endpoint, answer in zip(ENDPOINTS, answers, strict=True)
        },
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        "security": [{"token": []}, {}],
    }


def _operation(
    endpoint: Endpoint, answer: dict[str, Any], problem: dict[str, Any]
) -> dict[str, Any]:
    failures = {"400": "the query is wrong", "401": "sign in", "404": "there is none"}
    return {
        "operationId": endpoint.path.rsplit("/", 1)[1],
        "summary": endpoint.summary,
        "parameters": [
            {"name": name, "in": "query", "description": meaning, "schema": schema}
            for name, meaning, schema in endpoint.parameters
        ],
        "responses": {
            "200": {"description": "found", **_content(answer)},
            **{
                status: {"description": text, **_content(problem)}
                for status, text in failures.items()
            },
        },
    }


def _content(schema: dict[str, Any]) -> dict[str, Any]:
    return {"content": {"application/json": {"schema": schema}}}
