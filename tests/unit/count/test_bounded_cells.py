"""What clients write freely takes up no more than its bounds."""

from collections.abc import Callable
from typing import Any

from streamwatch.domain.cells import ALL
from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import Rule
from streamwatch.stages.bounds import MOST_SEGMENTS, MOST_VALUES, OTHER
from streamwatch.stages.grouping import LONGEST_LABEL

NOW = 1_788_256_800_000
Make = Callable[..., Any]


def test_a_new_category_with_every_record_fits_a_message(counting: Make, widget: Make) -> None:
    count = counting()
    for start in range(0, 3_000, 1_000):
        count.feed(*[widget(category=f"c-{start + n}" + "x" * 500) for n in range(1_000)])
        (message,) = count.settle().messages
        assert len(message.value) < 500_000
    count.restart()
    cells = count.cells("shop-001", NOW)
    assert len(cells) == MOST_SEGMENTS + 1
    values = cells[ALL].labels["category"]
    assert len(values) == MOST_VALUES + 1
    assert values[OTHER] == 3_000 - MOST_VALUES
    assert max(map(len, values)) == LONGEST_LABEL
    assert cells[ALL].count == 3_000


def test_segments_that_were_seen_first_are_counted_to_the_end(counting: Make, widget: Make) -> None:
    count = counting()
    for _ in range(2):
        count.feed(*[widget(category=f"c-{n}") for n in range(600)])
        count.settle()
    cells = count.cells("shop-001", NOW)
    assert cells["gender=female"].count == 1_200
    assert cells["category=c-0"].count == 2


def test_a_record_that_is_only_marked_is_counted_with_its_mark(
    counting: Make, widget: Make
) -> None:
    rule = Rule("tall", "widget-event", "height", range=(100, 190), action="mark")
    count = counting(Settings(rules=(rule,)))
    count.feed(widget(height=200), widget(height=201))
    count.settle()
    count.feed(widget(height=202), widget())
    count.settle()
    cell = count.cells("shop-001", NOW)[ALL]
    assert (cell.count, cell.marks, cell.rejects) == (4, {"tall": 3}, {})
