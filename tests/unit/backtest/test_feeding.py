import msgspec

from streamwatch.backtest.feeding import PORTION_LINES, by_hour

HOUR = 3_600_000


class Line(msgspec.Struct):
    arrived_ms: int


def test_a_portion_ends_with_the_hour_of_arrival() -> None:
    times = [5, 10, HOUR - 1, HOUR, HOUR + 5, 3 * HOUR]
    portions = list(by_hour(Line(time) for time in times))
    assert [[line.arrived_ms for line in portion] for portion in portions] == [
        [5, 10, HOUR - 1],
        [HOUR, HOUR + 5],
        [3 * HOUR],
    ]


def test_lines_that_arrived_at_an_unknown_time_come_in_portions_of_equal_length() -> None:
    portions = list(by_hour(Line(-1) for _ in range(2 * PORTION_LINES + 1)))
    assert [len(portion) for portion in portions] == [PORTION_LINES, PORTION_LINES, 1]


def test_where_many_lines_make_an_hour_portions_grow_until_they_hold_half_of_one() -> None:
    reached = [HOUR]
    sizes = []
    for portion in by_hour((Line(-1) for _ in range(40_000)), lambda: reached[0]):
        sizes.append(len(portion))
        reached[0] += len(portion) * HOUR // 10_000
    assert sizes[:6] == [1_000, 1_000, 2_000, 4_000, 8_000, 8_000]


def test_where_few_lines_make_an_hour_portions_shrink_again() -> None:
    reached = [HOUR]
    sizes = []
    for portion in by_hour((Line(-1) for _ in range(30_000)), lambda: reached[0]):
        sizes.append(len(portion))
        reached[0] += HOUR // 10 if len(sizes) < 4 else 2 * HOUR
    assert max(sizes) == 4_000
    assert sizes[-2] == PORTION_LINES


def test_an_older_arrival_stays_in_the_portion_that_is_open() -> None:
    portions = list(by_hour([Line(HOUR), Line(5), Line(HOUR + 1)]))
    assert len(portions) == 1


def test_no_lines_give_no_portion() -> None:
    assert list(by_hour([])) == []
