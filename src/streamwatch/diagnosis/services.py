"""What is normal for one feature after a stage in another service.

Such a stage stands beside the journey, so what is learned is its distance from what our own last
stage gave: it is small and steady, however much the values themselves vary.
"""

from collections.abc import Mapping

import msgspec

from streamwatch.diagnosis.level import Level, added
from streamwatch.domain.cells import Moments


class ServiceNormal(msgspec.Struct, frozen=True):
    """The usual days of one feature after one stage in another service.

    Attributes:
        mean: how far its mean is from that after our last stage.
        missing: likewise the share of its records that lack the value.
        recent, older: sketches of its values, as in `normal.FeatureNormal`.
    """

    mean: Level = Level()
    missing: Level = Level()
    recent: dict[int, int] = {}
    older: dict[int, int] = {}

    @property
    def sketch(self) -> dict[int, int]:
        """The distribution of the usual values."""
        return added(self.older, self.recent)

    def learn(
        self, ours: Moments, given: Moments, sketch: dict[int, int], *, anew: bool
    ) -> "ServiceNormal":
        """After one more usual day.

        Args:
            ours: the feature after our last stage.
            given: the feature after the service.
            sketch: of the service's values.
            anew: whether a new sketch is begun.
        """
        weight = float(ours.n + ours.missing)
        mean, missing = mean_distance(ours, given), missing_distance(ours, given)
        return ServiceNormal(
            mean=self.mean if mean is None else self.mean.learn(mean, weight),
            missing=self.missing if missing is None else self.missing.learn(missing, weight),
            recent=dict(sketch) if anew else added(self.recent, sketch),
            older=self.recent if anew else self.older,
        )


def mean_distance(ours: Moments, given: Moments) -> float | None:
    """How far the service's mean is from ours; ``None`` where one of them has no value."""
    return given.mean - ours.mean if given.n and ours.n else None


def missing_distance(ours: Moments, given: Moments) -> float | None:
    """The same of the share of records that lack the value."""
    both = ours.n + ours.missing, given.n + given.missing
    return given.missing / both[1] - ours.missing / both[0] if all(both) else None


def learn_services(
    known: Mapping[str, ServiceNormal],
    ours: Moments,
    beside: Mapping[str, Moments],
    sketches: Mapping[str, dict[int, int]],
    *,
    anew: bool,
) -> dict[str, ServiceNormal]:
    """What is normal after each service, after one more usual day; as `ServiceNormal.learn`."""
    learned = {
        stage: known.get(stage, ServiceNormal()).learn(
            ours, given, sketches.get(stage, {}), anew=anew
        )
        for stage, given in beside.items()
    }
    return {**known, **learned}
