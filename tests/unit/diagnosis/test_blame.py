"""The origin of an incident, as its buckets become known."""

from typing import NamedTuple

import pytest

from streamwatch.domain.incidents import Incident
from streamwatch.domain.readings import KpiKey
from streamwatch.incidents.blame import with_origin


class Told(NamedTuple):
    origin: str
    hypothesis: str = ""
    origin_reason: str = "why"


def incident(origin: str) -> Incident:
    key = KpiKey("shop-001", "widget-event", "mean.height")
    return Incident(
        "id", key, "low", "open", 0, None, 0, 67.0, 170.0, 165.0, 175.0, -9.0, 1, "far off", 0, 0,
        origin=origin,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("known", "told", "worst", "then"),
    [
        ("", "client", False, "client"),
        ("", "undetermined", False, "undetermined"),
        ("undetermined", "normalise", False, "normalise"),
        ("client", "undetermined", True, "client"),
        ("client", "normalise", True, "normalise"),
        ("client", "normalise", False, "client"),
        ("normalise", "client", True, "normalise"),
        ("normalise", "segment", True, "segment"),
        ("client", "", True, "client"),
    ],
)
def test_a_stage_at_fault_clears_the_client_for_good(
    known: str, told: str, worst: bool, then: str
) -> None:
    assert with_origin(incident(known), Told(told), worst=worst).origin == then
