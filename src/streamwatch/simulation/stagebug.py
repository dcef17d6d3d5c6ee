"""A stage of ours that misbehaves: the received data are right, what the stage gives is not."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, TypeVar

import msgspec

from streamwatch.domain.events import Event
from streamwatch.errors import ConfigurationError
from streamwatch.simulation.faults import parse_fault
from streamwatch.simulation.labels import read_labels

EventT = TypeVar("EventT", bound=Event)


class StageBug(msgspec.Struct, frozen=True):
    """What goes wrong, where and when.

    Attributes:
        stage: the stage after which the value is wrong.
        shop: the shop that it happens to.
        start_ms, end_ms: event times from and before which it happens, since 1970 UTC.
        share: share of the events, chosen by a hash of the event id.
        field: the field; numeric where it is multiplied.
        factor: what the value is multiplied by.
        app_version: only records of this version; ``None`` for all.
        effect: the value is multiplied, lost, replaced by ``word``, or the whole record refused.
    """

    stage: str
    shop: str
    start_ms: int
    end_ms: int
    share: float = 1.0
    field: str = "height"
    factor: float = 1 / 2.54
    app_version: str | None = None
    effect: Literal["scale", "lose", "relabel", "refuse"] = "scale"
    word: str = "other"


def misbehave(bugs: Sequence[StageBug], event: EventT, occurred_ms: int) -> EventT:
    """The event as the broken stage gives it; the very same object where no bug applies.

    >>> from streamwatch.domain.events import WidgetEvent
    >>> bug = StageBug("normalise", "shop-001", 0, 1000, factor=0.5)
    >>> misbehave([bug], WidgetEvent("a", "shop-001", height=170.0), 500).height
    85.0
    """
    for bug in bugs:
        value = getattr(event, bug.field, None)
        if value is None or bug.effect == "refuse" or not _is_hit(bug, event, occurred_ms):
            continue
        event = msgspec.structs.replace(event, **{bug.field: _wrong(bug, value)})
    return event


def _wrong(bug: StageBug, value: float) -> float | str | None:
    if bug.effect == "lose":
        return None
    return bug.word if bug.effect == "relabel" else value * bug.factor


def refuses(bugs: Sequence[StageBug], event: Event, occurred_ms: int) -> str | None:
    """The field for which the broken stage refuses the record; ``None`` if it does not."""
    for bug in bugs:
        if bug.effect == "refuse" and _is_hit(bug, event, occurred_ms):
            return bug.field
    return None


def _is_hit(bug: StageBug, event: Event, occurred_ms: int) -> bool:
    if bug.shop != event.shop or not bug.start_ms <= occurred_ms < bug.end_ms:
        return False
    if bug.app_version is not None and event.app_version != bug.app_version:
        return False
    if bug.share >= 1:
        return True
    digest = hashlib.blake2b(event.event_id.encode(), digest_size=8, person=b"stage-bug").digest()
    return int.from_bytes(digest) < bug.share * 2**64


def stage_bugs(labels_file: Path) -> list[StageBug]:
    """The bugs that a labels file tells of; other faults in it are passed over.

    Raises:
        ConfigurationError: the file is missing or wrong; the text begins with ``file:line:``.
    """
    bugs: list[StageBug] = []
    for line, label in read_labels(labels_file):
        if label.fault != "stage-bug":
            continue
        try:
            fault = parse_fault(f"stage-bug@{label.shop}:0:{label.argument}")
        except ConfigurationError as error:
            raise ConfigurationError(f"{labels_file}:{line}: {error}") from error
        bug = StageBug(
            stage=fault.stage,
            shop=label.shop,
            start_ms=label.start_ms,
            end_ms=label.end_ms,
            share=fault.share,
            field=fault.field,
            factor=fault.factor,
            app_version=fault.app_version,
        )
        if bug not in bugs:
            bugs.append(bug)
    return bugs
