"""Where the jars are, as for the integration tests."""

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.integration)


@pytest.fixture(scope="session")
def jars(pytestconfig: pytest.Config) -> Path:
    """Where Kafka's jars are kept between test runs."""
    return pytestconfig.rootpath / ".local" / "jars"
