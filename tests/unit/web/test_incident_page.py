"""What the page of an incident tells."""

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine
from tests.unit.web.fleet_of_shops import (
    DAY,
    SINCE,
    fill,
    get,
    incident,
    read,
    site_of,
    stages,
    tap_rows,
    verdicts,
    write,
)

from streamwatch.domain.rows import IncidentRow


def test_an_incident_shows_value_band_and_since_when(engine: Engine) -> None:
    found = fill(engine)
    text = read(engine, "/incident", id=found.id)
    assert "shop-002: mean height of widget events is unusually low" in text
    assert "66.6 cm, usually 165.5 to 174.1 cm (12.7 sd below)" in text
    assert "since Sun 2026-03-01" in text
    assert "103 cm below the expected" in text


@pytest.mark.parametrize(
    ("stage", "said"),
    [
        ("normalise", "After validate it is as before, after normalise it is not"),
        ("decode", "It is so after decode already: the records came in like this"),
    ],
)
def test_an_incident_shows_where_it_came_in(engine: Engine, stage: str, said: str) -> None:
    found = incident()
    write(engine, IncidentRow(found), *stages(broken_after=stage))
    text = read(engine, "/incident", id=found.id)
    assert said in text
    assert f"{stage} shift shows from here" in text
    assert "40 %" in text


def test_a_fall_in_volume_is_shown_by_the_records_after_each_stage(engine: Engine) -> None:
    found = incident(kpi="volume")
    write(engine, IncidentRow(found), *stages())
    text = read(engine, "/incident", id=found.id)
    assert "Records after each stage, in events" in text
    assert "decode 103 103 206" in text


def test_an_incident_shows_records_without_a_person(engine: Engine) -> None:
    found = fill(engine)
    text = read(engine, "/incident", id=found.id)
    assert "client-7 widget-event 0:7" in text
    assert "decode 170 cm" in text
    assert "normalise 66.9 cm" in text
    assert "pseudonym" not in text


def test_records_from_after_the_last_unusual_day_are_not_shown(engine: Engine) -> None:
    found = fill(engine)
    (late,) = (replace(row, offset=8, event_id="later", occurred_at=SINCE + 2 * DAY)
               for row in tap_rows() if row.stage == "normalise")  # fmt: skip
    write(engine, late)
    text = read(engine, "/incident", id=found.id)
    assert "client-7" in text
    assert "later" not in text


def test_an_incident_shows_its_query_and_what_is_alike(engine: Engine) -> None:
    found = fill(engine)
    text = read(engine, "/incident", id=found.id)
    assert "FROM tap_widget_event_journey" in text
    assert "1 other shop departed alike at the same time" in text
    assert "Of this shop and KPI" in text
    assert "Tue 2025-12-31" in text or "Wed 2025-12-31" in text


def test_a_kpi_without_stages_or_taps_has_a_page_too(engine: Engine) -> None:
    found = incident(kpi="silence", event_type="somewhere-else")
    write(engine, IncidentRow(found))
    text = read(engine, "/incident", id=found.id)
    assert "no stage statistics" in text
    assert "No tap holds a record" in text


def test_days_are_those_of_the_shops_own_zone(engine: Engine) -> None:
    # Midnight of the first of March in Berlin, and in Auckland.
    for shift in (-3_600_000, -12 * 3_600_000):
        found = incident(f"shop{shift}", since=SINCE + shift, until=SINCE + shift + DAY)
        write(engine, IncidentRow(found))
        assert "since Sun 2026-03-01 until Mon 2026-03-02" in read(engine, "/incident", id=found.id)


def test_a_silence_is_shown_among_the_days_around_it(engine: Engine) -> None:
    found = incident(kpi="silence", span="hour")
    write(engine, IncidentRow(found), *verdicts(kpi="volume"), *stages())
    text = read(engine, "/incident", id=found.id)
    assert "silence of widget events is unusually long" in text
    assert "The volume of widget events:" in text
    assert "Records after each stage, in events" in text


def test_the_origin_that_was_found_goes_before_the_numbers_alone(engine: Engine) -> None:
    told = {"origin": "client", "origin_reason": "already so in what the client sent"}
    found = replace(incident(), **told, hypothesis="inches for centimetres (100% of the values)")
    write(engine, IncidentRow(found), *stages())
    text = read(engine, "/incident", id=found.id)
    assert "The client sends it so. Already so in what the client sent." in text
    assert "inches for centimetres" in text
    assert "By the stages' daily numbers alone" not in text
    assert "from the client" in read(engine, "/", origin="client")
    assert "No incident matches" in read(engine, "/", origin="normalise")


def test_evidence_is_offered_and_downloaded_when_the_client_is_the_origin(engine: Engine) -> None:
    ours = incident()
    theirs = replace(incident("shop/../009"), origin="client")
    write(engine, IncidentRow(ours), IncidentRow(theirs))
    site = replace(site_of(engine), evidence=lambda one: b"zip" if one == theirs else None)
    assert "/evidence?id=" not in get(site, "/incident", id=ours.id).body.decode()
    assert "/evidence?id=" in get(site, "/incident", id=theirs.id).body.decode()
    assert get(site, "/evidence", id=ours.id).status == 404
    pack = get(site, "/evidence", id=theirs.id)
    assert (pack.body, pack.content_type) == (b"zip", "application/zip")
    name = dict(pack.headers)["Content-Disposition"]
    assert "/" not in name
    assert name.startswith('attachment; filename="evidence-shop')
