"""Makes stages of ours misbehave, as the labels of a simulation say."""

from collections.abc import Sequence

import msgspec

from streamwatch.domain.events import Received
from streamwatch.domain.refusals import Refusal
from streamwatch.simulation.stagebug import StageBug, misbehave, refuses
from streamwatch.stages.declared import Numbers
from streamwatch.stages.normalise import Normalise, Normalised
from streamwatch.stages.pseudonymise import Pseudonymise, Pseudonymised
from streamwatch.stages.segment import Segment, Segmented
from streamwatch.stages.validate import Validate, Validated
from streamwatch.steps.count import Source


def misbehaving(source: Source, bugs: Sequence[StageBug]) -> Source:
    """The source with its broken stages; the same source where no bug applies."""
    broken = {bug.stage for bug in bugs}
    if "validate" in broken:
        source = msgspec.structs.replace(source, validate=_validate(source.validate, bugs))
    if "normalise" in broken:
        source = msgspec.structs.replace(source, normalise=_normalise(source.normalise, bugs))
    if "pseudonymise" in broken:
        wrapped = _pseudonymise(source.pseudonymise, bugs)
        source = msgspec.structs.replace(source, pseudonymise=wrapped)
    if "segment" in broken:
        source = msgspec.structs.replace(source, segment=_segment(source.segment, bugs))
    return source


def _of(stage: str, bugs: Sequence[StageBug]) -> list[StageBug]:
    return [bug for bug in bugs if bug.stage == stage]


def _validate(stage: Validate, bugs: Sequence[StageBug]) -> Validate:
    mine = _of("validate", bugs)

    def broken(record: Received, declared: Numbers, latest: int) -> Validated | Refusal:
        result = stage(record, declared, latest)
        if isinstance(result, Refusal):
            return result
        refused = refuses(mine, result.record, result.occurred)
        if refused is not None:
            return Refusal("reject", "validate", "out-of-range", refused)
        changed = misbehave(mine, result.record, result.occurred)
        return msgspec.structs.replace(result, record=changed)

    return broken


def _normalise(stage: Normalise, bugs: Sequence[StageBug]) -> Normalise:
    mine = _of("normalise", bugs)

    def broken(valid: Validated) -> Normalised | Refusal:
        result = stage(valid)
        if isinstance(result, Refusal):
            return result
        refused = refuses(mine, result.event, result.occurred)
        if refused is not None:
            return Refusal("reject", "normalise", "unknown-unit", refused)
        event = misbehave(mine, result.event, result.occurred)
        return msgspec.structs.replace(result, event=event)

    return broken


def _pseudonymise(stage: Pseudonymise, bugs: Sequence[StageBug]) -> Pseudonymise:
    mine = _of("pseudonymise", bugs)

    def broken(normalised: Normalised) -> Pseudonymised:
        result = stage(normalised)
        event = misbehave(mine, result.event, result.occurred)
        return msgspec.structs.replace(result, event=event)

    return broken


def _segment(stage: Segment, bugs: Sequence[StageBug]) -> Segment:
    mine = _of("segment", bugs)

    def broken(record: Pseudonymised, oldest: int) -> Segmented | Refusal:
        result = stage(record, oldest)
        if isinstance(result, Refusal):
            return result
        refused = refuses(mine, result.event, result.occurred)
        if refused is not None:
            return Refusal("reject", "segment", "too-late", refused)
        event = misbehave(mine, result.event, result.occurred)
        return msgspec.structs.replace(result, event=event)

    return broken
