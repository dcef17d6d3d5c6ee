"""Workers under a supervisor that does what an orchestrator does: start again, probe, end."""

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from pathlib import Path

from streamwatch.adapters.local.process import free_port

FAILING = Path(__file__).with_name("failing_worker.py")
LOOK_SECONDS = 0.2


class Slot:
    """A place for one worker process, which is started again when it ends."""

    def __init__(self, folder: Path, number: int, environment: Mapping[str, str]) -> None:
        self.number = number
        self.log = folder / f"worker-{number}.log"
        self.clock_file = folder / f"clock-{number}"
        self.port = free_port()
        self.wanted = False
        self.exits: list[int] = []
        self.ended_as_stuck = 0
        self._folder = folder
        own = {k: v for k, v in os.environ.items() if not k.startswith("STREAMWATCH_")}
        self._environment = {**own, **environment, "STREAMWATCH_METRICS_PORT": str(self.port)}
        self._failpoint: tuple[str, str, str] = ("none", "0", "none")
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, failpoint: tuple[str, int, str] | None = None) -> None:
        """Start a worker; with a failpoint the one that runs is ended first."""
        with self._lock:
            if failpoint is not None:
                self._end(signal.SIGKILL)
                self._failpoint = (failpoint[0], str(failpoint[1]), failpoint[2])
            self.wanted = True
            if not self.runs:
                self._launch()

    def stop(self) -> float:
        """SIGTERM; returns how many seconds the worker took to end."""
        begun = time.monotonic()
        with self._lock:
            self.wanted = False
            self._end(signal.SIGTERM)
        return time.monotonic() - begun

    def send_signal(self, sign: signal.Signals) -> None:
        """Send a signal, if a worker runs."""
        with self._lock:
            if self._process is not None and self.runs:
                self._process.send_signal(sign)

    def look(self) -> None:
        """Start again what ended; end what says that it hangs."""
        with self._lock:
            if not self.wanted:
                return
            if not self.runs:
                if self._process is not None:
                    self.exits.append(self._process.returncode)
                self._launch()
                return
            status, text = self._asked("/-/healthy")
            if status == http.HTTPStatus.SERVICE_UNAVAILABLE:
                self.ended_as_stuck += 1
                with self.log.open("a") as log:
                    log.write(f"the supervisor ends it: {text}\n")
                self._end(signal.SIGKILL)

    def asks(self, path: str) -> int | None:
        """The status of an answer; ``None`` without one."""
        return self._asked(path)[0]

    def _asked(self, path: str) -> tuple[int | None, str]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=1)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode(errors="replace").strip()
        except (OSError, http.client.HTTPException):
            return None, ""
        finally:
            connection.close()

    @property
    def sleeps(self) -> bool:
        """Whether the worker was stopped by SIGSTOP."""
        if self._process is None:
            return False
        try:
            stat = Path(f"/proc/{self._process.pid}/stat").read_text()
        except OSError:
            return False
        return stat.rpartition(")")[2].split()[0] == "T"

    def close(self) -> None:
        """End for good."""
        with self._lock:
            self.wanted = False
            self._end(signal.SIGKILL)

    def _launch(self) -> None:
        command = [sys.executable, str(FAILING), *self._failpoint, str(self.clock_file)]
        self._failpoint = ("none", "0", "none")
        with self.log.open("ab") as out:
            self._process = subprocess.Popen(
                command,
                cwd=self._folder,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=self._environment,
            )

    def _end(self, sign: signal.Signals) -> None:
        if self._process is not None and self.runs:
            self._process.send_signal(signal.SIGCONT)
            self._process.send_signal(sign)
            self._process.wait(30)
            self.exits.append(self._process.returncode)
            self._process = None


class Supervisor:
    """Looks after all slots until it is closed."""

    def __init__(self, slots: list[Slot]) -> None:
        self._slots = slots
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        while not self._done.wait(LOOK_SECONDS):
            for slot in self._slots:
                slot.look()

    def close(self) -> None:
        """Look after nothing more, and end all workers."""
        self._done.set()
        self._thread.join(30)
        for slot in self._slots:
            slot.close()
