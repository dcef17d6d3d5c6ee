"""Which columns a tap has follows from the event type and the stage alone."""

import pytest

from streamwatch.domain.events import EVENT_TYPES, PURCHASE, WIDGET_EVENT, EventType
from streamwatch.domain.refusals import STAGES
from streamwatch.domain.tap_settings import TapSettings
from streamwatch.taps.columns import EVERY_ROW, IDENTITY, tap_columns, written_columns

every_type = pytest.mark.parametrize("event_type", EVENT_TYPES.values(), ids=EVENT_TYPES)


@every_type
def test_no_stage_has_a_column_for_the_shopper(event_type: EventType) -> None:
    for stage in STAGES:
        assert IDENTITY not in tap_columns(event_type, stage)


@every_type
def test_no_column_repeats_what_every_row_holds(event_type: EventType) -> None:
    for stage in STAGES:
        assert set(tap_columns(event_type, stage)) & set(EVERY_ROW) == set()


@every_type
def test_the_time_as_sent_is_there_up_to_validate(event_type: EventType) -> None:
    having = [stage for stage in STAGES if "time" in tap_columns(event_type, stage)]
    assert having == ["decode", "validate"]


@every_type
def test_what_a_stage_adds_stays(event_type: EventType) -> None:
    added = {"pseudonym": "pseudonymise", "bucket": "segment", "segments": "segment"}
    for column, first in added.items():
        having = [stage for stage in STAGES if column in tap_columns(event_type, stage)]
        assert having == list(STAGES[STAGES.index(first) :])


def test_numbers_are_floats_and_all_else_is_text() -> None:
    columns = tap_columns(PURCHASE, "decode")
    assert columns["price"] is float
    assert columns["currency"] is str
    assert tap_columns(PURCHASE, "segment")["bucket"] is int


def test_an_unknown_stage_is_refused() -> None:
    with pytest.raises(ValueError, match="not in tuple"):
        tap_columns(WIDGET_EVENT, "dekode")


def test_a_tap_that_names_no_column_writes_all_of_its_stage() -> None:
    tap = TapSettings("t", "widget-event", ("decode", "segment"))
    for stage in tap.stages:
        assert written_columns(tap, stage) == tuple(tap_columns(WIDGET_EVENT, stage))
