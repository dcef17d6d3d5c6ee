"""Diagnosis in the judge: an unusual verdict gets its origin, a usual day is learned.

The cells of the bucket are at hand when a verdict is made, so the origin is known the moment an
incident opens, without any stored record.
"""

from collections.abc import Iterator, Mapping, Sequence

import msgspec

from streamwatch.diagnosis.diagnose import Normals, days_of, diagnose
from streamwatch.diagnosis.elsewhere import AT, departing_name
from streamwatch.diagnosis.learning import learn_days
from streamwatch.diagnosis.normal import FeatureDay
from streamwatch.diagnosis.origin import CLIENT, UNDETERMINED
from streamwatch.domain.cells import ALL, Cell, Transition
from streamwatch.domain.rows import DistributionRow, GroupRow
from streamwatch.domain.verdicts import Verdict
from streamwatch.steps import partials
from streamwatch.steps.partials import Hour

Days = Mapping[int, Mapping[int, Hour]]
"""Local day → hour → the partials, as in `steps.streams.Stream`."""


class Bucket(msgspec.Struct, frozen=True):
    """What a diagnosis needs of a bucket.

    Attributes:
        days: feature → its numbers at every stage.
        rejects: ``stage/reason/field`` → records refused in it.
        volumes: of a ratio: the unusual volumes of the two event types in it.
        stray: nothing was counted in it, and this is what was refused since it began, with the
            hour before it, in which refusals are counted.
    """

    days: Mapping[str, FeatureDay]
    rejects: Mapping[str, int]
    stray: bool = False
    volumes: tuple[Verdict, ...] = ()


def bucket_of(cells: Mapping[str, Cell], start: int, hours: Days) -> Bucket:
    """A closed bucket, from its merged cells.

    A refused record is counted in the shop's newest hour. So while a stage refuses all, the
    refusals stand in the last hour before the bucket; they must not look like silence.
    """
    cell = cells.get(ALL, Cell())
    if cell.count or cell.rejects:
        return Bucket(days_of(cell), cell.rejects)
    refused = _refused_since(hours, start)
    return Bucket(days_of(refused), refused.rejects, stray=bool(refused.rejects))


def _refused_since(days: Days, start: int) -> Cell:
    """The newest hour before ``start``, if records still came after it."""
    for day in sorted((day for day in days if day <= start), reverse=True):
        for hour in sorted((hour for hour in days[day] if hour < start), reverse=True):
            parts = days[day][hour]
            cell = partials.merged([parts]).get(ALL, Cell())
            if cell.count or cell.rejects:
                newest = max(part.last for part in parts.values())
                return cell if cell.rejects and newest >= start else Cell()
    return Cell()


def with_origin(verdict: Verdict, normals: Normals, bucket: Bucket) -> Verdict:
    """The verdict; an unusual one with where it came in."""
    if verdict.state != "unusual":
        return verdict
    if verdict.key.kpi.startswith("ratio."):
        return _of_ratio(verdict, bucket.volumes)
    found = diagnose(verdict.key, normals, bucket.days, verdict, bucket.rejects)
    return msgspec.structs.replace(
        verdict,
        origin=found.origin.name,
        hypothesis=found.hypothesis,
        origin_reason=found.origin.reason,
    )


def _of_ratio(verdict: Verdict, volumes: Sequence[Verdict]) -> Verdict:
    """A ratio departs because one of its two numbers does; so it has the origin of that one."""
    origins = {one.origin for one in volumes}
    if len(origins) != 1:
        reason = (
            "neither of the two numbers departs by itself"
            if not volumes
            else "both numbers depart, and not from the same origin"
        )
        return msgspec.structs.replace(verdict, origin=UNDETERMINED, origin_reason=reason)
    types = " and ".join(one.key.event_type for one in volumes)
    reason = f"the number of {types} records departs: {volumes[0].origin_reason}"
    return msgspec.structs.replace(verdict, origin=volumes[0].origin, origin_reason=reason)


def of_silence(verdict: Verdict) -> Verdict:
    """The verdict; one that a shop is silent with where that came in.

    The judge's clock stands still while a partition is not read, and refused records end a
    silence too. So a silent shop sent nothing that can be read.
    """
    if verdict.state != "unusual":
        return verdict
    reason = "no readable record of the shop was received, and the topic is read up to its end"
    return msgspec.structs.replace(verdict, origin=CLIENT, origin_reason=reason)


def learned(normals: Normals, bucket: Bucket, verdicts: Sequence[Verdict]) -> Normals:
    """What is normal at the stages after a judged day; what departs is not learned."""
    if bucket.stray:
        return normals
    departing = {
        name
        for one in verdicts
        if one.state == "unusual" and one.key.span != "hour" and (name := departing_name(one.key))
    }
    return learn_days(normals, bucket.days, departing)


def group_rows(shop: str, event_type: str, day: int, cell: Cell) -> Iterator[GroupRow]:
    """The groups of a closed day."""
    for labels, values in sorted(cell.groups.items()):
        changes = cell.group_changes.get(labels, {})
        for value, features in sorted(values.items()):
            of_value = changes.get(value, {})
            for feature, group in sorted(features.items()):
                change = of_value.get(feature, Transition())
                yield GroupRow(shop, event_type, "day", day, labels, value, feature, group, change)


def distribution_rows(
    shop: str, event_type: str, day: int, cell: Cell
) -> Iterator[DistributionRow]:
    """The sketches of a closed day; those of services under ``height@recommender``."""
    sketches = dict(cell.sketches)
    for stage, found in cell.beside_sketches.items():
        sketches |= {f"{feature}{AT}{stage}": bins for feature, bins in found.items()}
    for feature, bins in sorted(sketches.items()):
        yield DistributionRow(shop, event_type, "day", day, feature, bins)
