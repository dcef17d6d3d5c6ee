"""Driving headless Chromium over its debugging pipe: standard library only."""

import base64
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)
SECONDS = 30


def find_chromium() -> str:
    """The program; a machine without one fails the tests rather than passing over them."""
    named = os.environ.get("STREAMWATCH_TEST_CHROMIUM", "chromium")
    for name in (named, "chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name)
        if found:
            return found
    raise AssertionError("Chromium is not installed; on Debian, run: apt-get install chromium")


class Page:
    """One tab.

    Attributes:
        requests: every address that was asked for.
        errors: what the console and the content policy complained about.
    """

    def __init__(self, pipe: "Pipe", session: str) -> None:
        self._pipe = pipe
        self._session = session
        self.requests: list[str] = []
        self.errors: list[str] = []
        for domain in ("Page", "Network", "Log", "Runtime"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._pipe.send(method, parameters, self._session, self._heard)
        return answer

    def look(self, width: int, theme: str) -> None:
        """Be as wide as this, light or dark."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=900, deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip
        feature = {"name": "prefers-color-scheme", "value": theme}
        self.send("Emulation.setEmulatedMedia", features=[feature])

    def open(self, address: str) -> None:
        """Go there, and wait until it is loaded."""
        self._loaded = False
        answer = self.send("Page.navigate", url=address)
        assert "errorText" not in answer, answer
        self.wait_loaded()

    def wait_loaded(self) -> None:
        deadline = time.monotonic() + SECONDS
        while not self._loaded:
            assert time.monotonic() < deadline, "the page did not load"
            self._pipe.receive(self._heard)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in the page; scripts of the page itself never run."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def press(self, key: str, code: int) -> None:
        """A key, down and up."""
        text = {"text": "\r"} if key == "Enter" else {"text": " "} if key == " " else {}
        for kind in ("keyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key,
                windowsVirtualKeyCode=code, **(text if kind == "keyDown" else {}),
            )  # fmt: skip

    def press_and_wait(self, key: str, code: int) -> None:
        """A key, and the page that it leads to."""
        self._loaded = False
        self.press(key, code)
        self.wait_loaded()

    def click_and_wait(self, selector: str) -> None:
        """Click what a selector finds, and wait for the page that it leads to."""
        self._loaded = False
        self.evaluate(f"document.querySelector({json.dumps(selector)}).click()")
        self.wait_loaded()

    def screenshot(self, file: Path) -> None:
        """The whole page, however long, as PNG."""
        answer = self.send("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(base64.b64decode(answer["data"]))

    def _heard(self, message: dict[str, Any]) -> None:
        if message.get("sessionId") != self._session:
            return
        parameters = message["params"]
        match message["method"]:
            case "Page.loadEventFired":
                self._loaded = True
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])
            case "Log.entryAdded":
                self.errors.append(parameters["entry"]["text"])
            case "Runtime.exceptionThrown":
                self.errors.append(str(parameters["exceptionDetails"]))


class Pipe:
    """Messages to the browser and from it, each ended by a NUL."""

    def __init__(self, into: BinaryIO, out: BinaryIO) -> None:
        self._into, self._out = into, out
        self._count = 0
        self._rest = b""

    def send(self, method: str, parameters: dict[str, Any], session: str, heard: Any) -> Any:
        self._count += 1
        message: dict[str, Any] = {"id": self._count, "method": method, "params": parameters}
        if session:
            message["sessionId"] = session
        self._into.write(json.dumps(message).encode() + b"\0")
        self._into.flush()
        while True:
            answer = self.receive(heard)
            if answer.get("id") == self._count:
                assert "error" not in answer, answer
                return answer["result"]

    def receive(self, heard: Any) -> dict[str, Any]:
        """The next message; events are handed over."""
        while b"\0" not in self._rest:
            part = os.read(self._out.fileno(), 1 << 16)
            assert part, "Chromium ended"
            self._rest += part
        text, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        if "method" in message:
            heard(message)
        return message


@contextmanager
def browser() -> Iterator[Page]:
    """A tab in a browser of its own, with an empty profile."""
    to_browser, from_us = os.pipe()
    from_browser, to_us = os.pipe()

    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        # Chromium reads its descriptor 3 and writes to 4.
        plumbing = f'exec 3<&{to_browser} 4>&{to_us}; exec "$@"'
        process = subprocess.Popen(
            ["bash", "-c", plumbing, "bash", find_chromium(), *FLAGS,
             f"--user-data-dir={profile}", "about:blank"],
            pass_fds=(to_browser, to_us),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        os.close(to_browser)
        os.close(to_us)
        with os.fdopen(from_us, "wb") as into, os.fdopen(from_browser, "rb") as out:
            try:
                pipe = Pipe(into, out)
                target = pipe.send("Target.createTarget", {"url": "about:blank"}, "", _ignore)
                session = pipe.send(
                    "Target.attachToTarget",
                    {"targetId": target["targetId"], "flatten": True},
                    "",
                    _ignore,
                )
                yield Page(pipe, session["sessionId"])
            finally:
                with suppress(ProcessLookupError):
                    os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _ignore(_: dict[str, Any]) -> None:
    """Events of the browser itself."""
