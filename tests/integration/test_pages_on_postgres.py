"""The pages show the same from PostgreSQL as from SQLite, whatever is asked."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import Engine
from tests.unit.web.fleet_of_shops import (
    DAY,
    SINCE,
    fill,
    form_token_on,
    get,
    incident,
    post,
    sign_in,
    site_of,
    with_tokens,
    write,
)
from tests.unit.web.test_acknowledging import FakeAlertmanager

from streamwatch.adapters.acknowledging import acknowledge, keep_silences
from streamwatch.adapters.sql.acknowledgements import acknowledgements_of, add_acknowledgement
from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.migrations import upgrade
from streamwatch.domain.rows import IncidentRow

LABELS = {"shop": "shop-002", "event_type": "widget-event", "kpi": "mean.height"}
ASKED: tuple[tuple[str, dict[str, str]], ...] = (
    ("/", {}),
    ("/", {"status": "new"}),
    ("/", {"status": "acknowledged"}),
    ("/", {"status": "closed"}),
    ("/", {"status": "all", "page": "2"}),
    ("/", {"shop": "SHOP-00"}),
    ("/", {"shop": "%"}),
    ("/", {"shop": "'; DROP TABLE incidents; --"}),
    ("/", {"kpi": "mean.height", "origin": "client"}),
    ("/shops", {}),
    ("/shops", {"search": "_009"}),
    ("/shop", {"name": "shop-002"}),
    ("/shop", {"name": "shop-002", "segment": "gender=female"}),
    ("/shop", {"name": "nobody\udcff"}),
    ("/incident", LABELS),
    ("/incident", {"id": "no such"}),
    ("/api/v1/incidents", {"status": "all"}),
    ("/api/v1/incident", LABELS),
    ("/api/v1/shops", {}),
    ("/api/v1/shop", {"name": "shop-002"}),
)


def engine_at(url: str) -> Iterator[Engine]:
    engine = create_engine_for(url)
    upgrade(engine)
    fill(engine)
    wide = msgspec.structs.replace(incident("*"), origin="client", id="wide")
    part = msgspec.structs.replace(incident("shop-011", since=SINCE + DAY), part_of="wide")
    many = [
        incident(f"shop-{n}", "volume", score=-n, event_type="purchase") for n in range(60, 130)
    ]
    write(engine, *(IncidentRow(one) for one in (wide, part, *many)))
    add_acknowledgement(engine, "wide", "expected", "a 'sale'", "Ada", SINCE)
    yield engine
    engine.dispose()


@pytest.fixture(name="on_postgres")
def _on_postgres(postgres: str) -> Iterator[Engine]:
    yield from engine_at(postgres)


@pytest.fixture(name="on_sqlite")
def _on_sqlite(tmp_path: Path) -> Iterator[Engine]:
    yield from engine_at(f"sqlite:///{tmp_path / 'streamwatch.db'}")


def test_every_page_is_the_same_on_both_databases(on_postgres: Engine, on_sqlite: Engine) -> None:
    for path, query in ASKED:
        sent = {name: text.encode("utf-8", "replace").decode() for name, text in query.items()}
        one, other = (get(site_of(engine), path, **sent) for engine in (on_postgres, on_sqlite))
        assert one.status == other.status, (path, query)
        if b"FROM tap_" in one.body:  # the query is in the database's own dialect
            assert one.body.partition(b"<pre")[0] == other.body.partition(b"<pre")[0]
        else:
            assert one.body == other.body, (path, query)


def test_acknowledging_works_on_postgres(on_postgres: Engine) -> None:
    found = incident()
    site = site_of(on_postgres, with_tokens())
    ada = sign_in(site)
    token = form_token_on(site, "/incident", ada, id=found.id)
    form = {"form": token, "id": found.id, "kind": "expected", "note": "é\u2066 'x'"}
    assert post(site, "/acknowledge", ada, **form).status == 303
    assert [one.note for one in acknowledgements_of(on_postgres, [found.id])] == ["é\u2066 'x'"]
    fake = FakeAlertmanager()
    silenced = acknowledge(
        on_postgres, fake, found, "false-alarm", "", "Ada", now_ms=SINCE, silence_ms=DAY
    )
    assert silenced.acknowledgement.silence
    closed = msgspec.structs.replace(found, status="closed", until=SINCE + DAY, revision=2)
    write(on_postgres, IncidentRow(closed))
    assert keep_silences(on_postgres, fake, now_ms=SINCE, silence_ms=DAY).lifted == 1
