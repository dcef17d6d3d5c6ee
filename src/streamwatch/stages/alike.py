"""What the stages do with all records that carry the same text, asked of the stages once."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from streamwatch.domain.events import EventType, Received
from streamwatch.stages.batch import tuple_getter
from streamwatch.stages.columns import Floats, Labels
from streamwatch.stages.declared import Numbers
from streamwatch.stages.remembered import Remembered
from streamwatch.stages.underway import Stage, Underway

Declared = Callable[[Received], Numbers]


class Factors:
    """By what a feature's unit multiplies its values.

    Attributes:
        column: the feature's place among the numbers of its event type.
        field: which field names the unit.
    """

    def __init__(
        self, event_type: EventType, feature: str, declared: Declared, normalise: Stage
    ) -> None:
        self.column = event_type.numbers.index(feature)
        self.field = event_type.units[feature]
        received: Any = event_type.received

        def factors(unit: str | None) -> tuple[float, float]:
            one = received("a", "s", **{feature: 1.0, self.field: unit})
            record = Underway({}).set_out(one, declared(one), 0)
            as_declared, refusal = record.declared[self.column], normalise(record)
            return (
                math.nan if as_declared is None else as_declared,
                math.nan if refusal is not None else getattr(record.event, feature),
            )

        self._of = Remembered(factors)

    def of(self, units: Sequence[str | None]) -> tuple[Floats, Floats] | None:
        """As declared, and in `normalise`; NaN for an unknown unit; ``None`` if all are 1."""
        found = {unit: self._of[unit] for unit in set(units)}
        if all(both == (1.0, 1.0) for both in found.values()):
            return None
        both = np.array([found[unit] for unit in units])
        return both[:, 0], both[:, 1]


class Spelling:
    """How `normalise` spells each combination of labels."""

    def __init__(self, event_type: EventType, normalise: Stage) -> None:
        self._type = event_type
        self._normalise = normalise
        self._labels_of = tuple_getter(event_type.labels)

    def of(self, labels: Labels) -> Labels | None:
        """The combination as it comes out; ``None`` if it is refused.

        >>> from streamwatch.domain.events import PURCHASE
        >>> from streamwatch.stages.normalise import compile_normalise
        >>> spelling = Spelling(PURCHASE, compile_normalise(PURCHASE, frozenset({"EUR"})))
        >>> spelling.of((" Shoes", "F", "xl", "eur", None))
        ('shoes', 'female', 'XL', 'EUR', None)
        >>> spelling.of((None, None, None, "gold", None))
        """
        one: Any = self._type.received
        received = one("a", "s", **dict(zip(self._type.labels, labels, strict=True)))
        record = Underway({}).set_out(received, (), 0)
        if self._normalise(record) is not None:
            return None
        found: Labels = self._labels_of(record.event)
        return found
