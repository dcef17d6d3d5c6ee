"""Three brokers, of which each dies once: leaders change, and so does the group's coordinator."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from tests.chaos.brokers import Cluster, three_brokers
from tests.integration.conftest import postgres, postgres_server
from tests.integration.stage import Stage, wait_for
from tests.integration.truth import simulated, verify

from streamwatch.adapters.kafka.administration import administration
from streamwatch.errors import BrokerError

__all__ = ["postgres", "postgres_server"]


def leaders(cluster: Cluster, topic: str) -> set[int]:
    """The numbers of the brokers that lead a topic's partitions."""
    with administration(cluster.bootstrap) as admin:
        [described] = admin.describe_topics([topic])
    return {part["leader_id"] - 1 for part in described["partitions"]}


def test_no_record_is_lost_when_each_broker_dies_once(
    tmp_path: Path, jars: Path, postgres: str
) -> None:
    records = simulated(shops=6, days=4, largest=2_500)
    portion = len(records) // 4
    with three_brokers(tmp_path, jars) as cluster:
        stage = Stage(tmp_path, "three", cluster.bootstrap, postgres)
        with stage.closing():
            first = stage.start_worker()
            second = stage.start_worker()
            second.wait_until_ready()
            passed = 0
            for number in range(3):
                stage.send(records[number * portion : (number + 1) * portion])
                passed += portion
                led = leaders(cluster, stage.topic("purchase"))
                pid = cluster.brokers[number].pid
                assert pid is not None
                os.kill(pid, signal.SIGKILL)
                begun = time.monotonic()
                if number in led:
                    wait_for(without(cluster, stage, number), "another leader", 40)
                wait_for(caught_up(stage, passed), f"{passed} records without broker {number}", 90)
                print(f"without broker {number} after {time.monotonic() - begun:.1f} s")  # noqa: T201
                cluster.brokers[number] = cluster.start(number)
                wait_for(complete(cluster, stage), "all replicas are in sync", 60)
            stage.send(records[3 * portion :])
            stage.wait_until_read()
            verify(stage, records)
            assert first.runs
            assert second.runs


def without(cluster: Cluster, stage: Stage, number: int) -> Callable[[], bool]:
    """Whether no partition is led by a broker any more."""

    def check() -> bool:
        try:
            return number not in leaders(cluster, stage.topic("purchase"))
        except BrokerError:  # the client asked the one that is gone
            return False

    return check


def caught_up(stage: Stage, records: int) -> Callable[[], bool]:
    """Whether so many records are in the database."""
    return lambda: stage.passed() == records


def complete(cluster: Cluster, stage: Stage) -> Callable[[], bool]:
    """Whether every partition has its three replicas."""

    def check() -> bool:
        with administration(cluster.bootstrap) as admin:
            described = admin.describe_topics([*stage.source_topics, f"{stage.name}.readings"])
        parts = [part for one in described for part in one["partitions"]]
        return all(len(part["isr_nodes"]) == 3 for part in parts)

    return check
