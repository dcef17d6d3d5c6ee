"""Apache Kafka's jars, by Maven, and a Java that can run them."""

import hashlib
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from os import environ
from pathlib import Path

from streamwatch.adapters.local.carried import carried_file
from streamwatch.adapters.local.process import alone
from streamwatch.errors import ServiceError

OLDEST_JAVA = 17
_MAVEN_S = 900.0
_PLACES = (  # where Homebrew leaves a JDK that is on no PATH
    "/opt/homebrew/opt/openjdk/bin/java",
    "/usr/local/opt/openjdk/bin/java",
)


def java_version(text: str) -> int | None:
    """The feature release in what ``java -version`` prints.

    >>> java_version('openjdk version "17.0.15" 2025-04-15')
    17
    >>> java_version('java version "1.8.0_402"')
    8
    """
    found = re.search(r'version "(?:1\.)?(\d+)', text)
    return int(found[1]) if found else None


def find_java() -> tuple[Path | None, str]:
    """A Java that is new enough, and otherwise why there is none."""
    reason = "there is no java command"
    for java in _candidates():
        try:
            answer = subprocess.run(  # noqa: S603
                [java, "-version"], capture_output=True, text=True, check=False, timeout=20
            )
        except (OSError, subprocess.TimeoutExpired):
            continue
        version = java_version(answer.stderr + answer.stdout)
        if answer.returncode == 0 and version is not None:
            if version >= OLDEST_JAVA:
                return Path(java), ""
            reason = f"{java} is version {version}, Kafka needs {OLDEST_JAVA} or newer"
    return None, reason


def _candidates() -> Iterator[str]:
    home = environ.get("JAVA_HOME")
    if home:
        yield str(Path(home) / "bin" / "java")
    on_path = shutil.which("java")
    if on_path is not None:
        yield on_path
    yield from (place for place in _PLACES if Path(place).exists())


def jars_are_here(folder: Path) -> bool:
    """Whether a folder has the jars of the present pom.xml."""
    return _stamp(folder).exists()


def why_no_jars(folder: Path) -> str | None:
    """Why the jars are not to be had, or ``None`` when they are here or Maven can fetch them."""
    if jars_are_here(folder) or shutil.which("mvn") is not None:
        return None
    return "there is no mvn command (Maven)"


def fetch_jars(folder: Path, progress: Callable[[str], None]) -> None:
    """Copy Kafka's jars into a folder, unless they are there already.

    Raises:
        ServiceError: Maven is missing or failed; with the end of what it printed.
    """
    with alone(folder):
        if jars_are_here(folder):
            return
        progress("fetching Apache Kafka with Maven (once)")
        shutil.rmtree(folder / "lib", ignore_errors=True)
        maven = shutil.which("mvn")
        if maven is None:
            raise ServiceError("Maven is missing; on Debian: apt-get install maven")
        command = [maven, "-q", "-B", "-f", str(carried_file("pom.xml"))]
        command += ["dependency:copy-dependencies", "-DincludeScope=runtime"]
        command += [f"-DoutputDirectory={folder.resolve() / 'lib'}"]
        try:
            answer = subprocess.run(  # noqa: S603
                command,
                capture_output=True,
                text=True,
                check=False,
                timeout=_MAVEN_S,
                stdin=subprocess.DEVNULL,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise ServiceError(f"Maven could not fetch Apache Kafka: {error}") from error
        if answer.returncode != 0:
            said = "\n".join((answer.stdout + answer.stderr).strip().splitlines()[-15:])
            raise ServiceError(f"Maven could not fetch Apache Kafka; it said:\n{said}")
        (folder / "lib").mkdir(exist_ok=True)
        _stamp(folder).touch()


def class_path(folder: Path) -> str:
    """The class path of the fetched jars."""
    return f"{folder.resolve() / 'lib'}/*"


def _stamp(folder: Path) -> Path:
    pom = hashlib.sha256(carried_file("pom.xml").read_bytes()).hexdigest()[:12]
    return folder / "lib" / f"fetched-{pom}"
