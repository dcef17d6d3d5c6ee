"""What is normal for the heights of `heights`."""

import pytest
from tests.unit.diagnosis.heights import usual_day

from streamwatch.diagnosis.learning import learn_days
from streamwatch.diagnosis.normal import FeatureNormal


@pytest.fixture(scope="session")
def normal() -> FeatureNormal:
    """Three usual weeks of height."""
    normals: dict[str, FeatureNormal] = {}
    for seed in range(21):
        normals = learn_days(normals, {"height": usual_day(seed)}, set())
    return normals["height"]
