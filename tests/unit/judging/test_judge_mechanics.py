"""What holds whatever the maths: clocks, late records, time zones, bad values, stored state."""

from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
import pytest

from streamwatch.adapters.kafka.exported import exported
from streamwatch.baselines import judging
from streamwatch.domain.cells import ALL, DAY_MS, HOUR_MS, Cell, Moments, Transition
from streamwatch.domain.messages import Heartbeat, Partial
from streamwatch.domain.readings import KpiKey, Reading
from streamwatch.domain.records import FileRecord, PartitionId, Slice
from streamwatch.domain.settings import JudgingSettings
from streamwatch.errors import StateError
from streamwatch.runner.partition import Partition
from streamwatch.runner.ports import Stored
from streamwatch.steps.clocks import Clocks, hear

if TYPE_CHECKING:
    from tests.unit.judging.conftest import Company

MONDAY = 1_704_067_200_000


def beat(
    partition: int,
    clock: int,
    *,
    lag: int = 0,
    sent: int | None = None,
    offset: int | None = None,
    epoch: int = 0,
) -> Heartbeat:
    sent = clock if sent is None else sent
    return Heartbeat("purchase", "purchase", partition, offset or clock, lag, clock, sent, epoch)


def test_a_lagging_partition_holds_the_clock_and_a_quiet_one_does_not() -> None:
    clocks = Clocks()
    hear(clocks, beat(0, 1000))
    hear(clocks, beat(1, 500, sent=1001))
    assert clocks.of("purchase") == 1000
    hear(clocks, beat(0, 9000, sent=9000))
    hear(clocks, beat(1, 2000, lag=7, sent=9001))
    hear(clocks, beat(0, 9500, sent=9500))
    assert clocks.of("purchase") == 9000
    hear(clocks, beat(1, 9400, sent=9501))
    assert clocks.of("purchase") == 9500


def test_a_partition_that_nobody_reads_holds_the_clock() -> None:
    clocks = Clocks()
    hear(clocks, beat(0, 1000))
    hear(clocks, beat(1, 1000))
    hear(clocks, beat(1, 100_000))
    assert clocks.of("purchase") == 1000


def test_the_clock_never_goes_back_and_old_heartbeats_change_nothing() -> None:
    clocks = Clocks()
    assert hear(clocks, beat(0, 5000))
    assert not hear(clocks, beat(0, 4000, offset=6000))
    assert clocks.of("purchase") == 5000
    assert not hear(clocks, beat(0, 9000, offset=10))
    assert clocks.of("purchase") == 5000


def test_a_day_is_closed_when_its_end_and_the_lateness_have_passed(company: "Company") -> None:
    company.send("shop-001", MONDAY + HOUR_MS, 7)
    company.beat(MONDAY + DAY_MS + HOUR_MS - 1)
    assert company.verdicts == []
    company.beat(MONDAY + DAY_MS + HOUR_MS)
    assert [verdict.value for verdict in company.of("volume")] == [7.0]


def test_lag_keeps_a_day_open(company: "Company") -> None:
    company.send("shop-001", MONDAY + HOUR_MS, 7)
    company.beat(MONDAY + HOUR_MS, lag=100)
    company.beat(MONDAY + 3 * DAY_MS, partition=1)
    assert company.verdicts == []


def test_late_records_judge_their_day_again(company: "Company") -> None:
    company.send("shop-001", MONDAY, 10)
    company.day(1, {"shop-001": 5})
    company.send("shop-001", MONDAY + DAY_MS + 12 * HOUR_MS, 9)
    company.beat(MONDAY + 2 * DAY_MS + 3 * HOUR_MS)
    both = [
        verdict
        for verdict in company.verdicts
        if verdict.bucket == MONDAY + DAY_MS and verdict.key.kpi == "volume"
    ]
    assert [(verdict.version, verdict.value) for verdict in both] == [(1, 5.0), (2, 9.0)]


def test_late_records_take_an_incident_back(company: "Company") -> None:
    for day in range(30):
        company.day(day, {"shop-001": 300 + day % 3})
    company.day(30, {"shop-001": 2})
    [incident] = company.incidents.values()
    assert incident.status == "open"
    company.send("shop-001", MONDAY + 30 * DAY_MS + 12 * HOUR_MS, 301)
    company.beat(MONDAY + 31 * DAY_MS + 3 * HOUR_MS)
    [incident] = company.incidents.values()
    assert (incident.status, incident.reason) == (
        "closed",
        "judged again with all its records, it is usual",
    )


def test_judging_a_bucket_twice_learns_it_once(company: "Company") -> None:
    for day in range(30):
        company.day(day, {"shop-001": 300 + day % 3})
    baselines = company.judge_state.shops["shop-001"]["widget-event"].learned.baselines
    before = baselines["day|volume|all"]
    company.send("shop-001", MONDAY + 29 * DAY_MS + 12 * HOUR_MS, 310)
    company.beat(MONDAY + 30 * DAY_MS + 3 * HOUR_MS)
    assert company.of("volume")[-1].version == 2
    assert baselines["day|volume|all"] == before


def test_an_older_partial_changes_nothing(company: "Company") -> None:
    noon = MONDAY + 12 * HOUR_MS
    company.send("shop-001", noon, 9, version=50)
    company.send("shop-001", noon, 4, version=49)
    company.send("shop-001", noon, 5, version=50)
    company.beat(MONDAY + 2 * DAY_MS)
    assert company.of("volume")[0].value == 9.0


def test_sources_of_one_day_are_added(company: "Company") -> None:
    for partition in (0, 1):
        cells = {ALL: Cell(count=3, numbers={"height": Moments(3, 160.0 + 10 * partition, 0.0)})}
        partial = Partial("widget-event", "widgets", partition, "a", MONDAY, 1, MONDAY, cells)
        company.tell(msgspec.msgpack.encode(partial))
    company.beat(MONDAY + 2 * DAY_MS)
    assert company.of("volume", "a")[0].value == 6.0
    assert company.of("mean.height", "a")[0].value == 165.0


@pytest.mark.parametrize(("month", "hours"), [("2024-03-31", 23), ("2024-10-27", 25)])
def test_a_day_on_which_the_clocks_change_is_one_day(
    new_company: "type[Company]", month: str, hours: int
) -> None:
    zone = ZoneInfo("Europe/Berlin")
    company = new_company(zone=zone)
    first = {"2024-03-31": 1_711_839_600_000, "2024-10-27": 1_729_980_000_000}[month]
    company.send("shop-001", first - DAY_MS, 1)
    for hour in range(hours):
        company.send("shop-001", first + hour * HOUR_MS, 1)
    company.send("shop-001", first + hours * HOUR_MS, 100)
    company.beat(first + 3 * DAY_MS)
    counts = {verdict.bucket: verdict.value for verdict in company.of("volume")}
    assert counts[first] == hours
    assert counts[first + hours * HOUR_MS] == 100


def test_a_day_is_the_shops_own(new_company: "type[Company]") -> None:
    company = new_company(zone=ZoneInfo("America/New_York"))
    company.send("shop-001", MONDAY + 4 * HOUR_MS, 3)
    company.send("shop-001", MONDAY + 5 * HOUR_MS, 4)
    company.beat(MONDAY + 3 * DAY_MS)
    assert [verdict.value for verdict in company.of("volume")][:2] == [3.0, 4.0]


def test_a_jump_of_the_clock_by_years_restarts_the_learning(company: "Company") -> None:
    for day in range(20):
        company.day(day, {"shop-001": 300 if day < 19 else 0})
    assert [incident.status for incident in company.incidents.values()] == ["open"]
    judged = len(company.verdicts)
    company.beat(MONDAY + 5000 * DAY_MS)
    assert len(company.verdicts) - judged == 1
    assert "learning anew" in company.verdicts[-1].reason
    assert [incident.status for incident in company.incidents.values()] == ["closed"]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -float("inf"), 1e300])
@pytest.mark.parametrize("day", [3, 20])
def test_a_bad_number_poisons_no_baseline(company: "Company", bad: float, day: int) -> None:
    for number in range(40):
        if number == day:
            height = Moments(100, bad, 1.0)
            company.send("shop-001", MONDAY + number * DAY_MS, 100, height=height)
        company.day(number, {"shop-001": 100}, 170.0)
    company.day(40, {"shop-001": 100}, 150.0)
    assert company.of("mean.height")[-2].state == "usual"
    assert company.of("mean.height")[-1].state == "unusual"


@pytest.mark.parametrize("kpi", ["volume", "mean.height"])
@pytest.mark.parametrize("bad", [float("nan"), float("inf"), -5.0e13])
def test_a_baseline_neither_judges_nor_learns_what_is_no_number(kpi: str, bad: float) -> None:
    settings = JudgingSettings()
    key = KpiKey("shop-001", "widget-event", kpi)
    baseline = judging.begin(key)
    for day in range(20):
        reading = Reading(key, day * DAY_MS, day % 7, 100.0, 100, 4.0)
        verdict = judging.score(baseline, reading, settings)
        baseline = judging.learn(baseline, reading, verdict, settings)
    reading = Reading(key, 20 * DAY_MS, 6, bad, 100, 4.0)
    verdict = judging.score(baseline, reading, settings)
    assert verdict.state == "warming"
    assert judging.learn(baseline, reading, verdict, settings) == baseline


@pytest.mark.parametrize(
    "value", [None, b"", b"\xff", b"{}", msgspec.msgpack.encode({"type": "x"})]
)
def test_a_record_that_is_no_message_is_counted_and_passed_over(
    company: "Company", value: bytes | None
) -> None:
    slice_ = Slice("readings", 0, (FileRecord(offset=0, value=value),))
    judged = company.judge.process(company.judge_state, slice_, 0)
    found = company.fleet.process(company.fleet_state, slice_, 0)
    assert (judged.dead_lettered, judged.aggregated) == (1, 0)
    assert (found.dead_lettered, found.aggregated) == (1, 0)


def test_an_impossible_hour_is_counted_and_passed_over(company: "Company") -> None:
    for hour in (-1, 10**18):
        value = msgspec.msgpack.encode(Partial("purchase", "p", 0, "a", hour, 1, 0, {}))
        slice_ = Slice("readings", 0, (FileRecord(offset=0, value=value),))
        assert company.judge.process(company.judge_state, slice_, 0).dead_lettered == 1


def test_stage_statistics_are_told_for_each_closed_day(company: "Company") -> None:
    cell = Cell(
        count=2,
        stages={"decode": {"height": Moments(2, 67.0, 2.0)}},
        transitions={"normalise": {"height": Transition(2, 210.0)}},
    )
    partial = Partial("widget-event", "w", 0, "a", MONDAY, 1, MONDAY, {ALL: cell})
    company.tell(msgspec.msgpack.encode(partial))
    company.beat(MONDAY + DAY_MS + HOUR_MS)
    told = {row.stage: row for row in company.stages}
    assert told["decode"].moments == Moments(2, 67.0, 2.0)
    assert told["normalise"].transition == Transition(2, 210.0)


def test_old_partials_are_dropped_from_memory_and_storage(company: "Company") -> None:
    for day in range(30):
        company.day(day, {"shop-001": 10})
        company.restart()
    kept = [key for key in company.judge_stored if key.startswith("hour/")]
    assert 8 <= len(kept) <= 10


def test_a_flush_writes_only_what_changed(company: "Company") -> None:
    company.day(0, {"shop-001": 10, "shop-002": 10})
    company.restart()
    company.send("shop-002", MONDAY + DAY_MS, 4)
    changes = company.judge.settle(company.judge_state, 0, 0, 0).changes
    assert list(changes) == [f"hour/widget-event/{MONDAY + DAY_MS}/shop-002"]
    assert company.judge.settle(company.judge_state, 0, 0, 0).changes == {}


def test_what_is_unusual_or_open_is_announced_again_after_a_crash(company: "Company") -> None:
    for day in range(20):
        company.day(day, {"shop-001": 300 if day < 19 else 0})
    company.restart()
    verdicts = [
        msgspec.json.decode(message.value)["state"]
        for message in company.judge.announce(company.judge_state, 0, 0)
    ]
    assert verdicts == ["unusual"]
    before = dict(company.incidents)
    company.tell_fleet(company.judge.announce(company.judge_state, 0, 0))
    assert company.incidents == before
    [message] = company.fleet.announce(company.fleet_state, 0, 0)
    assert msgspec.json.decode(message.value)["status"] == "open"


@pytest.mark.parametrize("stored", [b"", b"\x01\xc1", b"\xfe\x80"])
@pytest.mark.parametrize("key", ["clocks", "shop/a", "hour/purchase/0/a"])
def test_a_state_that_cannot_be_read_is_named(company: "Company", key: str, stored: bytes) -> None:
    with pytest.raises(StateError, match=key):
        company.judge.restore({key: stored})
    if key.startswith("shop/"):
        with pytest.raises(StateError, match=key):
            company.fleet.restore({key: stored})


def test_an_hour_without_its_shop_is_named(company: "Company") -> None:
    company.send("shop-001", MONDAY, 1)
    changes = company.judge.settle(company.judge_state, 0, 0, 0).changes
    hours = {key: value for key, value in changes.items() if key.startswith("hour/") and value}
    with pytest.raises(StateError, match="no stored shop"):
        company.judge.restore(hours)


def test_an_earlier_first_day_outlives_a_restart(company: "Company") -> None:
    company.send("shop-001", MONDAY + DAY_MS, 1)
    company.restart()
    company.send("shop-001", MONDAY, 1)
    company.restart()
    company.beat(MONDAY + 3 * DAY_MS)
    assert [verdict.bucket for verdict in company.of("volume")][:1] == [MONDAY]


def test_a_late_hour_outlives_a_restart(new_company: "type[Company]") -> None:
    company = new_company(JudgingSettings(hourly_from=0.1))
    company.day(0, {"shop-001": 30})
    company.day(1, {"shop-001": 30})
    start = MONDAY + 2 * DAY_MS
    company.send("shop-001", start + HOUR_MS, 5)
    company.beat(start + 4 * HOUR_MS)
    company.restart()
    company.send("shop-001", start + HOUR_MS, 8)
    company.restart()
    company.beat(start + 5 * HOUR_MS)
    values = [v.value for v in company.verdicts if v.key.span == "hour" and v.version == 2]
    assert values == [8.0]


def test_after_a_restart_every_kpi_still_has_its_newest_verdict(company: "Company") -> None:
    for day in range(20):
        company.day(day, {"shop-001": 100, "shop-002": 5}, 170.0)
    company.restart()
    partition = Partition(
        company.judge,
        PartitionId("judge", "readings", 0),
        Stored(fence=1, epoch=0, topic_id="", states=company.judge_stored, accounting=None),
    )
    verdicts, _ = exported(partition)
    newest = {one.key: one for one in company.verdicts if one.state != "warming"}
    assert {one.key for one in verdicts} == newest.keys()
    for one in verdicts:
        told = newest[one.key]
        assert (one.bucket, one.value, one.upper) == (told.bucket, told.value, told.upper)
