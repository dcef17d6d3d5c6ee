"""Requests that a stranger may send: paths, forms, methods, headers."""

import pytest
from sqlalchemy import Engine
from tests.unit.web.fleet_of_shops import (
    WRITE,
    WRONG,
    fill,
    form_token_on,
    get,
    post,
    sign_in,
    site_of,
    with_tokens,
)

from streamwatch.adapters.sql.acknowledgements import acknowledgements_of
from streamwatch.adapters.web.exchange import FORM, Request
from streamwatch.adapters.web.runbooks import runbook


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


def test_a_header_cannot_be_split(engine: Engine) -> None:
    site = site_of(engine, with_tokens())
    for address in ("/\r\nSet-Cookie: a=b", "//evil.example", "https://evil.example", "/\\evil"):
        headers = dict(post(site, "/sign-in", token=WRITE, who="x",
                            next=address).headers)  # fmt: skip
        assert headers["Location"] == "/"
    away = get(site, "/shop", name="a\r\nSet-Cookie: a=b")
    assert away.status == 303
    assert "\n" not in dict(away.headers)["Location"]
