"""What a client may write as a time, and what it means."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamwatch.domain.events import Time
from streamwatch.stages.when import event_time_ms

BERLIN = ZoneInfo("Europe/Berlin")


def read(time: Time, zone: tzinfo = UTC) -> int | None:
    return event_time_ms(time, lambda _shop: zone, "shop-001")


def utc(*fields: int) -> int:
    return round(datetime(*fields, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "2026-09-01T10:00:00Z",
        "2026-09-01T12:00:00+02:00",
        "2026-09-01T05:30:00-04:30",
        "2026-09-01 10:00:00+00:00",
        "2026-09-01T10:00:00.000000Z",
        "20260901T100000Z",
        "1788256800",
        "1788256800.0",
        "1788256800000",
        "1.7882568e9",
        1788256800,
        1788256800.0,
        1788256800000,
    ],
)
def test_the_same_moment_in_every_spelling(text: Time) -> None:
    assert read(text, BERLIN) == utc(2026, 9, 1, 10)


def test_a_time_without_offset_is_the_shops_own() -> None:
    assert read("2026-09-01T12:00:00", BERLIN) == utc(2026, 9, 1, 10)
    assert read("2026-01-01T12:00:00", BERLIN) == utc(2026, 1, 1, 11)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-29T01:59:59", utc(2026, 3, 29, 0, 59, 59)),
        ("2026-03-29T02:30:00", utc(2026, 3, 29, 1, 30)),  # no clock shows it
        ("2026-03-29T03:00:00", utc(2026, 3, 29, 1)),
        ("2026-10-25T02:30:00", utc(2026, 10, 25, 0, 30)),  # shown twice: the first
        ("2026-10-25T03:00:00", utc(2026, 10, 25, 2)),
    ],
)
def test_clock_changes_have_one_reading(text: str, moment: int) -> None:
    assert read(text, BERLIN) == moment


def test_a_bare_date_is_its_first_moment() -> None:
    assert read("20260901") == read("2026-09-01") == utc(2026, 9, 1)


@given(st.integers(utc(2000, 1, 1), utc(2100, 1, 1)))
def test_every_moment_is_read_back(moment: int) -> None:
    written = datetime.fromtimestamp(moment / 1000, UTC).isoformat(timespec="milliseconds")
    assert read(written) == moment
    assert read(moment) == moment
    assert read(str(moment)) == moment
    assert read(str(moment // 1000)) == moment // 1000 * 1000


@pytest.mark.parametrize(
    "time",
    ["", "soon", "2026-13-01T00:00:00Z", "2026-02-30", "nan", "inf", "-inf", "1_788_256_800",
     "\u0661\u0667\u0668\u0668\u0662\u0665\u0666\u0668\u0660\u0660", "\uff12026-09-01",
     "1788256800 s", "10:00", "9" * 5000, None, float("nan"), float("inf"), "0x6a", "T"],
)  # fmt: skip
def test_what_cannot_be_read_is_no_time(time: Time) -> None:
    assert read(time) is None


@pytest.mark.parametrize("time", [10**400, -(10**400), 1e308, "1e300", "0001-01-01T00:00:00"])
def test_absurd_times_are_read_without_failing(time: Time) -> None:
    moment = read(time, BERLIN)
    assert moment is None or not utc(2000, 1, 1) < moment < utc(2100, 1, 1)


@given(st.one_of(st.text(), st.integers(), st.floats(), st.none()))
def test_nothing_that_a_client_writes_raises(time: Time) -> None:
    assert isinstance(read(time, BERLIN), int | None)
