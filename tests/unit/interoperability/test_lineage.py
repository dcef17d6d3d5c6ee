"""OpenLineage: what each flush tells of the stages, to a file or an address."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.receiver import receiver

from streamwatch.adapters.interoperability import interoperable
from streamwatch.adapters.openlineage.emitting import Lineage
from streamwatch.domain.cells import Moments, Transition
from streamwatch.domain.interoperability_settings import LineageSettings
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.records import PartitionId
from streamwatch.domain.rows import Row, StageRow, VerdictRow
from streamwatch.domain.settings import Settings
from streamwatch.domain.verdicts import Verdict
from streamwatch.runner.memory import MemoryStore
from streamwatch.runner.ports import Flush

DAY = 1_772_323_200_000


def stage_row(shop: str, stage: str, mean: float, missing: int = 0) -> StageRow:
    moments = Moments(10, mean, 4.0, missing)
    changes = Transition(10, -5.0) if stage == "normalise" else Transition()
    return StageRow(shop, "widget-event", "day", DAY, stage, "height", moments, changes)


def verdict_row(shop: str, state: Any, value: float) -> VerdictRow:
    key = KpiKey(shop, "widget-event", "mean.height")
    return VerdictRow(
        Verdict(key, DAY, value, 10, state, 9.0, 170.0, 165.0, 175.0, "", origin="client")
    )


ROWS: list[Row] = [
    stage_row("a", "decode", 170.0),
    stage_row("b", "decode", 180.0, missing=2),
    stage_row("a", "normalise", 67.0),
    verdict_row("a", "unusual", 67.0),
    verdict_row("b", "usual", 171.0),
    verdict_row("c", "warming", 171.0),
]
FLUSH = Flush(PartitionId("judge", "streamwatch.readings", 1), 5, 9, 0, "", {}, ROWS, None)


def emitted(settings: Settings, flushes: list[Flush]) -> None:
    store = MemoryStore()
    with interoperable(settings, store) as (told, _):
        for flush in flushes:
            told.commit(flush)


def completed(lines: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {one["job"]["name"]: one for one in lines if one["eventType"] == "COMPLETE"}


def test_each_stage_is_a_job_from_the_one_before_to_its_own_output(tmp_path: Path) -> None:
    file = tmp_path / "lineage.jsonl"
    settings = Settings(lineage=LineageSettings(to=str(file), namespace="sizes"))
    first = Flush(FLUSH.partition, None, 9, 0, "", {}, ROWS, None)
    emitted(settings, [first])
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    assert [one["eventType"] for one in lines] == ["START", "COMPLETE"] * 3
    jobs = completed(lines)
    decode, normalise = jobs["widget-event.decode"], jobs["widget-event.normalise"]
    assert decode["inputs"][0]["name"] == "widget-event"
    assert decode["inputs"][0]["namespace"] == "kafka://localhost:9092"
    (made,) = decode["outputs"]
    assert (made["namespace"], made["name"]) == ("sizes", "widget-event/decode")
    assert [one["name"] for one in normalise["inputs"]] == ["widget-event/decode"]
    metrics = made["facets"]["dataQualityMetrics"]
    assert metrics["rowCount"] == 22
    assert metrics["columnMetrics"]["height"]["count"] == 20
    assert metrics["columnMetrics"]["height"]["nullCount"] == 2
    assert metrics["columnMetrics"]["height"]["sum"] == 3_500
    nominal = decode["run"]["facets"]["nominalTime"]
    assert nominal["nominalStartTime"] == "2026-03-01T00:00:00+00:00"
    assert nominal["nominalEndTime"] == "2026-03-02T00:00:00+00:00"


def test_each_judged_kpi_is_an_assertion_the_failed_ones_first(tmp_path: Path) -> None:
    file = tmp_path / "lineage.jsonl"
    settings = Settings(lineage=LineageSettings(to=str(file)))
    emitted(settings, [Flush(FLUSH.partition, None, 9, 0, "", {}, ROWS, None)])
    lines = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    (judged,) = completed(lines)["widget-event.judge"]["inputs"]
    found = judged["inputFacets"]["dataQualityAssertions"]["assertions"]
    assert [(one["name"], one["success"], one["column"]) for one in found] == [
        ("a/mean.height/all", False, "height"),
        ("b/mean.height/all", True, "height"),
    ]
    assert (found[0]["expected"], found[0]["actual"]) == ("165 to 175", "67")
    assert found[0]["params"]["origin"] == "client"


def test_the_same_flush_gives_the_same_runs_again(tmp_path: Path) -> None:
    ids = []
    for name in ("one", "two"):
        file = tmp_path / name
        emitted(
            Settings(lineage=LineageSettings(to=str(file))),
            [Flush(FLUSH.partition, None, 9, 0, "", {}, ROWS, None)],
        )
        lines = file.read_text(encoding="utf-8").splitlines()
        ids.append([json.loads(line)["run"]["runId"] for line in lines])
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 3


def test_events_are_posted_to_an_address() -> None:
    with receiver() as to:
        settings = Settings(lineage=LineageSettings(to=to.url))
        emitted(settings, [Flush(FLUSH.partition, None, 9, 0, "", {}, ROWS, None)])
    assert {post.path for post in to.posts} == {"/api/v1/lineage"}
    assert {post.body["job"]["name"] for post in to.posts} == {
        "widget-event.decode",
        "widget-event.normalise",
        "widget-event.judge",
    }


class FailingTransport:
    """Takes nothing."""

    def __init__(self) -> None:
        self.asked = 0

    def emit(self, _: object) -> None:
        self.asked += 1
        raise ConnectionError

    def close(self, _: float) -> bool:
        return True


def test_a_receiver_that_is_away_stops_nothing() -> None:
    transport = FailingTransport()
    lineage = Lineage(Settings(), transport, lambda: datetime(2026, 3, 2, tzinfo=UTC))
    lineage.committed(FLUSH)
    lineage.committed(FLUSH)
    lineage.stop()
    assert transport.asked == 2


def test_body_measures_of_few_people_are_not_told(tmp_path: Path) -> None:
    file = tmp_path / "lineage.jsonl"
    few = StageRow("a", "return", "day", DAY, "decode", "quantity", Moments(3, 2.0), Transition())
    rows: list[Row] = [
        StageRow(
            "a", "widget-event", "day", DAY, "decode", "height", Moments(3, 151.0), Transition()
        ),
        few,
        VerdictRow(
            Verdict(
                KpiKey("a", "widget-event", "mean.height"), DAY, 151.0, 3, "unusual", -9.0, 170.0,
                165.0, 175.0, "",
            )
        ),
    ]  # fmt: skip
    emitted(
        Settings(lineage=LineageSettings(to=str(file))),
        [Flush(FLUSH.partition, None, 9, 0, "", {}, rows, None)],
    )
    text = file.read_text(encoding="utf-8")
    jobs = completed([json.loads(line) for line in text.splitlines()])
    assert "151" not in text
    assert "453" not in text
    quantity = jobs["return.decode"]["outputs"][0]["facets"]["dataQualityMetrics"]
    assert quantity["columnMetrics"]["quantity"]["sum"] == 6
