"""One trial: a schedule of faults in a scene, and the same records without faults beside it."""

import json
import random
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec
from sqlalchemy import create_engine, make_url, text
from tests.chaos.oracle import Damage, Readings, damage, incidents, readings
from tests.chaos.scene import Scene, scene_in
from tests.chaos.schedule import FULL, Round, carry_out, plan
from tests.integration.stage import Stage, wait_for
from tests.integration.truth import Record, simulated

BAD_EVERY = 89
DAYS = 22
ENDED, CORRECTED = "2026-09-23T06:00:00+00:00", "2026-09-23T08:00:00+00:00"
"""When every day is over; and when those that were closed too early were judged again, which is a
minute after their last record was read."""
CLOSED_BEFORE = "2026-09-23"
SPOILED_SHOP = "shop-002"
SPOILED_FROM = "2026-09-18"
TOLD = 20
"""Most readings that differ of which a trial tells."""


class Trial(msgspec.Struct, frozen=True):
    """What came of it.

    Attributes:
        seed: of the schedule.
        rounds: what happened, in order.
        records: how many were sent.
        damage: what is wrong at the end; nothing may be.
        readings, readings_differ: of closed days, and how many differ from the run without faults.
        incidents, incidents_differ: the same of incidents.
        differences: the first of what differs: its place, with faults and without.
        restarts, ended_as_stuck: of workers, by the supervisor.
    """

    seed: int
    rounds: tuple[Round, ...]
    records: int
    damage: Damage
    readings: int
    readings_differ: int
    incidents: int
    incidents_differ: int
    restarts: int
    ended_as_stuck: int
    differences: tuple[str, ...] = ()

    @property
    def faults(self) -> int:
        return sum(len(one.faults) for one in self.rounds)

    @property
    def slowest(self) -> float:
        """The longest time from the end of a round's faults until all was in the database."""
        return max(one.recovery for one in self.rounds)


def story(largest: int) -> list[Record]:
    """Three weeks of a few shops, one of which sends inches in the last days."""
    records: list[Record] = []
    for kind, arrived, value, key in simulated(6, DAYS, largest, BAD_EVERY):
        if value is not None and key == SPOILED_SHOP.encode() and b'"height"' in value:
            event = json.loads(value)
            if event["time"] >= SPOILED_FROM and isinstance(event["height"], int | float):
                event["height"] = round(event["height"] / 2.54, 1)
                event["height_unit"] = "cm"
                records.append((kind, arrived, json.dumps(event).encode(), key))
                continue
        records.append((kind, arrived, value, key))
    return [*records, *later(ENDED)]


def later(moment: str) -> list[Record]:
    """Records of a later moment in every partition."""
    arrived = 1_000 * int(datetime.fromisoformat(moment).timestamp())
    return [
        (kind, arrived, json.dumps(event).encode(), event["shop"].encode())
        for kind in ("widget-event", "purchase", "return")
        for number in range(24)
        for event in [
            {"event_id": f"{kind}-{number}-{arrived}", "shop": f"late-{number}", "time": moment}
        ]
    ]


def try_faults(
    folder: Path,
    jars: Path,
    seed: int,
    names: Sequence[str],
    wanted: int,
    largest: int,
    told: Callable[[Round], None] = lambda _: None,
) -> Trial:
    """Carry a schedule out, and compare."""
    rng = random.Random(seed)  # noqa: S311  a schedule, no secret
    records = story(largest)
    with scene_in(folder, jars, f"chaos-{seed}") as scene:
        possible = [name for name in names if name != FULL or scene.disk is not None]
        rounds = carry_out(scene, rng, plan(rng, wanted, possible), records, told)
        scene.send(later(CORRECTED))
        scene.wait_until_caught_up()
        scene.wait_until_committed()
        expected, opened = without_faults(scene, folder / "reference", records)

        def judged() -> bool:
            return readings(scene.stage, CLOSED_BEFORE).keys() >= expected.keys()

        wait_for(judged, "all readings", 120)
        found, stand = settled(scene.stage)
        others = [place for place in found | expected if found.get(place) != expected.get(place)]
        differences = [f"{one}: {found.get(one)}, {expected.get(one)}" for one in others[:TOLD]]
        differences += [f"{one}: {one in stand}, {one in opened}" for one in stand ^ opened]
        return Trial(
            seed=seed,
            rounds=tuple(rounds),
            records=len(scene.sent),
            damage=damage(scene.stage, scene.sent, BAD_EVERY, [slot.log for slot in scene.slots]),
            readings=len(expected),
            readings_differ=len(others),
            incidents=len(opened),
            incidents_differ=len(stand ^ opened),
            restarts=sum(len(slot.exits) for slot in scene.slots),
            ended_as_stuck=sum(slot.ended_as_stuck for slot in scene.slots),
            differences=tuple(differences),
        )


def without_faults(
    scene: Scene, folder: Path, records: Sequence[Record]
) -> tuple[Readings, set[tuple[object, ...]]]:
    """The same records through one worker on the same broker, in a database of its own."""
    folder.mkdir()
    engine = create_engine(scene.database.url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text("CREATE DATABASE reference"))
    engine.dispose()
    url = make_url(scene.database.url).set(database="reference")
    stage = Stage(
        folder, "reference", scene.broker.bootstrap, url.render_as_string(hide_password=False)
    )
    scene.copy_settings(stage.folder)
    with stage.closing():
        stage.start_worker()
        stage.send(records)
        stage.wait_until_read(300)
        stage.send(later(CORRECTED))
        stage.wait_until_read()
        return settled(stage)


def settled(stage: Stage) -> tuple[Readings, set[tuple[object, ...]]]:
    """The readings and incidents, once they stand."""
    seen: list[tuple[Readings, set[tuple[object, ...]]]] = []

    def still() -> bool:
        seen.append((readings(stage, CLOSED_BEFORE), incidents(stage)))
        time.sleep(1)
        return len(seen) > 2 and seen[-1] == seen[-3] and seen[-1][0] != {}

    wait_for(still, "the readings stand", 120)
    return seen[-1]
