"""`streamwatch incidents list`: what is covered by an incident stands under it."""

import json

import msgspec
from tests.functional.command import Run

from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.domain.accounting import Accounting
from streamwatch.domain.incidents import FLEET, Incident
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.records import PartitionId
from streamwatch.domain.rows import IncidentRow
from streamwatch.runner.ports import Flush

NOON = 1_772_366_400_000
ALONE = Incident(
    "alone", KpiKey("shop-009", "purchase", "volume"), "low", "open", NOON, None, NOON,
    3.0, 90.0, 60.0, 120.0, -9.0, 1, "volume below its band", 1, NOON,
)  # fmt: skip


def incident(id_: str, shop: str, kpi: str, since: int, part_of: str = "") -> Incident:
    key = KpiKey(shop, "purchase", kpi)
    return msgspec.structs.replace(ALONE, id=id_, key=key, since=since, part_of=part_of)


def store(*incidents: Incident) -> None:
    engine = create_engine_for("sqlite:///streamwatch.db")
    rows = [IncidentRow(one) for one in incidents]
    partition = PartitionId("fleet", "streamwatch.verdicts", 0)
    SqlStore(engine).commit(Flush(partition, None, 1, 0, "", {}, rows, Accounting(0, 1, 1, 1, 0)))
    engine.dispose()


def test_an_incident_stands_under_the_one_that_covers_it(run: Run) -> None:
    run("db", "upgrade")
    store(
        incident("wide", FLEET, "volume", NOON - 60_000),
        incident("of-one", "shop-001", "volume", NOON, part_of="wide"),
        incident("its-mean", "shop-001", "mean.price", NOON - 120_000, part_of="of-one"),
        incident("of-other", "shop-002", "volume", NOON - 120_000, part_of="wide"),
        ALONE,
    )
    code, out, _ = run("incidents", "list")
    assert code == 0
    lines = [(line.split()[-1], len(line) - len(line.lstrip(" "))) for line in out.splitlines()]
    assert lines[1:] == [
        ("alone", 0), ("wide", 0), ("of-one", 0), ("its-mean", 2), ("of-other", 0),
    ]  # fmt: skip
    assert [line.split()[-1] for line in out.splitlines() if "└" in line] == [
        "of-one", "its-mean", "of-other",
    ]  # fmt: skip
    told = json.loads(run("incidents", "list", "--json")[1])["incidents"]
    assert {one["id"]: one["part_of"] for one in told}["its-mean"] == "of-one"


def test_one_whose_cover_is_not_listed_stands_for_itself(run: Run) -> None:
    run("db", "upgrade")
    store(
        incident("wide", FLEET, "volume", NOON),
        incident("of-one", "shop-001", "volume", NOON, part_of="wide"),
    )
    _, out, _ = run("incidents", "list", "--shop", "shop-001")
    assert out.splitlines()[1].endswith("of-one")
    assert "└" not in out
