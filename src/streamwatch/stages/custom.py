"""The user's own stages: a function between two built-in ones, held to what a stage may do."""

import math
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Protocol

import msgspec

from streamwatch.domain.events import Event, EventType
from streamwatch.domain.refusals import Refusal
from streamwatch.stages.underway import Stage, Underway

LONGEST_REASON = 60


class Refuse(msgspec.Struct, frozen=True):
    """What a step returns for an event that it does not let pass.

    Attributes:
        reason: a short code; it stands in the table `rejects` and in metrics.
        field: the field that it is about, if any.
    """

    reason: str
    field: str = ""


class Step(Protocol):
    """A function of the user's own; no I/O, no clock: the same event gives the same result.

    An event is never changed in place: ``msgspec.structs.replace(event, height=170.0)`` makes
    another one. Whatever is raised becomes a reject of the stage. Before `normalise` it holds
    what the client sent, in the client's units; wherever the step stands, the shopper is not in
    it.
    """

    def __call__(self, event: Event, occurred_ms: int, /) -> Event | Refuse:
        """The event as it goes on, or why it does not.

        ``occurred_ms`` is its time, and 0 before `validate`, which reads it from ``event.time``.
        """
        ...


def compile_own(name: str, step: Step, event_type: EventType, *, as_sent: bool = False) -> Stage:
    """A step as a stage of one event type; it never raises.

    Args:
        name: of the stage.
        step: the function.
        event_type: of the events that it gets.
        as_sent: whether the stage stands before `normalise`, where events still name the
            shopper: the step gets one that does not, and the shopper is put back behind it.

    >>> from streamwatch.domain.events import RETURN, Return
    >>> stage = compile_own("mine", lambda event, occurred: 1 / 0, RETURN)
    >>> stage(Underway({}).set_out(Return("a", "s"), (1.0,), 0)).reason
    'exception:ZeroDivisionError'
    """
    fits = _checks(event_type, as_sent=as_sent)
    fields: Callable[[Any], tuple[Any, ...]] = attrgetter(*event_type.event.__struct_fields__)
    received: Callable[..., Event] = event_type.received

    def refused(reason: str, field: str = "") -> Refusal:
        return Refusal("reject", name, reason[:LONGEST_REASON], field[:LONGEST_REASON])

    def stage(record: Underway) -> Refusal | None:
        event = event_type.event(*fields(record.event)) if as_sent else record.event
        try:
            result = step(event, record.occurred or 0)
        except (Exception, SystemExit) as error:  # noqa: BLE001  # any failure is the record's end
            return refused(f"exception:{type(error).__name__}")
        if result is event:
            return None
        if type(result) is Refuse:
            return refused(str(result.reason) or "refused", str(result.field))
        if type(result) is not event_type.event:
            return refused("not-an-event")
        if result.event_id != event.event_id or result.shop != event.shop:
            return refused("changed-id", "event_id" if result.shop == event.shop else "shop")
        for field, fit in fits:
            value = getattr(result, field)
            if value is not getattr(event, field) and not fit(value):
                return refused("wrong-type", field)
        if as_sent:
            result = received(*fields(result), getattr(record.event, "shopper", None))
        record.event = result
        return None

    return stage


def _checks(event_type: EventType, *, as_sent: bool) -> list[tuple[str, Callable[[Any], bool]]]:
    """What each field of a changed event must be, since later stages rely on it."""
    names = [
        name for name in event_type.event.__struct_fields__ if name not in ("event_id", "shop")
    ]
    kinds: dict[str, Callable[[Any], bool]] = dict.fromkeys(event_type.numbers, _is_number)
    if as_sent:
        kinds["time"] = _is_time
    return [(name, kinds.get(name, _is_text)) for name in names]


def _is_time(value: Any) -> bool:
    return _is_text(value) or _is_number(value)


def _is_number(value: Any) -> bool:
    if value is None:
        return True
    return isinstance(value, float | int) and type(value) is not bool and math.isfinite(value)


def _is_text(value: Any) -> bool:
    return value is None or isinstance(value, str)
