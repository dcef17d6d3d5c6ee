"""Shops' names and values come from strangers, and so may requests."""

import logging

import msgspec
import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, func, select
from tests.unit.web.diagnosed import REPORT
from tests.unit.web.fleet_of_shops import (
    NOW,
    fill,
    form_token_on,
    get,
    incident,
    markup,
    post,
    sign_in,
    site_of,
    stages,
    tap_rows,
    verdicts,
    with_tokens,
    write,
)

from streamwatch.adapters.sql.acknowledgements import acknowledgements_of, add_acknowledgement
from streamwatch.adapters.sql.tables import INCIDENTS
from streamwatch.adapters.web.exchange import Response
from streamwatch.adapters.web.openapi import ENDPOINTS
from streamwatch.diagnosis.mixture import Hypothesis
from streamwatch.diagnosis.mixvalue import Split
from streamwatch.diagnosis.report import Report
from streamwatch.domain.rows import IncidentRow

HOSTILE = (
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</title></svg><svg onload=alert(1)>",
    "{{ 7 * 7 }}{% raw %}",
    "javascript:alert(1)//",
    "a&b=c#d?e/../../etc/passwd%00\n\r",
    "\u202eevil\u2066\x1b[31m",
    "';DROP TABLE incidents;--",
)
TAGS = {
    "html", "head", "meta", "title", "link", "body", "a", "header", "nav", "form", "label", "input",
    "button", "div", "span", "main", "footer", "p", "h1", "h2", "h3", "section", "figure",
    "figcaption", "details", "summary", "table", "caption", "thead", "tbody", "tr", "th", "td",
    "time", "ul", "ol", "li", "svg", "rect", "line", "text", "polygon", "polyline", "circle", "pre",
    "code", "aside", "dl", "dt", "dd", "b", "strong", "br", "select", "option", "fieldset",
    "legend", "textarea",
}  # fmt: skip
"""What our templates and plots write; a name that becomes markup would bring another."""

SQL = ("' OR '1'='1", "x' UNION SELECT * FROM states--", "1; DROP TABLE incidents", "%", "_", "\\")


def assert_harmless(answer: Response) -> None:
    page = markup(answer)
    assert page.tags <= TAGS, page.tags - TAGS
    assert not {name for name in page.attributes if name.startswith("on") or name == "style"}
    for address in page.addresses:
        assert address.startswith(("/", "#", "data:image/svg+xml,")), address
        assert not address.startswith("//")
        assert not address.startswith("/\\")
    assert "49" not in page.text.partition("{{ 7")[2][:20]


def diagnosed_as(name: str) -> Report:
    """A diagnosis in which everything that comes from records is hostile."""
    pair = replace(REPORT.bad[0], event_id=name, topic=name)
    shared = replace(REPORT.shared[0], label=name, value=name)
    groups = tuple(replace(one, name=name) for one in (REPORT.split or Split(0, 0, ())).groups)
    return replace(
        REPORT,
        bad=(pair,),
        shared=(shared,),
        pairs=(replace(REPORT.pairs[0], before=name),),
        split=Split(-103.0, -3.0, groups),
        found=replace(REPORT.found, hypotheses=(Hypothesis(name, 0.5, 99.0),)),
    )


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_shop_is_text_on_every_page(engine: Engine, name: str) -> None:
    found = incident(name, segment="all", reason=name)
    write(
        engine,
        IncidentRow(found),
        IncidentRow(incident(name, segment=f"gender={name}", reason=name)),
        IncidentRow(incident("neighbour")),
        *verdicts(name, reason=name),
        *verdicts(name, segment=f"gender={name}", reason=name),
        *verdicts(name, kpi=f"mix.{name}"),
        *stages(name),
        *tap_rows(name, product=name, app_version=name, category=name),
    )
    add_acknowledgement(engine, found.id, "expected", name, name, NOW)
    site = replace(site_of(engine), diagnose=lambda _: diagnosed_as(name))
    for path, query in (
        ("/", {}),
        ("/", {"shop": name}),
        ("/", {"kpi": name}),
        ("/", {"origin": name}),
        ("/shops", {}),
        ("/shops", {"search": name}),
        ("/shop", {"name": name}),
        ("/shop", {"name": name, "segment": f"gender={name}"}),
        ("/incident", {"id": found.id}),
        ("/incident", {"id": incident("neighbour").id}),
        ("/incident", {"id": found.id, "done": name}),
        ("/sign-in", {"next": name}),
    ):
        answer = get(site, path, **query)
        assert answer.status == 200, (path, query, answer.body[:500])
        assert_harmless(answer)
    assert name.partition("\n")[0] in get(site, "/shop", name=name).body.decode().replace(
        "&lt;", "<"
    ).replace("&gt;", ">").replace("&#34;", '"').replace("&#39;", "'").replace("&amp;", "&")


@pytest.mark.parametrize("text", [*HOSTILE, *SQL, "x" * 5_000, "", " "])
def test_no_parameter_breaks_a_page_or_leaves_its_query(engine: Engine, text: str) -> None:
    fill(engine)
    site = site_of(engine)
    before = _incidents(engine)
    paths = {
        "/": ("status", "shop", "kpi", "origin", "page"),
        "/shops": ("search", "page"),
        "/shop": ("name", "segment", "span"),
        "/incident": ("id", "shop", "event_type", "kpi", "segment", "span", "direction"),
        "/evidence": ("id",),
        **{one.path: tuple(name for name, *_ in one.parameters) for one in ENDPOINTS},
    }
    for path, names in paths.items():
        for name in names:
            answer = get(site, path, **{name: text})
            assert answer.status in {200, 400, 404}, (path, name, answer.status)
    assert _incidents(engine) == before
    found = get(site, "/", shop=text.strip() or "nobody").body.decode()
    assert "shop-002</strong>" not in found, "a search text was taken for a pattern"


@pytest.mark.parametrize("text", [*HOSTILE, *SQL])
def test_a_note_is_stored_as_it_is_and_shown_as_text(engine: Engine, text: str) -> None:
    found = fill(engine)
    site = site_of(engine, with_tokens())
    ada = sign_in(site, who=text)
    token = form_token_on(site, "/incident", ada, id=found.id)
    form = {"form": token, "id": found.id, "kind": "expected", "note": text}
    answer = post(site, "/acknowledge", ada, **form)
    assert answer.status in {303, 400}
    said = acknowledgements_of(engine, [found.id])
    if answer.status == 303:
        assert [one.note for one in said] == [text.strip()]
    assert post(site, "/acknowledge", ada, **{**form, "id": text}).status in {400, 404}
    assert_harmless(get(site, "/incident", ada, id=found.id))
    assert _incidents(engine) == 4


@pytest.mark.parametrize("text", HOSTILE)
def test_an_answer_of_the_api_is_never_taken_for_a_page(engine: Engine, text: str) -> None:
    write(engine, IncidentRow(incident(text, reason=text)), *verdicts(text, reason=text))
    site = site_of(engine)
    for path, query in (
        ("/api/v1/incidents", {"shop": text}),
        ("/api/v1/shop", {"name": text}),
        ("/api/v1/incident", {"id": incident(text).id}),
        ("/api/v1/incident", {"id": text}),
    ):
        answer = get(site, path, **query)
        headers = dict(answer.headers)
        assert answer.content_type == "application/json"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert msgspec.json.decode(answer.body)["schema_version"] == 1


def _incidents(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(INCIDENTS)).scalar_one())


def test_every_answer_carries_the_headers_that_guard_it(engine: Engine) -> None:
    fill(engine)
    site = site_of(engine)
    for path in ("/", "/nowhere", "/style.css", "/openapi.json", "/api/v1/shop", "/-/healthy"):
        headers = dict(get(site, path).headers)
        assert "default-src 'none'" in headers["Content-Security-Policy"]
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "Cache-Control" in headers


def test_a_failure_of_ours_shows_nothing_of_the_inside(
    engine: Engine, caplog: pytest.LogCaptureFixture
) -> None:
    def broken() -> int:
        raise ValueError("secret inside")

    site = replace(site_of(engine), now_ms=broken)
    with caplog.at_level(logging.ERROR):
        answer = get(site, "/")
    assert answer.status == 500
    assert b"secret" not in answer.body
    assert "secret inside" in caplog.text
