"""Faults in a seeded order: nothing is lost, nothing doubled, nobody in."""

from pathlib import Path

from tests.chaos.oracle import Damage
from tests.chaos.schedule import CATALOGUE
from tests.chaos.trial import try_faults

BACK_WITHIN_SECONDS = 60
LONG = ("broker crash", "broker restart", "damaged state", "newer state", "leave and join")
"""Left to the long run, for they take long."""


def test_faults_lose_nothing_double_nothing_and_leak_nobody(tmp_path: Path, jars: Path) -> None:
    names = [name for name in CATALOGUE if name not in LONG]
    trial = try_faults(tmp_path, jars, seed=6, names=names, wanted=22, largest=250, told=print)
    assert trial.damage == Damage(0, 0, 0)
    assert (trial.readings_differ, trial.incidents_differ) == (0, 0)
    assert trial.readings > 1_000
    assert trial.incidents > 0
    assert trial.faults >= 20
    assert trial.slowest < BACK_WITHIN_SECONDS
