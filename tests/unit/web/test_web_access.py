"""Who may see, who may acknowledge, and by which name the server may be asked."""

from pathlib import Path

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine
from tests.unit.web.fleet_of_shops import (
    NOW,
    READ,
    SECRET,
    WRITE,
    WRONG,
    fill,
    form_token_on,
    get,
    markup,
    post,
    sign_in,
    site_of,
    with_tokens,
)

from streamwatch.adapters.sql.acknowledgements import acknowledgements_of
from streamwatch.adapters.web.access import SESSION_MS, Access, is_loopback
from streamwatch.adapters.web.exchange import Request
from streamwatch.adapters.web.tokens import access_of
from streamwatch.domain.alerting_settings import WebSettings
from streamwatch.errors import ConfigurationError

EVERYWHERE = ".".join("0000")
PROXIED = Access(
    SECRET, user_header="X-Remote-User", proxies=("10.0.0.7",), writers=("ada@example",)
)


def test_on_this_machine_anybody_reads_and_nobody_writes(engine: Engine) -> None:
    found = fill(engine)
    site = site_of(engine)
    page = markup(get(site, "/incident", id=found.id)).text
    assert "anonymous, may read" in page
    assert "streamwatch incidents ack" in page
    assert post(site, "/acknowledge", id=found.id, kind="expected").status == 403
    assert acknowledgements_of(engine, [found.id]) == []


def test_with_a_token_nothing_is_seen_without_it(engine: Engine) -> None:
    fill(engine)
    site = site_of(engine, with_tokens())
    answer = get(site, "/shop", name="shop-002")
    assert answer.status == 303
    assert dict(answer.headers)["Location"] == "/sign-in?next=%2Fshop%3Fname%3Dshop-002"
    assert b"shop-002</h1>" not in answer.body
    for path in ("/api/v1/incidents", "/openapi.json"):
        refused = get(site, path)
        assert refused.status == 401
        assert dict(refused.headers)["WWW-Authenticate"].startswith("Bearer")
    assert get(site, "/-/healthy").status == 200
    assert get(site, "/sign-in").status == 200
    assert get(site, "/style.css").status == 200


def test_a_bearer_token_opens_the_api(engine: Engine) -> None:
    fill(engine)
    site = site_of(engine, with_tokens())
    for token in (READ, WRITE):
        assert get(site, "/api/v1/shops", {"authorization": f"Bearer {token}"}).status == 200
    for wrong in ("", "Bearer", "Bearer x", f"Basic {READ}", f"Bearer {READ}x", "Bearer é"):
        assert get(site, "/api/v1/shops", {"authorization": wrong}).status == 401


def test_the_read_token_does_not_acknowledge(engine: Engine) -> None:
    found = fill(engine)
    site = site_of(engine, with_tokens())
    reader = sign_in(site, READ)
    token = form_token_on(site, "/", reader)
    assert "may read" in markup(get(site, "/", reader)).text
    form = {"form": token, "id": found.id, "kind": "expected"}
    assert post(site, "/acknowledge", reader, **form).status == 403
    assert acknowledgements_of(engine, [found.id]) == []


def test_whoever_signed_in_to_write_acknowledges_by_name(engine: Engine) -> None:
    found = fill(engine)
    site = site_of(engine, with_tokens())
    ada = sign_in(site, who="Ada Lovelace")
    token = form_token_on(site, "/incident", ada, id=found.id)
    form = {"form": token, "id": found.id, "kind": "new-trend", "note": " they grew "}
    answer = post(site, "/acknowledge", ada, **form)
    assert answer.status == 303
    page = markup(get(site, "/incident", ada, id=found.id, done="done")).text
    assert "Acknowledged." in page
    assert "new trend by Ada Lovelace" in page
    (said,) = acknowledgements_of(engine, [found.id])
    assert (said.kind, said.note, said.who, said.at) == (
        "new-trend", "they grew", "Ada Lovelace", NOW
    )  # fmt: skip


def test_a_wrong_token_signs_nobody_in(engine: Engine) -> None:
    site = site_of(engine, with_tokens())
    answer = post(site, "/sign-in", token=WRONG, who="Eve")
    assert answer.status == 403
    assert "Set-Cookie" not in dict(answer.headers)
    assert "opens nothing here" in markup(answer).text


def test_a_session_ends_is_bound_to_its_server_and_cannot_be_edited(engine: Engine) -> None:
    fill(engine)
    site = site_of(engine, with_tokens())
    reader = sign_in(site, READ)
    assert get(site, "/", reader).status == 200
    later = replace(site, now_ms=lambda: NOW + SESSION_MS + 1)
    assert get(later, "/", reader).status == 303
    other = replace(site, access=replace(site.access, secret=b"o" * 32))
    assert get(other, "/", reader).status == 303
    edited = {"cookie": reader["cookie"].replace("read", "write", 1)}
    assert get(site, "/", edited).status == 303
    for odd in ("streamwatch_session=", "streamwatch_session=a.b.c", "streamwatch_session", "é=é"):
        assert get(site, "/", {"cookie": odd}).status == 303


def test_a_cookie_is_not_for_scripts_and_not_for_other_sites(engine: Engine) -> None:
    site = site_of(engine, with_tokens())
    cookie = dict(post(site, "/sign-in", token=WRITE, who="Ada").headers)["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert WRITE not in cookie
    behind = replace(site, access=replace(site.access, proxies=("127.0.0.1",)))
    https = {"x-forwarded-proto": "https"}
    assert (
        "Secure"
        in dict(post(behind, "/sign-in", https, token=WRITE, who="a").headers)["Set-Cookie"]
    )
    assert "Secure" not in cookie


def test_signing_out_ends_it_in_the_browser(engine: Engine) -> None:
    site = site_of(engine, with_tokens())
    ada = sign_in(site)
    assert post(site, "/sign-out", ada).status == 403
    answer = post(site, "/sign-out", ada, form=form_token_on(site, "/", ada))
    assert "Max-Age=0" in dict(answer.headers)["Set-Cookie"]


def by_proxy(user: str, peer: str = "10.0.0.7", path: str = "/") -> Request:
    return Request("GET", path, "", {"host": "localhost", "x-remote-user": user}, peer)


def test_a_proxys_user_is_believed_from_the_proxy_only(engine: Engine) -> None:
    fill(engine)
    site = site_of(engine, PROXIED)
    assert "ada@example" in markup(site.answer(by_proxy("ada@example"))).text
    assert "bob@example, may read" in markup(site.answer(by_proxy("bob@example"))).text
    assert site.answer(by_proxy("ada@example", peer="10.0.0.8")).status == 303
    assert site.answer(by_proxy("ada@example", peer="127.0.0.1")).status == 303
    assert site.answer(by_proxy("")).status == 303
    assert site.answer(by_proxy("ada@example,bob@example")).status == 200
    both = markup(site.answer(by_proxy("ada@example,bob@example"))).text
    assert "may read" in both


def test_a_writer_behind_a_proxy_acknowledges_with_a_form_of_their_own(engine: Engine) -> None:
    found = fill(engine)
    site = site_of(engine, PROXIED)

    def act(user: str, token: str) -> int:
        body = f"form={token}&id={found.id.replace('/', '%2F')}&kind=expected".encode()
        sent = {**by_proxy(user).headers, "content-type": "application/x-www-form-urlencoded"}
        request = Request("POST", "/acknowledge", "", sent, "10.0.0.7", body)
        return int(site.answer(request).status)

    headers = {"x-remote-user": "ada@example", "host": "localhost"}
    asked = Request("GET", "/incident", f"id={found.id.replace('/', '%2F')}", headers, "10.0.0.7")
    page = site.answer(asked).body.decode()
    token = page.partition('name="form" value="')[2][:64]
    assert act("bob@example", token) == 403
    assert act("ada@example", "0" * 64) == 403
    assert act("ada@example", token) == 303
    assert [one.who for one in acknowledgements_of(engine, [found.id])] == ["ada@example"]


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example:8080", "", "localhost@evil", "[::2]:80", "a b"]
)
def test_a_foreign_name_is_refused(engine: Engine, host: str) -> None:
    fill(engine)
    answer = get(site_of(engine), "/", {"host": host})
    assert answer.status == 421
    assert b"shop-002" not in answer.body
    assert "`hosts` of `web`" in markup(answer).text


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST:8080", "127.0.0.1:1", "[::1]:8080", "[::1]", "watch.example"]
)
def test_own_names_are_answered(engine: Engine, host: str) -> None:
    access = replace(Access(SECRET), hosts=("watch.example",))
    assert get(site_of(engine, access), "/", {"host": host}).status == 200


def test_beyond_this_machine_it_does_not_start_without_a_token_or_a_proxy() -> None:
    for host in (EVERYWHERE, "::", "10.0.0.7", "watch.example"):
        with pytest.raises(ConfigurationError, match="STREAMWATCH_WEB_TOKEN"):
            access_of(WebSettings(host=host), {})
        with pytest.raises(ConfigurationError, match="STREAMWATCH_WEB_TOKEN"):
            access_of(WebSettings(host=host), {"STREAMWATCH_WEB_WRITE_TOKEN": WRITE})
        assert access_of(WebSettings(host=host), {"STREAMWATCH_WEB_TOKEN": READ}).token == READ
        assert not access_of(WebSettings(host=host, user_header="X-User"), {}).is_open
    for host in ("127.0.0.1", "localhost", "::1", "127.8.8.8"):
        assert access_of(WebSettings(host=host), {}).is_open
        assert is_loopback(host)


def test_a_token_comes_from_a_file_too_and_must_be_long(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"{WRITE}\n")
    access = access_of(WebSettings(), {"STREAMWATCH_WEB_WRITE_TOKEN_FILE": str(file)})
    assert access.write_token == WRITE
    assert access.is_open
    for environment, said in (
        ({"STREAMWATCH_WEB_TOKEN": "short"}, "at least 16"),
        ({"STREAMWATCH_WEB_TOKEN": ""}, "at least 16"),
        ({"STREAMWATCH_WEB_TOKEN_FILE": str(tmp_path / "none")}, "cannot be read"),
        ({"STREAMWATCH_WEB_TOKEN": READ, "STREAMWATCH_WEB_TOKEN_FILE": str(file)}, "both set"),
        ({"STREAMWATCH_WEB_TOKEN": READ, "STREAMWATCH_WEB_WRITE_TOKEN": READ}, "the same"),
    ):
        with pytest.raises(ConfigurationError, match=said) as raised:
            access_of(WebSettings(), environment)
        assert READ not in str(raised.value)
