"""`streamwatch doctor` on real Kafka and PostgreSQL."""

from collections.abc import Callable
from pathlib import Path

import msgspec
from kafka import KafkaProducer
from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from sqlalchemy import text

from streamwatch.adapters.doctor.check import Result
from streamwatch.adapters.doctor.visit import visit
from streamwatch.adapters.kafka.topics import create_topics
from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.migrations import upgrade
from streamwatch.domain.settings import KafkaSettings, Settings
from streamwatch.domain.source_settings import SourceSettings

AREAS = ("kafka", "database")
NOW_MS = 1_772_366_400_000


def said(results: list[Result]) -> dict[str, str]:
    return {one.check: one.advice[0].what for one in results if one.advice}


def test_services_made_by_the_commands_are_well_and_what_is_changed_is_found(
    kafka: str, postgres: str, topic_name: Callable[[str], str], tmp_path: Path
) -> None:
    name = topic_name("doctor")
    settings = Settings(
        database=postgres,
        kafka=KafkaSettings(bootstrap=kafka, group=name, prefix=name, partitions=2),
        sources=(SourceSettings(f"{name}.return", "return"),),
    )
    before = said(visit(settings, {}, tmp_path, NOW_MS, AREAS))
    assert {"topics-missing", "migrated"} <= before.keys()
    create_topics(settings)
    upgrade(postgres)
    results = visit(settings, {}, tmp_path, NOW_MS, AREAS)
    # The server of the tests has its own zone and no fsync; the moment asked for is an old one.
    assert said(results).keys() <= {"database-clock", "timezone", "durable"}
    assert {one.state for one in results} <= {"fine", "warning"}

    hasty = msgspec.structs.replace(
        settings,
        kafka=msgspec.structs.replace(
            settings.kafka, session_timeout=500, schema_registry="http://127.0.0.1:9"
        ),
    )
    found = said(visit(hasty, {}, tmp_path, NOW_MS, ("kafka",)))
    assert "kafka.session_timeout is 0.5 s; the broker takes" in found["session-timeout"]
    assert "does not answer" in found["schema-registry"]

    client = KafkaAdminClient(bootstrap_servers=kafka)
    compacted = {"cleanup.policy": "compact"}
    client.alter_configs(
        [ConfigResource(ConfigResourceType.TOPIC, f"{name}.return", configs=compacted)]
    )
    client.close()
    producer = KafkaProducer(bootstrap_servers=kafka)
    producer.send(f"{name}.return", b"{}", key=b"k", timestamp_ms=NOW_MS + 3_000_000).get(30)
    producer.close()
    engine = create_engine_for(postgres)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
        connection.execute(
            text(
                "DO $$ BEGIN EXECUTE 'ALTER DATABASE \"' || current_database() || "
                "'\" SET default_transaction_read_only = on'; END $$"
            )
        )
    engine.dispose()
    after = said(visit(settings, {}, tmp_path, NOW_MS, AREAS))
    assert "is compacted" in after["topic-settings"]
    assert "ahead of this clock" in after["clock-ahead"]
    assert "newer than this program" in after["migrated"]
    assert "takes no writes" in after["writable"]
