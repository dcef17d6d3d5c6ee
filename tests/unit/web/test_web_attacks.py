"""Shops' names and values come from strangers, and so may requests."""

import logging

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine, func, select
from tests.unit.web.fleet_of_shops import (
    NOW,
    WRITE,
    WRONG,
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
from streamwatch.adapters.web.exchange import FORM, Request, Response
from streamwatch.adapters.web.openapi import ENDPOINTS
from streamwatch.adapters.web.runbooks import runbook
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
    site = site_of(engine)
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


def _incidents(engine: Engine) -> int:
    with engine.connect() as connection:
        return int(connection.execute(select(func.count()).select_from(INCIDENTS)).scalar_one())


@pytest.mark.parametrize(
    "path",
    [
        "/../../etc/passwd",
        "/style.css/../../../../etc/passwd",
        "/runbooks/../../README.md",
        "/runbooks/..%2f..%2fREADME.md",
        "/runbooks/%2e%2e.md",
        "/runbooks/a/b.md",
        "/runbooks/.md",
        "//evil.example/",
        "/\\evil.example",
        "/templates/base.html",
        "/\x00",
        "/é\u202e",
    ],
)
def test_no_path_leads_to_a_file(engine: Engine, path: str) -> None:
    site = site_of(engine)
    answer = get(site, path)
    assert answer.status == 404
    assert runbook(path.removeprefix("/runbooks/").removesuffix(".md")) is None


@pytest.mark.parametrize(
    "query", ["page=1&page=2", "shop=%00", "shop=%ff%fe", "&".join(f"a{n}=1" for n in range(99))]
)
def test_a_malformed_query_is_refused(engine: Engine, query: str) -> None:
    for path in ("/", "/api/v1/incidents"):
        request = Request("GET", path, query, {"host": "localhost:8080"})
        assert site_of(engine).answer(request).status == 400


@pytest.mark.parametrize("page", ["0", "-1", "1e9", "9" * 30, "٣", "1.5", "0x10", "x"])
def test_a_page_number_is_a_number(engine: Engine, page: str) -> None:
    assert get(site_of(engine), "/", page=page).status in {200, 400}
    assert get(site_of(engine), "/", page=page).status == (200 if page == "0" else 400)


def test_a_form_without_its_token_changes_nothing(engine: Engine) -> None:
    found = fill(engine)
    site = site_of(engine, with_tokens())
    ada, eve = sign_in(site), sign_in(site, who="Eve")
    of_eve = form_token_on(site, "/incident", eve, id=found.id)
    for token in ("", "0" * 64, of_eve, "é"):
        answer = post(site, "/acknowledge", ada, form=token, id=found.id, kind="expected")
        assert answer.status == 403
    assert acknowledgements_of(engine, [found.id]) == []
    forged = {**ada, "origin": "null"}
    assert post(site, "/acknowledge", forged, id=found.id, kind="expected").status == 403
    own = form_token_on(site, "/incident", ada, id=found.id)
    assert post(site, "/acknowledge", ada, form=own, id=found.id, kind="expected").status == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null", "sec-fetch-site": "cross-site"},
        {"origin": "http://127.0.0.1:9999"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_a_form_from_another_site_changes_nothing(engine: Engine, headers: dict[str, str]) -> None:
    found = fill(engine)
    site = site_of(engine, with_tokens())
    ada = sign_in(site)
    token = form_token_on(site, "/incident", ada, id=found.id)
    form = {"form": token, "id": found.id, "kind": "expected"}
    assert post(site, "/acknowledge", {**ada, **headers}, **form).status == 403
    assert post(site, "/sign-in", headers, token=WRONG, who="x").status == 403
    assert acknowledgements_of(engine, [found.id]) == []


@pytest.mark.parametrize("kind", ["", "Expected", "resolved", "expected\0", "new trend"])
def test_only_the_four_kinds_are_taken(engine: Engine, kind: str) -> None:
    found = fill(engine)
    site = site_of(engine, with_tokens())
    ada = sign_in(site)
    token = form_token_on(site, "/incident", ada, id=found.id)
    assert post(site, "/acknowledge", ada, form=token, id=found.id, kind=kind).status == 400
    long = {"form": token, "id": found.id, "kind": "expected", "note": "n" * 1_001}
    assert post(site, "/acknowledge", ada, **long).status == 400
    gone = {"form": token, "id": "nothing", "kind": "expected"}
    assert post(site, "/acknowledge", ada, **gone).status == 404
    assert acknowledgements_of(engine, [found.id]) == []


def test_other_bodies_than_forms_are_refused(engine: Engine) -> None:
    fill(engine)
    site = site_of(engine, with_tokens())
    ada = {**sign_in(site), "host": "localhost"}
    for kind, body, status in (
        ("application/json", b"{}", 415),
        ("text/plain", b"form=1", 415),
        ("multipart/form-data; boundary=x", b"--x", 415),
        ("", b"form=1", 415),
        (FORM, b"id=" + b"a" * 20_000, 413),
        (FORM, b"\xff\xfe", 400),
    ):
        sent = {**ada, "content-type": kind}
        answer = site.answer(Request("POST", "/acknowledge", "", sent, body=body))
        assert answer.status == status, kind


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "get", "X" * 99])
def test_other_methods_are_refused(engine: Engine, method: str) -> None:
    site = site_of(engine)
    for path in ("/", "/incident", "/acknowledge", "/api/v1/shops", "/style.css", "/nowhere"):
        answer = get(site, path, method=method)
        assert answer.status == 405
        assert "Allow" in dict(answer.headers)


def test_a_method_cannot_be_smuggled(engine: Engine) -> None:
    found = fill(engine)
    site = site_of(engine, with_tokens())
    ada = sign_in(site)
    token = form_token_on(site, "/incident", ada, id=found.id)
    form = {"form": token, "id": found.id, "kind": "expected"}
    over = {**ada, "x-http-method-override": "POST"}
    assert get(site, "/acknowledge", over, **form).status == 405
    assert get(site, "/acknowledge", ada, **form, _method="POST").status == 405
    assert post(site, "/incident", ada, **form).status == 405
    assert acknowledgements_of(engine, [found.id]) == []


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


def test_a_header_cannot_be_split(engine: Engine) -> None:
    site = site_of(engine, with_tokens())
    for address in ("/\r\nSet-Cookie: a=b", "//evil.example", "https://evil.example", "/\\evil"):
        headers = dict(post(site, "/sign-in", token=WRITE, who="x",
                            next=address).headers)  # fmt: skip
        assert headers["Location"] == "/"
    away = get(site, "/shop", name="a\r\nSet-Cookie: a=b")
    assert away.status == 303
    assert "\n" not in dict(away.headers)["Location"]


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
