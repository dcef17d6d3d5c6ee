"""Who takes part, by what command, and what each needs first."""

import subprocess
import sys
from pathlib import Path

import msgspec

from streamwatch.adapters.local.java import find_java

HERE = Path(__file__).parent
PEERS = ("quixstreams==3.28.1", "bytewax==0.21.1", "confluent-kafka>=2.8")
ALIKE = ("msgspec", "uvloop", "aiokafka", "py-spy")


class Contender(msgspec.Struct, frozen=True):
    """One row of the table.

    Attributes:
        name: as it is shown.
        script: the file that runs it, and what of streamwatch is left out or added.
        runs_on: ``ours``, ``peers`` (the environment that is made for them) or ``java``.
        hours: over how many hours the events' own times are spread.
    """

    name: str
    script: tuple[str, ...]
    runs_on: str = "peers"
    hours: float = 48.0

    @property
    def is_ours(self) -> bool:
        """Whether it is streamwatch."""
        return self.script[0] == "streamwatch_worker.py"


WORKER = "streamwatch_worker.py"
LIVE_HOURS = 1.5
CONTENDERS = (
    Contender("streamwatch, whole path", (WORKER,), "ours", LIVE_HOURS),
    Contender("… with a 1% tap at every stage", (WORKER, "sampling"), "ours", LIVE_HOURS),
    Contender("… with a tap of every event", (WORKER, "copying"), "ours", LIVE_HOURS),
    Contender("… two days in one go", (WORKER,), "ours"),
    Contender("… two days, without judging", (WORKER, "judging"), "ours"),
    Contender("… two days, without database", (WORKER, "database"), "ours"),
    Contender("… two days, without segments", (WORKER, "segments"), "ours"),
    Contender("… two days, only COUNT", (WORKER, "judging", "database", "segments"), "ours"),
    Contender("bare confluent-kafka + msgspec", ("bare_confluent.py",), hours=LIVE_HOURS),
    Contender("bare aiokafka getmany + msgspec", ("bare_aiokafka.py",), hours=LIVE_HOURS),
    Contender("Kafka Streams (Java)", ("kafka_streams/Tally.java",), "java", LIVE_HOURS),
    Contender("Bytewax", ("bytewax_flow.py",), hours=LIVE_HOURS),
    Contender("Quix Streams", ("quix.py",), hours=LIVE_HOURS),
    Contender("stock Faust, per-event agent", ("stock_faust.py",), "ours", LIVE_HOURS),
)


def command(contender: Contender, folder: Path) -> list[str]:
    """The command that runs it, its needs met.

    Raises:
        subprocess.CalledProcessError: what it needs cannot be installed.
    """
    script = str(HERE / contender.script[0])
    if contender.runs_on == "ours":
        return [sys.executable, script]
    if contender.runs_on == "java":
        return [*_java(folder / "streams"), script]
    return [str(_peers_python(folder / "peers")), script]


def sampled(start: list[str], folder: Path, stacks: Path) -> list[str]:
    """The same command under a sampling profiler, which counts stacks; see `flame`."""
    profiler = _peers_python(folder / "peers").with_name("py-spy")
    # Only threads that hold the interpreter's lock: the others wait.
    options = ["--gil", "--function", "--rate", "250", "--format", "raw", "--output", str(stacks)]
    return [str(profiler), "record", *options, "--", *start]


def _peers_python(folder: Path) -> Path:
    python = folder / "bin" / "python"
    if not python.exists():
        subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
        install = [str(python), "-m", "pip", "install", "-q", *PEERS, *ALIKE]
        subprocess.run(install, check=True)
    return python


def _java(jars: Path) -> list[str]:
    program = find_java()[0]
    if program is None:
        raise FileNotFoundError("java")
    if not jars.exists():
        pom = str(HERE / "kafka_streams" / "pom.xml")
        fetch = ["mvn", "-q", "-B", "-f", pom, "dependency:copy-dependencies"]
        target = ["-DincludeScope=runtime", f"-DoutputDirectory={jars}"]
        subprocess.run([*fetch, *target], check=True)
    return [str(program), "-Xmx512m", "-cp", f"{jars}/*"]
