"""What JUDGE and FLEET store, and what they say again after a restart."""

from typing import TYPE_CHECKING

import msgspec
import pytest

from streamwatch.adapters.kafka.exported import exported
from streamwatch.domain.cells import DAY_MS, HOUR_MS
from streamwatch.domain.records import PartitionId
from streamwatch.domain.settings import JudgingSettings
from streamwatch.errors import StateError
from streamwatch.runner.partition import Partition
from streamwatch.runner.ports import Stored

if TYPE_CHECKING:
    from tests.unit.judging.conftest import Company

MONDAY = 1_704_067_200_000


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
