"""What an on-call engineer reads on the pages."""

import pytest
from msgspec.structs import replace
from sqlalchemy import Engine
from tests.unit.web.fleet_of_shops import (
    DAY,
    NOW,
    SINCE,
    fill,
    get,
    incident,
    markup,
    site_of,
    stages,
    tap_rows,
    verdicts,
    write,
)

from streamwatch.adapters.sql.acknowledgements import add_acknowledgement
from streamwatch.domain.rows import IncidentRow


def read(engine: Engine, path: str, **query: str) -> str:
    answer = get(site_of(engine), path, **query)
    assert answer.status == 200, answer.body
    return markup(answer).text


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


def test_shops_are_found_by_a_part_of_their_name(engine: Engine) -> None:
    fill(engine)
    write(engine, *verdicts("other", "volume"))
    text = read(engine, "/shops")
    assert "1 to 2 of 2 shops" in text
    assert "widget events Mon 2026-03-02" in text
    found = read(engine, "/shops", search="OTH")
    assert "1 to 1 of 1" in found
    assert "No shop has “zz”" in read(engine, "/shops", search="zz")


def test_a_shop_shows_each_kpi_with_its_state_and_reason(engine: Engine) -> None:
    fill(engine)
    text = read(engine, "/shop", name="shop-002")
    assert "mean height of widget events unusual" in text
    assert "as usual" in text
    assert "2 open incidents" in text
    page = get(site_of(engine), "/shop", name="shop-002").body.decode()
    assert page.count('<svg class="plot') == 2
    assert "gender=female" in text
    cut = read(engine, "/shop", name="shop-002", segment="gender=female")
    assert "mean height of widget events, gender=female" in cut


def test_every_plot_of_a_shop_has_its_newest_numbers_as_a_table(engine: Engine) -> None:
    fill(engine)
    text = read(engine, "/shop", name="shop-002")
    assert "Verdicts on mean height of widget events" in text
    assert "Mon 2026-03-02 66.6 165.5 to 174.1 unusual" in text
    assert "Sat 2026-02-28 170 165.5 to 174.1 usual" in text


def test_a_kpi_that_is_learning_says_why_there_is_no_verdict(engine: Engine) -> None:
    write(engine, *verdicts()[:5])
    text = read(engine, "/shop", name="shop-002")
    assert "1 still learning" in text
    assert "4 of 14 days seen" in text


def test_an_unknown_shop_is_not_found(engine: Engine) -> None:
    fill(engine)
    for query in ({"name": "nobody"}, {}, {"name": "shop-002", "segment": "x=y"}):
        answer = get(site_of(engine), "/shop", **query)
        assert answer.status == 404


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


def test_an_alert_leads_to_its_incident_by_its_labels(engine: Engine) -> None:
    found = fill(engine)
    labels = {"shop": "shop-002", "event_type": "widget-event", "kpi": "mean.height"}
    text = read(engine, "/incident", **labels, direction="low")
    assert found.id in text
    assert get(site_of(engine), "/incident", **labels, direction="high").status == 404


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


def test_runbooks_are_served_as_plain_text(engine: Engine) -> None:
    site = replace(site_of(engine), runbook=lambda name: f"# {name}" if name == "Known" else None)
    answer = get(site, "/runbooks/Known.md")
    assert (answer.body, answer.content_type) == (b"# Known", "text/plain; charset=utf-8")
    assert get(site, "/runbooks/Unknown.md").status == 404


def test_a_silence_is_shown_among_the_days_around_it(engine: Engine) -> None:
    found = incident(kpi="silence", span="hour")
    write(engine, IncidentRow(found), *verdicts(kpi="volume"), *stages())
    text = read(engine, "/incident", id=found.id)
    assert "silence of widget events is unusually long" in text
    assert "The volume of widget events:" in text
    assert "Records after each stage, in events" in text


def test_what_is_usual_about_the_quality_of_values_is_folded_away(engine: Engine) -> None:
    write(engine, *verdicts(kpi="missing.height")[:-2], *verdicts(kpi="missing.age"))
    page = get(site_of(engine), "/shop", name="shop-002").body.decode()
    shown, _, folded = page.partition("<details")
    assert "share without age of widget events" in shown
    assert "share without height of widget events" in folded
    assert "1 more about mix" in folded


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


def test_an_alert_on_many_shops_without_an_incident_of_its_own_leads_to_those_of_the_shops(
    engine: Engine,
) -> None:
    labels = {"shop": "*", "event_type": "widget-event", "kpi": "mean.height", "direction": "low"}
    away = get(site_of(engine), "/incident", **labels)
    assert (away.status, dict(away.headers)["Location"]) == (303, "/?kpi=mean.height")
    write(engine, IncidentRow(incident("*")))
    assert "many shops" in read(engine, "/incident", **labels).lower()
    assert get(site_of(engine), "/api/v1/incident", **{**labels, "direction": "high"}).status == 404


def test_what_lasts_longer_than_the_incident_that_stood_for_it_is_listed_again(
    engine: Engine,
) -> None:
    cover = incident("shop-001", "volume")
    part = replace(incident("shop-001"), part_of=cover.id)
    write(engine, IncidentRow(cover), IncidentRow(part))
    assert "shop-001 mean height" not in read(engine, "/")
    write(engine, IncidentRow(replace(cover, status="closed", until=NOW, revision=2)))
    assert "shop-001 mean height" in read(engine, "/")
