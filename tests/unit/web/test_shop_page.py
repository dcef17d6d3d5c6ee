"""What is read on the list of shops, and on the page of one."""

from sqlalchemy import Engine
from tests.unit.web.fleet_of_shops import fill, get, read, site_of, verdicts, write


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


def test_what_is_usual_about_the_quality_of_values_is_folded_away(engine: Engine) -> None:
    write(engine, *verdicts(kpi="missing.height")[:-2], *verdicts(kpi="missing.age"))
    page = get(site_of(engine), "/shop", name="shop-002").body.decode()
    shown, _, folded = page.partition("<details")
    assert "share without age of widget events" in shown
    assert "share without height of widget events" in folded
    assert "1 more about mix" in folded
