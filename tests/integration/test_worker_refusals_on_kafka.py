"""What a worker needs from Kafka, and from its host, before it starts."""

import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from streamwatch.adapters.kafka.topics import create_topics, end_offsets
from streamwatch.adapters.settings.loading import load_settings
from streamwatch.adapters.sql.migrations import upgrade

SETTINGS = """\
database: sqlite:///streamwatch.db
kafka: {{bootstrap: "{bootstrap}", group: "{name}", prefix: "{name}", partitions: 2}}
sources:
  - {{topic: "{name}.purchase", event: purchase}}
metrics_port: {port}
"""


def worker(folder: Path) -> subprocess.CompletedProcess[str]:
    own = {name: text for name, text in os.environ.items() if not name.startswith("STREAMWATCH_")}
    return subprocess.run(
        [sys.executable, "-m", "streamwatch", "worker"],
        cwd=folder,
        env=own,
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )


def prepare(folder: Path, kafka: str, name: str, port: int = 0) -> Path:
    """A configuration and a migrated database."""
    file = folder / "streamwatch.yaml"
    file.write_text(SETTINGS.format(bootstrap=kafka, name=name, port=port))
    upgrade(f"sqlite:///{folder}/streamwatch.db")
    return file


def test_missing_topics_are_named_once_with_the_command(
    kafka: str, topic_name: Callable[[str], str], tmp_path: Path
) -> None:
    name = topic_name("refused")
    prepare(tmp_path, kafka, name)
    run = worker(tmp_path)
    assert run.returncode == 3
    assert run.stdout == ""
    topics = ("purchase", "purchase.dlq", "readings", "verdicts", "incidents")
    names = ", ".join(f"{name}.{topic}" for topic in topics)
    assert run.stderr == f"streamwatch: missing topics: {names}; run: streamwatch topics create\n"


def test_a_metrics_port_in_use_is_told_before_anything_is_read(
    kafka: str, topic_name: Callable[[str], str], tmp_path: Path
) -> None:
    name = topic_name("refused")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        settings = load_settings(prepare(tmp_path, kafka, name, port), {})
        create_topics(settings)
        run = worker(tmp_path)
    assert run.returncode == 3
    assert run.stdout == ""
    assert run.stderr == (
        f"streamwatch: metrics cannot be served on 127.0.0.1:{port}: the port is in use; "
        "set metrics_port to another one, or to 0 for any\n"
    )
    assert set(end_offsets(kafka, [f"{name}.readings"]).values()) == {0}
