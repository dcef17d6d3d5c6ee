"""What an on-call engineer reads on the overview of the fleet."""

from msgspec.structs import replace
from sqlalchemy import Engine
from tests.unit.web.fleet_of_shops import NOW, fill, get, incident, markup, read, site_of, write

from streamwatch.adapters.sql.acknowledgements import add_acknowledgement
from streamwatch.domain.rows import IncidentRow


def test_an_empty_database_says_what_to_start(engine: Engine) -> None:
    text = read(engine, "/")
    assert "Nothing is wrong now" in text
    assert "Nothing was read yet" in text
    assert "streamwatch worker" in text
    assert "No shop was judged yet" in read(engine, "/shops")


def test_a_departed_kpi_is_one_line_with_its_segments_behind_it(engine: Engine) -> None:
    fill(engine)
    text = read(engine, "/")
    assert "2 shops are outside their normal" in text
    assert "shop-002 mean height of widget events is unusually low" in text
    assert "66.6 cm, usually 165.5 to 174.1 cm" in text
    assert "since Sun 2026-03-01" in text
    assert "with 1 more behind it" in text
    assert text.count("shop-002 mean height") == 1


def test_the_worst_comes_first_and_the_acknowledged_last(engine: Engine) -> None:
    mild, bad, worst = (incident(f"shop-{n}", score=-n) for n in (5.0, 9.0, 30.0))
    write(engine, IncidentRow(mild), IncidentRow(worst), IncidentRow(bad))
    add_acknowledgement(engine, worst.id, "expected", "sale", "Ada", NOW)
    text = read(engine, "/")
    places = [text.index(f"shop-{n} mean") for n in (9.0, 5.0, 30.0)]
    assert places == sorted(places)
    assert "acknowledged: expected by Ada" in text
    assert "shop-30" not in read(engine, "/", status="new")
    assert "shop-5" not in read(engine, "/", status="acknowledged")


def test_a_database_that_nobody_writes_is_not_trusted_silently(engine: Engine) -> None:
    fill(engine)
    late = site_of(engine)
    text = markup(get(late, "/")).text
    assert "Nothing was written" not in text
    text = markup(get(replace(late, now_ms=lambda: NOW + 3 * 3_600_000), "/")).text
    assert "Nothing was written for 3 hours" in text


def test_incidents_can_be_filtered_and_searched(engine: Engine) -> None:
    fill(engine)
    write(engine, IncidentRow(incident("shop-050", "volume")))
    assert "shop-050" not in read(engine, "/", kpi="mean.height")
    assert "shop-002" not in read(engine, "/", shop="050")
    assert "until" in read(engine, "/", status="closed")
    assert "No incident matches" in read(engine, "/", shop="100%")
    assert "No incident matches" in read(engine, "/", shop="shop_0")


def test_more_than_a_page_is_paged(engine: Engine) -> None:
    write(engine, *(IncidentRow(incident(f"shop-{n:03d}", score=-n)) for n in range(1, 121)))
    first, last = read(engine, "/"), read(engine, "/", page="3")
    assert "1 to 50 of 120" in first
    assert "Page 1 of 3" in first
    assert "101 to 120 of 120" in last
    assert "shop-120" in first
    assert "shop-001" in last
    assert "shop-001" not in first
    assert "of 120" in read(engine, "/", page="9") or "No incident" in read(engine, "/", page="9")


def test_an_incident_of_many_shops_names_them_and_each_leads_to_it(engine: Engine) -> None:
    wide = incident("*")
    parts = [replace(incident(f"shop-{n}"), part_of=wide.id) for n in range(3)]
    write(engine, *(IncidentRow(one) for one in (wide, *parts)))
    text = read(engine, "/")
    assert "many shops mean height of widget events is unusually low" in text
    assert "3 shops are outside" in text
    assert "with 3 more behind it" in text
    assert "shop-1 mean" not in text
    assert "shop-1 mean" in read(engine, "/", shop="shop-1")
    assert "shop-2 mean height of widget events" in read(engine, "/incident", id=wide.id)
    assert "Part of a larger one" in read(engine, "/incident", id=parts[0].id)


def test_what_lasts_longer_than_the_incident_that_stood_for_it_is_listed_again(
    engine: Engine,
) -> None:
    cover = incident("shop-001", "volume")
    part = replace(incident("shop-001"), part_of=cover.id)
    write(engine, IncidentRow(cover), IncidentRow(part))
    assert "shop-001 mean height" not in read(engine, "/")
    write(engine, IncidentRow(replace(cover, status="closed", until=NOW, revision=2)))
    assert "shop-001 mean height" in read(engine, "/")
