"""What was lost, doubled or leaked: by what was sent, and by a run without faults."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import msgspec
from sqlalchemy import inspect
from tests.integration.stage import Stage
from tests.integration.truth import (
    Record,
    verify_accounting,
    verify_cells,
    verify_rejects,
    verify_taps,
)

IDENTITY = ".example"
"""Part of every simulated shopper's address, and of nothing else."""


class Damage(msgspec.Struct, frozen=True):
    """How much is wrong; all of it must be nothing.

    Attributes:
        lost, doubled: records by the accounting, tap rows by their events, rejects.
        leaked: rows and log lines in which somebody's address stands.
        wrong: what does not add up, in words.
    """

    lost: int
    doubled: int
    leaked: int
    wrong: tuple[str, ...] = ()


def damage(stage: Stage, records: Sequence[Record], bad_every: int, logs: Sequence[Path]) -> Damage:
    """Look at everything that is stored."""
    lost = doubled = 0
    sent = Counter(stage.topic(kind) for kind, *_ in records)
    counted = {
        str(topic): int(str(number))
        for topic, number in stage.rows(
            "SELECT topic, sum(aggregated + rejected + dead_lettered) FROM accounting"
            " GROUP BY topic"
        )
    }
    for topic, number in sent.items():
        lost += max(0, number - counted.get(topic, 0))
        doubled += max(0, counted.get(topic, 0) - number)
    taps = [
        name
        for name in inspect(stage.engine).get_table_names()
        if name.startswith("tap_widget_event_")
    ]
    for name in taps:
        if "_decode" in name:  # bad records, which share their ids, pass it as well
            continue
        [(doubles,)] = stage.rows(f"SELECT count(*) - count(DISTINCT event_id) FROM {name}")
        doubled += int(str(doubles))
    wrong = []
    for check in (verify_accounting, verify_cells, verify_taps):
        try:
            check(stage, records)
        except AssertionError as error:
            wrong.append(f"{check.__name__}: {str(error)[:500]}")
    try:
        # Bad records stand among the good ones at a distance, but not behind the story's end.
        told = [one for one in records if not one[3].startswith(b"late-")]
        verify_rejects(stage, told, bad_every)
    except AssertionError as error:
        wrong.append(f"verify_rejects: {str(error)[:500]}")
    return Damage(lost, doubled, leaks(stage, logs), tuple(wrong))


def leaks(stage: Stage, logs: Sequence[Path]) -> int:
    """Rows of any table, and lines of any log, that hold somebody's address."""
    found = 0
    for name in inspect(stage.engine).get_table_names():
        # A stored state holds dead letters as they came, until they are published.
        if name != "states":
            [(number,)] = stage.rows(
                f"SELECT count(*) FROM {name} AS one WHERE one::text LIKE '%{IDENTITY}%'"
            )
            found += int(str(number))
    return found + sum(log.read_text(errors="replace").count(IDENTITY) for log in logs)


Readings = dict[tuple[object, ...], tuple[float, int]]


def readings(stage: Stage, until: str) -> Readings:
    """The readings of closed days, as judged last.

    Only those that are a function of the day's records: volumes, means, missing fields. A mix is a
    distance from what had been learned, single reasons of rejects are judged from the first one
    on, and a ratio needs two topics, so these depend on the order in which partitions are read.
    """
    found = stage.rows(
        "SELECT shop, event_type, kpi, segment, bucket, value, n FROM verdicts"
        f" WHERE span = 'day' AND bucket < '{until}'"
        " AND (kpi = 'volume' OR kpi LIKE 'mean.%' OR kpi LIKE 'missing.%')"
    )
    return {tuple(place): (round(float(str(value)), 6), int(str(n))) for *place, value, n in found}


def incidents(stage: Stage) -> set[tuple[object, ...]]:
    """The incidents of whole days that are open at the end.

    One that was opened too early, since a clock was set, and closed when the late records had
    come, is no difference that anybody still sees.
    """
    return set(
        stage.rows(
            "SELECT id, since FROM incidents WHERE span = 'day' AND status = 'open'"
            " AND kpi NOT LIKE 'ratio.%'"
        )
    )
