"""The whole visit: every area in turn, each told apart from those that do not answer."""

from collections.abc import Mapping
from pathlib import Path

from streamwatch.adapters.doctor import database_checks, kafka_checks
from streamwatch.adapters.doctor.check import Result, examined, unanswered
from streamwatch.adapters.doctor.database_checks import DATABASE
from streamwatch.adapters.doctor.database_facts import ask_database
from streamwatch.adapters.doctor.kafka_checks import KAFKA
from streamwatch.adapters.doctor.kafka_facts import ask_kafka
from streamwatch.adapters.doctor.local_checks import LOCAL
from streamwatch.adapters.doctor.local_facts import look_around
from streamwatch.adapters.doctor.monitoring_checks import MONITORING
from streamwatch.adapters.doctor.monitoring_facts import ask_monitoring
from streamwatch.adapters.formats.registry import load_auth
from streamwatch.domain.settings import Settings
from streamwatch.errors import BrokerError, DatabaseError

AREAS = ("configuration", "kafka", "database", "monitoring")


def visit(
    settings: Settings,
    environment: Mapping[str, str],
    folder: Path,
    now_ms: int,
    areas: tuple[str, ...] = AREAS,
) -> list[Result]:
    """All checks of some areas.

    Args:
        settings: the configuration.
        environment: of this process.
        folder: the working folder, where the master key may lie.
        now_ms: the wall clock.
        areas: some of `AREAS`.

    Raises:
        ConfigurationError: a tap file is wrong.
    """
    results: list[Result] = []
    if "configuration" in areas:
        results += examined("configuration", LOCAL, look_around(settings, environment, folder))
    if "kafka" in areas:
        results += _kafka(settings, now_ms, load_auth(environment))
    if "database" in areas:
        results += _database(settings, now_ms)
    if "monitoring" in areas:
        results += examined("monitoring", MONITORING, ask_monitoring(settings))
    return results


def _kafka(settings: Settings, now_ms: int, auth: str) -> list[Result]:
    try:
        facts = ask_kafka(settings, now_ms, auth)
    except BrokerError as error:
        return unanswered("kafka", "reachable", kafka_checks.unreachable(str(error)), KAFKA)
    return examined("kafka", KAFKA, facts)


def _database(settings: Settings, now_ms: int) -> list[Result]:
    try:
        facts = ask_database(settings, now_ms)
    except DatabaseError as error:
        return unanswered(
            "database", "reachable", database_checks.unreachable(str(error)), DATABASE
        )
    return examined("database", DATABASE, facts)
