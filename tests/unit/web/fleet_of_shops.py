"""A small fleet in a database, and how tests ask the site."""

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from urllib.parse import urlencode

import msgspec
from sqlalchemy import Engine

from streamwatch.adapters.sql.store import SqlStore
from streamwatch.adapters.web.access import Access
from streamwatch.adapters.web.exchange import FORM, Request, Response
from streamwatch.adapters.web.site import Site
from streamwatch.domain.cells import Moments, Transition
from streamwatch.domain.incidents import Incident
from streamwatch.domain.readings import KpiKey, Span
from streamwatch.domain.records import PartitionId
from streamwatch.domain.rows import IncidentRow, Row, StageRow, TapRow, VerdictRow
from streamwatch.domain.verdicts import State, Verdict
from streamwatch.runner.ports import Flush

DAY = 86_400_000
SINCE = 1_772_323_200_000
"""2026-03-01."""
NOW = SINCE + 3 * DAY
PARTITION = PartitionId("count", "widget-event", 0)
READ, WRITE = "read-token-0123456789", "write-token-0123456789"
WRONG = "wrong-token-0123456789"
SECRET = b"s" * 32


def write(engine: Engine, *rows: Row) -> None:
    store = SqlStore(engine, now_ms=lambda: NOW)
    fence = store.load(PARTITION).fence
    store.commit(Flush(PARTITION, fence, (fence or 0) + 1, 0, "", {}, rows, None))


def incident(
    shop: str = "shop-002",
    kpi: str = "mean.height",
    segment: str = "all",
    *,
    event_type: str = "widget-event",
    score: float = -12.7,
    since: int = SINCE,
    until: int | None = None,
    span: Span = "day",
    reason: str = "103 cm below the expected",
) -> Incident:
    key = KpiKey(shop, event_type, kpi, segment, span)
    return Incident(
        id=f"{shop}/{event_type}/{kpi}/{segment}/{span}/low@{since}",
        key=key,
        direction="low",
        status="open" if until is None else "closed",
        since=since,
        until=until,
        last_bucket=since + DAY,
        value=66.6,
        expected=169.8,
        lower=165.5,
        upper=174.1,
        score=score,
        buckets=2,
        reason=reason,
        revision=1,
        updated_at=NOW,
    )


def verdicts(
    shop: str = "shop-002", kpi: str = "mean.height", segment: str = "all", reason: str = "as usual"
) -> list[VerdictRow]:
    """Twenty days up to the incident's second: warming, usual, then unusual."""
    key = KpiKey(shop, "widget-event", kpi, segment)
    rows = []
    for day in range(-18, 2):
        state: State = "warming" if day < -10 else "usual" if day < 0 else "unusual"
        judged = state != "warming"
        rows.append(
            VerdictRow(
                Verdict(
                    key=key,
                    bucket=SINCE + day * DAY,
                    value=66.6 if day >= 0 else 170.0,
                    n=100,
                    state=state,
                    score=-12.7 if day >= 0 else 0.0,
                    expected=169.8 if judged else None,
                    lower=165.5 if judged else None,
                    upper=174.1 if judged else None,
                    reason=reason if judged else f"{day + 18} of 14 days seen",
                    judged_at=NOW,
                )
            )
        )
    return rows


def stages(shop: str = "shop-002", broken_after: str = "normalise") -> list[StageRow]:
    """Daily height after each stage: from one stage on it is lower since the incident."""
    names = ("decode", "validate", "normalise", "segment")
    rows = []
    for day in range(-10, 2):
        for place, stage in enumerate(names):
            is_broken = day >= 0 and place >= names.index(broken_after)
            moments = Moments(n=100, mean=66.6 if is_broken else 170.0, m2=99.0, missing=3)
            changed = 40 if is_broken and stage == broken_after else 0
            rows.append(
                StageRow(
                    shop, "widget-event", "day", SINCE + day * DAY, stage, "height", moments,
                    Transition(changed=changed, sum_change=-103.0 * changed),
                )
            )  # fmt: skip
    return rows


def tap_rows(shop: str = "shop-002", **columns: str | float) -> list[TapRow]:
    """One record after `decode` and after `normalise`."""
    return [
        TapRow(
            event_type="widget-event",
            stage=stage,
            topic="widget-event",
            partition=0,
            offset=7,
            event_id="client-7",
            shop=shop,
            occurred_at=SINCE + 1000 if stage != "decode" else None,
            arrived_at=SINCE + 2000,
            columns={"height": height, "height_unit": "cm", **columns},
            tap="all",
        )
        for stage, height in (("decode", 170.0), ("normalise", 66.9))
    ]


def fill(engine: Engine, shop: str = "shop-002") -> Incident:
    """A shop with an incident and all that its page can show."""
    found = incident(shop)
    write(
        engine,
        IncidentRow(found),
        IncidentRow(incident(shop, segment="gender=female", score=-20.0)),
        IncidentRow(incident(shop, since=SINCE - 60 * DAY, until=SINCE - 58 * DAY)),
        IncidentRow(incident("shop-009", since=SINCE + DAY)),
        *verdicts(shop),
        *verdicts(shop, segment="gender=female"),
        *verdicts(shop, "volume"),
        *stages(shop),
        *tap_rows(shop),
    )
    return found


def site_of(engine: Engine, access: Access | None = None) -> Site:
    return Site(engine=engine, access=access or Access(SECRET), now_ms=lambda: NOW)


def with_tokens() -> Access:
    return Access(SECRET, token=READ, write_token=WRITE)


def get(
    site: Site,
    path: str,
    headers: Mapping[str, str] | None = None,
    /,
    *,
    method: str = "GET",
    **query: str,
) -> Response:
    sent = {"host": "127.0.0.1:8080", **(headers or {})}
    return site.answer(Request(method, path, urlencode(query), sent))


def post(
    site: Site, path: str, headers: Mapping[str, str] | None = None, /, **form: str
) -> Response:
    sent = {"host": "127.0.0.1:8080", "content-type": FORM, **(headers or {})}
    return site.answer(Request("POST", path, "", sent, body=urlencode(form).encode()))


def sign_in(site: Site, token: str = WRITE, who: str = "Ada") -> dict[str, str]:
    """The headers of a browser that has signed in."""
    answer = post(site, "/sign-in", token=token, who=who)
    assert answer.status == 303
    cookie = dict(answer.headers)["Set-Cookie"].partition(";")[0]
    return {"cookie": cookie}


def form_token_on(site: Site, path: str, headers: Mapping[str, str], **query: str) -> str:
    """The hidden token of the forms on a page."""
    text = get(site, path, headers, **query).body.decode()
    found = re.search(r'name="form" value="([0-9a-f]+)"', text)
    assert found, text
    return found[1]


class Markup(msgspec.Struct):
    """What a page consists of."""

    tags: set[str] = msgspec.field(default_factory=set)
    attributes: set[str] = msgspec.field(default_factory=set)
    addresses: list[str] = msgspec.field(default_factory=list)
    text: str = ""


def markup(answer: Response) -> Markup:
    found = Markup()

    class Parser(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.tags.add(tag)
            found.text += " " if tag in {"td", "th", "br", "li", "p"} else ""
            found.attributes |= {name for name, _ in attrs}
            named = {"href", "src", "action", "formaction", "data"}
            found.addresses += [value or "" for name, value in attrs if name in named]

        def handle_data(self, data: str) -> None:
            found.text += data

    parser = Parser()
    parser.feed(answer.body.decode())
    found.text = re.sub(r"\s+", " ", found.text)
    return found


def read(engine: Engine, path: str, **query: str) -> str:
    """The text of a page."""
    answer = get(site_of(engine), path, **query)
    assert answer.status == 200, answer.body
    return markup(answer).text
