"""Every check of `streamwatch doctor`, on facts that are wrong in one way each."""

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streamwatch.adapters.doctor.check import Check, Result, examined
from streamwatch.adapters.doctor.database_checks import DATABASE
from streamwatch.adapters.doctor.database_facts import DatabaseFacts, ask_database
from streamwatch.adapters.doctor.kafka_checks import KAFKA
from streamwatch.adapters.doctor.kafka_facts import KafkaFacts, Place, Topic
from streamwatch.adapters.doctor.local_checks import LOCAL
from streamwatch.adapters.doctor.local_facts import LocalFacts, look_around
from streamwatch.adapters.doctor.monitoring_checks import MONITORING
from streamwatch.adapters.doctor.monitoring_facts import MonitoringFacts
from streamwatch.adapters.doctor.visit import AREAS, visit
from streamwatch.adapters.kafka.topics import TopicFinding
from streamwatch.adapters.sql.migrations import upgrade
from streamwatch.domain.settings import KafkaSettings, Settings
from streamwatch.domain.tap_settings import Filter, TapSettings

WEEK_MS = 7 * 86_400_000
TOPIC = Topic(partitions=8, replicas=3, least_in_sync=2, retention=WEEK_MS)
PLACE = Place("purchase", 0, first=100, end=900, committed=880, half=400)
KAFKA_FINE = KafkaFacts(
    bootstrap="broker:9092",
    brokers={"broker-1:9092": "", "broker-2:9092": "", "broker-3:9092": ""},
    topics={"purchase": TOPIC, "purchase.dlq": TOPIC},
    places=(PLACE,),
    members=2,
    sources=("purchase",),
)
SQLITE_FINE = DatabaseFacts(
    name="sqlite:///a.db",
    kind="sqlite",
    revision="0008",
    needed="0008",
    journal="wal",
    file_system="ext4",
    free_bytes=50 << 30,
)
POSTGRES_FINE = DatabaseFacts(
    name="postgresql://db/s",
    kind="postgresql",
    revision="0008",
    needed="0008",
    connections=10,
    most_connections=97,
    timezone="UTC",
)
MONITORING_FINE = MonitoringFacts(
    metrics="streamwatch",
    metrics_address="127.0.0.1:9464",
    prometheus_url="http://p:9090",
    alertmanager_url="http://a:9093",
    wanted_targets=("127.0.0.1:9464",),
    targets={"127.0.0.1:9464": ("up", "")},
    wanted_rules={"ShopSilent": "a>1"},
    rules={"ShopSilent": "a>1", "Foreign": "b"},
    alertmanagers=("a:9093",),
    wanted_receivers=("page", "ticket"),
    receivers=("page", "ticket", "mine"),
)
TAP = TapSettings("all", "purchase", ("decode",), sample=0.01)
LOCAL_FINE = LocalFacts(
    unknown=(),
    taps=(TAP,),
    sources=(),
    key_file=".streamwatch.key",
    key_mode=0o600,
    own_key=True,
    open_files=1 << 16,
    database="sqlite:///a.db",
    workers=1,
    zones=1,
    faust="0.15.3",
    faust_needed="0.15.3",
)
FINE: Sequence[tuple[Sequence[Check[Any]], Any]] = (
    (KAFKA, KAFKA_FINE),
    (DATABASE, SQLITE_FINE),
    (DATABASE, POSTGRES_FINE),
    (MONITORING, MONITORING_FINE),
    (LOCAL, LOCAL_FINE),
)


def of_topic(level: Any, text: str) -> dict[str, Any]:
    return {"findings": (TopicFinding(level, "purchase", text),)}


def at(**changes: Any) -> dict[str, Any]:
    return {"places": (msgspec.structs.replace(PLACE, **changes),)}


def with_topic(**changes: Any) -> dict[str, Any]:
    return {"topics": {"purchase": msgspec.structs.replace(TOPIC, **changes)}}


def with_tap(**changes: Any) -> dict[str, Any]:
    return {"taps": (msgspec.structs.replace(TAP, **changes),)}


WRONG: Sequence[tuple[Sequence[Check[Any]], Any, dict[str, Any], str, str]] = (
    (KAFKA, KAFKA_FINE, {"brokers": {"inner:9092": "unknown host"}}, "advertised-listener",
     "calls itself inner:9092"),
    (KAFKA, KAFKA_FINE, {"denied": ("purchase",)}, "acl", "may not see the topic purchase"),
    (KAFKA, KAFKA_FINE, {"offsets_denied": "it refuses"}, "acl", "group cannot be read"),
    (KAFKA, KAFKA_FINE, of_topic("error", "is missing: create it"), "topics-missing", "purchase"),
    (KAFKA, KAFKA_FINE, of_topic("warning", "is compacted, so Kafka drops records unread: set it"),
     "topic-settings", "is compacted"),
    (KAFKA, KAFKA_FINE, of_topic("warning", "takes no record above 9 bytes: set it"),
     "topic-settings", "takes no record above"),
    (KAFKA, KAFKA_FINE, of_topic("warning", "takes less than its source: set it"),
     "topic-settings", "takes less"),
    (KAFKA, KAFKA_FINE, of_topic("error", "1 of 8 partitions have no leader: see the broker"),
     "topic-settings", "no leader"),
    (KAFKA, KAFKA_FINE, of_topic("warning", "has 4 partitions, kafka.partitions says 8: mend"),
     "partition-counts", "has 4 partitions"),
    (KAFKA, KAFKA_FINE, of_topic("error", "has 2 partitions and must have 1, so that: delete it"),
     "partition-counts", "must have 1"),
    (KAFKA, KAFKA_FINE, with_topic(partitions=1), "one-partition", "has one partition"),
    (KAFKA, KAFKA_FINE, {"members": 9}, "idle-workers", "9 workers share 8 partitions"),
    (KAFKA, KAFKA_FINE, with_topic(replicas=1, least_in_sync=1), "replication", "one replica"),
    (KAFKA, KAFKA_FINE, with_topic(replicas=1), "replication", "wants 2 in sync"),
    (KAFKA, KAFKA_FINE, at(committed=40), "retention", "60 records of purchase[0] were deleted"),
    (KAFKA, KAFKA_FINE, at(committed=200), "retention", "more than half of what it keeps"),
    (KAFKA, KAFKA_FINE, at(half=None), "retention", "more than half of what it keeps"),
    (KAFKA, KAFKA_FINE, at(ahead=True), "clock-ahead", "dated more than 5 minutes"),
    (KAFKA, KAFKA_FINE, {"session_limits": (45_000, 90_000)}, "session-timeout", "45 to 90 s"),
    (KAFKA, KAFKA_FINE, {"registry": "it answered 401"}, "schema-registry", "401"),
    (DATABASE, SQLITE_FINE, {"revision": None}, "migrated", "is empty"),
    (DATABASE, SQLITE_FINE, {"revision": "0003"}, "migrated", "at revision 0003"),
    (DATABASE, SQLITE_FINE, {"revision": "0042"}, "migrated", "newer than this program"),
    (DATABASE, SQLITE_FINE, {"write_refused": "read-only"}, "writable", "read-only"),
    (DATABASE, SQLITE_FINE, {"file_system": "nfs4"}, "network-disk", "nfs4"),
    (DATABASE, SQLITE_FINE, {"journal": "delete"}, "journal", "journal mode delete"),
    (DATABASE, SQLITE_FINE, {"free_bytes": 1_000_000}, "disk", "1 MB left"),
    (DATABASE, POSTGRES_FINE, {"in_recovery": True}, "writable", "standby"),
    (DATABASE, POSTGRES_FINE, {"connections": 95}, "connections", "95 of 97"),
    (DATABASE, POSTGRES_FINE, {"timezone": "Europe/Berlin"}, "timezone", "Europe/Berlin"),
    (DATABASE, POSTGRES_FINE, {"clock_ahead_ms": -90_000}, "database-clock", "90 s behind"),
    (DATABASE, POSTGRES_FINE, {"durable": False}, "durable", "fsync = off"),
    (MONITORING, MONITORING_FINE, {"metrics": "other"}, "metrics-port", "another program"),
    (MONITORING, MONITORING_FINE, {"targets": None}, "prometheus", "does not answer"),
    (MONITORING, MONITORING_FINE, {"targets": {}}, "scraped", "does not scrape 127.0.0.1:9464"),
    (MONITORING, MONITORING_FINE, {"targets": {"127.0.0.1:9464": ("down", "refused")}}, "scraped",
     "cannot scrape 127.0.0.1:9464: refused"),
    (MONITORING, MONITORING_FINE, {"rules": {}}, "rules-loaded", "1 of 1 rules are not loaded"),
    (MONITORING, MONITORING_FINE, {"rules": {"ShopSilent": "a>2"}}, "rules-stale", "ShopSilent"),
    (MONITORING, MONITORING_FINE, {"alertmanagers": ()}, "alertmanager", "knows no Alertmanager"),
    (MONITORING, MONITORING_FINE, {"receivers": ("mine",)}, "routes", "no route to page, ticket"),
    (MONITORING, MONITORING_FINE, {"receivers": None}, "routes", "does not answer"),
    (LOCAL, LOCAL_FINE, {"unknown": ("STREAMWATCH_X is not known",)}, "environment", "_X"),
    (LOCAL, LOCAL_FINE, with_tap(sample=1.0), "taps", "the tap all takes every record"),
    (LOCAL, LOCAL_FINE, {"key_mode": 0o644}, "key-mode", "(mode 644)"),
    (LOCAL, LOCAL_FINE, {"workers": 3}, "key-shared", "3 workers are named"),
    (LOCAL, LOCAL_FINE, {"workers": 3}, "database-shared", "is a SQLite file"),
    (LOCAL, LOCAL_FINE, {"open_files": 256}, "open-files", "only 256 files"),
    (LOCAL, LOCAL_FINE, {"zones": 0}, "time-zones", "midnight UTC"),
    (LOCAL, LOCAL_FINE, {"faust": "0.16.0"}, "faust", "is made for 0.15.3"),
)  # fmt: skip


def found(results: list[Result]) -> dict[str, list[str]]:
    return {one.check: [advice.what for advice in one.advice] for one in results if one.advice}


@pytest.mark.parametrize(("checks", "facts"), FINE)
def test_nothing_is_said_of_what_is_well(checks: Sequence[Check[Any]], facts: Any) -> None:
    results = examined("area", checks, facts)
    assert found(results) == {}
    assert {one.state for one in results} == {"fine"}


@pytest.mark.parametrize(("checks", "facts", "changes", "check", "said"), WRONG)
def test_each_mistake_is_found_by_its_check(
    checks: Sequence[Check[Any]], facts: Any, changes: dict[str, Any], check: str, said: str
) -> None:
    results = examined("area", checks, msgspec.structs.replace(facts, **changes))
    assert any(said in what for what in found(results).get(check, [])), found(results)
    advice = [one for result in results for one in result.advice]
    assert all(one.why and one.remedy for one in advice)


def test_every_check_has_a_case_here() -> None:
    names = {check.name for checks in (KAFKA, DATABASE, MONITORING, LOCAL) for check in checks}
    assert names == {case[3] for case in WRONG}
    assert len(names) > 25


@pytest.mark.parametrize(
    "limits", [{"rate": 5}, {"budget": 9}, {"max_rows": 9}, {"filter": Filter(shops=("a",))}]
)
def test_a_tap_with_a_limit_may_take_every_record(limits: dict[str, Any]) -> None:
    facts = msgspec.structs.replace(LOCAL_FINE, **with_tap(sample=1.0, **limits))
    assert found(examined("configuration", LOCAL, facts)) == {}


def test_a_database_of_sqlite_is_looked_at(tmp_path: Path) -> None:
    file = tmp_path / "own.db"
    settings = Settings(database=f"sqlite:///{file}")
    assert found(examined("database", DATABASE, ask_database(settings, 0))).keys() == {"migrated"}
    assert not file.exists()
    upgrade(settings.database)
    facts = ask_database(settings, 0)
    assert (facts.revision == facts.needed, facts.journal) == (True, "wal")
    assert facts.file_system


def test_the_key_and_the_taps_are_looked_at(tmp_path: Path) -> None:
    (tmp_path / ".streamwatch.key").write_text("0" * 64)
    (tmp_path / ".streamwatch.key").chmod(0o640)
    (tmp_path / "taps").mkdir()
    (tmp_path / "taps" / "wide.yaml").write_text("event: return\nafter: [decode]\n")
    settings = Settings(taps=str(tmp_path / "taps"))
    facts = look_around(settings, {"STREAMWATCH_KAFKA_BOTSTRAP": "x"}, tmp_path)
    said = found(examined("configuration", LOCAL, facts))
    assert said.keys() == {"environment", "taps", "key-mode", "time-zones"}
    assert stat.S_IMODE((tmp_path / ".streamwatch.key").stat().st_mode) == 0o640


def test_what_does_not_answer_leaves_its_area_unknown_and_the_others_known(tmp_path: Path) -> None:
    settings = Settings(
        database=f"sqlite:///{tmp_path}/none/own.db",
        kafka=KafkaSettings(bootstrap="127.0.0.1:9"),
        taps=str(tmp_path),
    )
    results = visit(settings, {}, tmp_path, 0, ("configuration", "kafka", "database"))
    states = {(one.area, one.state) for one in results}
    assert {("kafka", "unknown"), ("database", "unknown"), ("configuration", "fine")} <= states
    assert [one.check for one in results if one.state == "error"] == ["reachable", "reachable"]
    assert set(AREAS) == {one.area for one in results} | {"monitoring"}
