"""The faults that are tried: whose they are, what they do, and to how many records."""

from collections.abc import Iterator

import msgspec
import numpy as np

from streamwatch.diagnosis.unitfault import FACTORS
from streamwatch.simulation.fleet import CATEGORIES
from streamwatch.simulation.rows import Kind, Rows, lose_field
from streamwatch.simulation.stagebug import StageBug

SIZES = (20, 100, 1_000, 10_000, 100_000)
SHARES = (0.01, 0.1, 1.0)
CLEANING = "cleaning"
"""A stage of the user's own, behind `decode`."""
OWN = "sizing"
"""Another, behind `normalise`."""
ELSEWHERE = "recommender"
"""A stage in another service; it gets what `normalise` gives."""
STAGES = (CLEANING, "validate", "normalise", OWN, "pseudonymise", "segment")
SHOP = "shop-001"

UNITS: tuple[tuple[Kind, str, str], ...] = (
    ("widget-event", "height", "inches for centimetres"),
    ("widget-event", "weight", "pounds for kilograms"),
    ("widget-event", "weight", "ten times too large"),
    ("purchase", "price", "hundred times too large (cents)"),
)
LABEL = "category"
WORD = CATEGORIES[0]
"""What a label becomes that is changed."""


class Trial(msgspec.Struct, frozen=True):
    """One fault.

    Attributes:
        size: widget events a day of the shop.
        origin: ``client``, a stage, or `ELSEWHERE`.
        effect: ``scale``, ``lose``, ``relabel``, ``refuse`` or ``drop``; or by the KPI that is
            looked at ``ratio`` (dropped or refused purchases) or ``mark`` (wrong units).
        kind: the event type.
        field, unit: what is hit, and what is done to it, in the words of `unitfault`.
        share: of the records.
        rules: what expert rules do to implausible values: ``""``, ``reject`` or ``mark``.
    """

    size: int
    origin: str
    effect: str
    kind: Kind
    field: str
    unit: str
    share: float
    rules: str = ""

    @property
    def factor(self) -> float:
        """What the right value is multiplied by."""
        return FACTORS[self.field].get(self.unit, 1.0) if self.unit else 1.0

    @property
    def reaches_service(self) -> bool:
        """Whether the stage in another service sees the fault, or makes it."""
        return self.origin in ("client", CLEANING, "validate", "normalise", ELSEWHERE)


def trials() -> Iterator[Trial]:
    """All faults, the small shops first."""
    for size in SIZES:
        for share in SHARES:
            for origin in ("client", *STAGES):
                for unit in UNITS:
                    yield Trial(size, origin, "scale", *unit, share)
                yield Trial(size, origin, "lose", "widget-event", "height", "", share)
                yield Trial(size, origin, "lose", "widget-event", LABEL, "", share)
                yield Trial(size, origin, "relabel", "widget-event", LABEL, "", share)
            for kind, field, name in UNITS[:3]:
                yield Trial(size, ELSEWHERE, "scale", kind, field, name, share)
            for effect, field in (("lose", "height"), ("lose", LABEL), ("relabel", LABEL)):
                yield Trial(size, ELSEWHERE, effect, "widget-event", field, "", share)
            yield Trial(size, "client", "drop", "widget-event", "height", "", share)
            for kind, field, name in UNITS[:3:2]:
                yield Trial(size, "client", "refuse", kind, field, name, share, "reject")
                for origin in ("client", CLEANING):
                    yield Trial(size, origin, "mark", kind, field, name, share, "mark")
            yield Trial(size, CLEANING, "scale", *UNITS[0], share, "reject")
            for stage in (CLEANING, "validate", "normalise", OWN, "segment"):
                yield Trial(size, stage, "refuse", "widget-event", "height", "", share, "reject")
            for origin in ("client", "validate", OWN):
                yield Trial(size, origin, "ratio", "purchase", "quantity", "", share)


def damaged(rows: Rows, hit: np.ndarray, trial: Trial) -> Rows:
    """The rows with the fault in those that are hit."""
    if trial.effect in ("drop", "ratio"):
        return rows[~hit]
    rows = rows.copy()
    if trial.effect == "lose":
        lose_field(rows, trial.field, hit)
    elif trial.effect == "relabel":
        rows[trial.field][hit] = CATEGORIES.index(WORD)
    else:
        rows[trial.field][hit] = np.round(rows[trial.field][hit] * trial.factor, 2)
    return rows


def has_field(rows: Rows, field: str) -> np.ndarray:
    """In which rows a field has a value."""
    values = rows[field]
    return ~np.isnan(values) if values.dtype.kind == "f" else values >= 0


def bug(trial: Trial) -> StageBug:
    """What the broken stage of ours does."""
    effect = "refuse" if trial.effect == "ratio" else trial.effect
    effect = effect if effect in ("lose", "relabel", "refuse") else "scale"
    return StageBug(
        stage=trial.origin,
        shop=SHOP,
        start_ms=0,
        end_ms=2**62,
        share=trial.share,
        field=trial.field,
        factor=trial.factor,
        effect=effect,  # type: ignore[arg-type]
        word=WORD,
    )
