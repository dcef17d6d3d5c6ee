"""Makes stages of ours misbehave, as the labels of a simulation say."""

from collections.abc import Sequence

import msgspec

from streamwatch.domain.refusals import Refusal
from streamwatch.simulation.stagebug import StageBug, misbehave, refuses
from streamwatch.stages.underway import Stage, Underway
from streamwatch.steps.source import Source

REASONS = {"validate": "out-of-range", "normalise": "unknown-unit", "segment": "too-late"}
"""Why a broken stage says that it refuses a record."""


def misbehaving(source: Source, bugs: Sequence[StageBug]) -> Source:
    """The source with its broken stages; the same source where no bug applies."""
    broken = {bug.stage for bug in bugs}
    if not any(name in broken for name, _ in source.stages):
        return source
    stages = tuple(
        (name, _broken(name, stage, bugs) if name in broken else stage)
        for name, stage in source.stages
    )
    return msgspec.structs.replace(source, stages=stages)


def _broken(name: str, stage: Stage, bugs: Sequence[StageBug]) -> Stage:
    mine = [bug for bug in bugs if bug.stage == name]

    def broken(record: Underway) -> Refusal | None:
        refusal = stage(record)
        if refusal is not None:
            return refusal
        occurred = record.occurred or 0
        refused = refuses(mine, record.event, occurred)
        if refused is not None:
            return Refusal("reject", name, REASONS.get(name, "refused"), refused)
        record.event = misbehave(mine, record.event, occurred)
        return None

    return broken
