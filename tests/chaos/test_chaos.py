"""Every kind of fault once, in a seeded order: nothing is lost, nothing doubled, nobody in."""

import os
import random
from pathlib import Path

from tests.chaos.scene import scene_in
from tests.chaos.schedule import CATALOGUE, carry_out, plan
from tests.integration.truth import simulated, verify

BAD_EVERY = 89
BACK_WITHIN_SECONDS = 60


def test_faults_of_every_kind_lose_and_double_nothing(tmp_path: Path, jars: Path) -> None:
    seed = int(os.environ.get("STREAMWATCH_TEST_CHAOS_SEED", "6"))
    names = os.environ.get("STREAMWATCH_TEST_CHAOS_FAULTS", "").split(",")
    rng = random.Random(seed)  # noqa: S311  a schedule, no secret
    chosen = [name for name in CATALOGUE if names == [""] or name in names]
    rounds = plan(rng, max(20, len(chosen)) if names == [""] else len(chosen), chosen)
    records = simulated(shops=8, days=5, largest=1_500, bad_every=BAD_EVERY)
    with scene_in(tmp_path, jars, f"chaos-{seed}") as scene:
        done = carry_out(scene, rng, rounds, records, told=print)
        verify(scene.stage, scene.sent, BAD_EVERY)
    assert sum(len(one.faults) for one in done) >= (20 if names == [""] else 1)
    assert max(one.recovery for one in done) < BACK_WITHIN_SECONDS
