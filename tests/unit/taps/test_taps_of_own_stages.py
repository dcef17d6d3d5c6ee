"""Taps after stages of one's own, before `normalise` and behind it."""

import pytest

from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import StageSettings
from streamwatch.domain.tap_settings import Filter, TapSettings
from streamwatch.taps.lint import check_tap


def advice(after: str, stages: tuple[str, ...]) -> list[str]:
    settings = Settings(stages=(StageSettings("fit", "mine:fit", after),))
    taken = Filter(expression="category == 'shoes'")
    tap = TapSettings("t", "widget-event", stages, filter=taken)
    return [finding.text for finding in check_tap(tap, settings)]


@pytest.mark.parametrize("after", ["decode", "validate"])
def test_a_filter_on_both_sides_of_normalise_is_told(after: str) -> None:
    (told,) = advice(after, ("fit", "segment"))
    assert told.startswith("`category` is compared as the client sent it after fit")


@pytest.mark.parametrize("after", ["normalise", "pseudonymise", "segment"])
def test_a_stage_behind_normalise_needs_no_advice(after: str) -> None:
    assert advice(after, ("fit", "segment")) == []
