import msgspec
import pytest

from streamwatch.backtest.labels import Fault
from streamwatch.backtest.record import Record
from streamwatch.backtest.scorecard import score
from streamwatch.backtest.sizes import size_class
from streamwatch.domain.incidents import Incident
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.rows import IncidentRow, Row, VerdictRow
from streamwatch.domain.verdicts import State, Verdict

DAY = 86_400_000
HOUR = 3_600_000
VOLUME = KpiKey("a", "purchase", "volume")
DROP = Fault("drop", "a", 40 * DAY, 42 * DAY, frozenset({("purchase", "volume")}))


def verdict(day: int, state: State = "usual", key: KpiKey = VOLUME) -> VerdictRow:
    return VerdictRow(Verdict(key, day * DAY, 100.0, 100, state, 0.0, None, None, None, ""))


def incident(
    since: int,
    last: int,
    key: KpiKey = VOLUME,
    opened_at: int | None = None,
    revision: int = 1,
) -> IncidentRow:
    at = last * DAY + 26 * HOUR if opened_at is None else opened_at
    return IncidentRow(
        Incident(
            id=f"{key.shop}/{key.kpi}/{key.segment}/{since}",
            key=key,
            direction="low",
            status="open",
            since=since * DAY,
            until=None,
            last_bucket=last * DAY,
            value=1.0,
            expected=2.0,
            lower=1.5,
            upper=2.5,
            score=-9.0,
            buckets=1,
            reason="",
            revision=revision,
            updated_at=at,
        )
    )


def record_of(*rows: Row) -> Record:
    record = Record()
    record.take([verdict(day) for day in range(100)])
    record.take(rows)
    return record


def test_a_fault_is_found_by_an_incident_on_its_kpi_and_the_delay_counts_from_its_start() -> None:
    card = score(record_of(incident(40, 40)), [DROP])
    assert (card.found, card.recall, card.precision) == (1, 1.0, 1.0)
    assert card.delay_hours.median == 26.0


def test_a_segments_incident_finds_the_shops_fault() -> None:
    segment = msgspec.structs.replace(VOLUME, segment="gender=male")
    assert score(record_of(incident(41, 41, segment)), [DROP]).found == 1


def test_a_silence_that_is_told_after_a_fault_in_which_it_began_finds_it() -> None:
    """A shop that sends daily files: that of the silent day would have come when it was over."""
    key = KpiKey("a", "purchase", "silence", "all", "hour")
    fault = msgspec.structs.replace(DROP, kpis=frozenset({("purchase", "silence")}))
    told = incident(43, 43, key)
    told = IncidentRow(msgspec.structs.replace(told.incident, value=30.0))
    card = score(record_of(told), [fault])
    assert (card.found, card.hits, card.false) == (1, 1, 0)
    short = IncidentRow(msgspec.structs.replace(told.incident, value=20.0))
    assert score(record_of(short), [fault]).false == 1


def test_the_first_telling_of_an_incident_is_its_opening() -> None:
    first, later = incident(40, 40), incident(40, 41, revision=2)
    assert score(record_of(first, later), [DROP]).delay_hours.median == 26.0


def test_an_incident_that_was_open_before_the_fault_does_not_find_it() -> None:
    before = incident(38, 41, opened_at=38 * DAY + 26 * HOUR)
    card = score(record_of(before), [DROP])
    assert card.found == 0
    assert [one.kind for one in card.missed] == ["drop"]


def test_an_incident_without_a_fault_is_false() -> None:
    card = score(record_of(incident(50, 50)), [DROP])
    assert (card.false, card.precision, card.recall) == (1, 0.0, 0.0)
    (alarms,) = card.alarms_by_kpi
    assert alarms.name == "purchase volume by day"
    assert abs(alarms.months - 100 / 30.4375) < 1e-9
    assert alarms.false_per_month == pytest.approx(1 / alarms.months)


def test_an_incident_on_another_kpi_during_a_fault_is_neither_hit_nor_false() -> None:
    price = KpiKey("a", "purchase", "mean.price.EUR")
    card = score(record_of(incident(40, 40, price)), [DROP])
    assert (card.hits, card.beside, card.false, card.found) == (0, 1, 0, 0)


def test_a_long_incident_counts_once() -> None:
    card = score(record_of(incident(50, 60)), [])
    assert (card.incidents, card.false) == (1, 1)


def test_unusual_verdicts_are_counted_outside_faults_only() -> None:
    card = score(record_of(verdict(40, "unusual"), verdict(50, "unusual")), [DROP])
    (alarms,) = card.alarms_by_kpi
    assert alarms.unusual_per_month == pytest.approx(1 / alarms.months)


def test_a_revised_verdict_replaces_the_earlier() -> None:
    record = record_of(verdict(50, "unusual"), verdict(50, "usual"))
    assert score(record, []).alarms_by_kpi[0].unusual_per_month == 0


def test_warming_days_are_not_judged_days() -> None:
    record = Record()
    record.take([verdict(day, "warming") for day in range(10)])
    card = score(record, [])
    assert (card.shops, card.shop_months) == (0, 0)


def test_faults_are_listed_by_size_of_their_shop() -> None:
    card = score(record_of(), [DROP])
    assert [one.name for one in card.by_size] == ["100 to 1,000 a day"]


def test_nothing_at_all_gives_no_numbers_rather_than_wrong_ones() -> None:
    card = score(Record(), [])
    assert (card.precision, card.recall, card.delay_hours.median) == (None, None, None)


def test_size_classes_meet_without_a_gap() -> None:
    assert size_class(9.99) == "below 10 a day"
    assert size_class(10) == "10 to 100 a day"


def test_a_silence_that_alarms_once_has_the_months_that_all_shops_were_watched() -> None:
    silence = KpiKey("a", "purchase", "silence", "all", "hour")
    card = score(record_of(verdict(50, "unusual", silence), incident(50, 50, silence)), [])
    alarms = {one.name: one for one in card.alarms_by_kpi}["purchase silence by hour"]
    assert alarms.months == pytest.approx(100 / 30.4375)
    assert alarms.false == 1


def test_an_incident_that_is_part_of_another_alarms_nobody() -> None:
    whole, part = incident(10, 10), incident(10, 10, KpiKey("a", "purchase", "volume", "g=f"))
    covered = msgspec.structs.replace(part.incident, part_of=whole.incident.id, revision=2)
    record = record_of(whole, part, IncidentRow(covered))
    card = score(record, [])
    assert (card.incidents, card.covered, card.false) == (1, 1, 1)


def test_an_incident_that_another_covers_only_later_has_alarmed_somebody() -> None:
    part = incident(10, 10)
    record = record_of(part)
    record.take([IncidentRow(msgspec.structs.replace(part.incident, part_of="x", revision=2))])
    assert (score(record, []).false, score(record, []).covered) == (1, 0)


def test_an_incident_of_many_shops_is_right_when_three_of_them_have_a_fault() -> None:
    wide = incident(40, 41, KpiKey("*", "purchase", "volume"))
    faults = [msgspec.structs.replace(DROP, shop=shop) for shop in "abc"]
    assert score(record_of(wide), faults).hits == 1
    assert score(record_of(wide), faults[:2]).false == 1
