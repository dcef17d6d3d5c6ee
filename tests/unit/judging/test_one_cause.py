"""Incidents that say the same are one, and an empty day of rest ends no outage."""

from streamwatch.baselines.tails import count_deviation
from streamwatch.domain.cells import DAY_MS
from streamwatch.domain.incidents import Incident
from streamwatch.domain.readings import KpiKey, Span
from streamwatch.domain.verdicts import State, Verdict
from streamwatch.incidents.grouping import parts_of
from streamwatch.incidents.lifecycle import Life, advance, seen_of


def verdict(kpi: str, day: int, score: float, value: float, span: Span = "day") -> Verdict:
    state: State = "unusual" if abs(score) >= 4.5 else "usual"
    return Verdict(
        KpiKey("shop-001", "purchase", kpi, "all", span), day * DAY_MS, value, int(value),
        state, score, 100.0, 50.0, 150.0, "", version=1, urgent=kpi == "silence",
    )  # fmt: skip


def told(*verdicts: Verdict) -> list[Incident]:
    """Every version of the incidents that these verdicts make, in turn."""
    life = Life()
    found: list[Incident] = []
    for one in verdicts:
        life, changed = advance(life, one.key, seen_of(one), 4.5)
        found += changed
    return found


def test_an_outage_over_a_day_of_rest_is_one_incident() -> None:
    friday, rest = verdict("volume", 4, -8.0, 0.0), verdict("volume", 5, -0.2, 0.0)
    monday, after = verdict("volume", 7, -8.0, 0.0), verdict("volume", 8, 0.3, 101.0)
    incidents = told(friday, rest, monday, after)
    assert len({one.id for one in incidents}) == 1
    assert [one.status for one in incidents] == ["open", "open", "closed"]


def test_a_silence_covers_the_volume_that_it_leaves_out() -> None:
    [silence] = told(verdict("silence", 4, 5.0, 50.0, "hour"))
    [volume] = told(verdict("volume", 4, -8.0, 0.0))
    [more] = told(verdict("volume", 4, 8.0, 300.0))
    parts = {one.id: cover for one, cover in parts_of([volume, silence], ())}
    assert parts == {volume.id: silence.id, silence.id: ""}
    assert {cover for _, cover in parts_of([more, silence], ())} == {""}


def test_all_rejects_cover_those_of_one_reason() -> None:
    [total] = told(verdict("rejects", 4, 8.0, 0.3))
    [reason] = told(verdict("rejects.validate/no-price/price", 4, 8.0, 0.3))
    [marks] = told(verdict("marks.implausible", 4, 8.0, 0.3))
    parts = {one.id: cover for one, cover in parts_of([reason, total], ())}
    assert parts == {reason.id: total.id, total.id: ""}
    assert {cover for _, cover in parts_of([marks, total], ())} == {""}


def test_an_empty_day_of_rest_departs_neither_way() -> None:
    assert abs(count_deviation(0, 30.0, 1.0, closed=0.95)) < 0.5
