"""Settings of the test run as a whole, and how `pytest -n 3` spreads the files over workers."""

import os
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer  # type: ignore[import-untyped]
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped]

from streamwatch.adapters.local import process

settings.register_profile("here", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("ci" if os.environ.get("CI") else "here")

FAULTS = "tests/chaos/"
WITH_SERVICES = (FAULTS, "tests/integration/", "tests/security/")
LONGEST_FIRST = (
    FAULTS,
    "tests/docs/test_pages_run.py",
    "tests/packaging/test_distributions.py",
    "tests/integration/test_story.py",
    "tests/integration/test_main_job.py",
    "tests/integration/test_worker_faults.py",
    "tests/functional/test_backtest.py",
    "tests/functional/test_demo.py",
    "tests/integration/",
    "tests/security/",
    "tests/browser/",
    "tests/docs/",
    "tests/functional/",
    "tests/property/",
    "tests/fuzz/",
)
"""Beginnings of test names; what begins otherwise is quick, and fills the gaps at the end."""


WORKER = os.environ.get("PYTEST_XDIST_WORKER")
if WORKER:  # two workers that choose a free port at the same time never choose the same
    room = (process._LAST_PORT - process._FIRST_PORT) // 8
    process._FIRST_PORT += room * (int(WORKER.removeprefix("gw")) % 8)
    process._LAST_PORT = process._FIRST_PORT + room


class FilesTogether(LoadFileScheduling):  # type: ignore[misc]  # xdist has no types
    """A file stays on one worker; so do all tests of faults, which would disturb each other."""

    def _split_scope(self, nodeid: str) -> str:
        return FAULTS if nodeid.startswith(FAULTS) else nodeid.split("::", 1)[0]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> FilesTogether:
    config.option.loadscopereorder = False
    return FilesTogether(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=_place)
    for item in items:
        if item.nodeid.startswith(WITH_SERVICES):
            item.add_marker(pytest.mark.integration)


def _place(item: pytest.Item) -> int:
    names = enumerate(LONGEST_FIRST)
    return next((at for at, name in names if item.nodeid.startswith(name)), len(LONGEST_FIRST))


@pytest.fixture(scope="session")
def jars(pytestconfig: pytest.Config) -> Path:
    """Where Kafka's jars are kept between test runs."""
    return pytestconfig.rootpath / ".local" / "jars"
