"""The tests inside a tap file: an event, whether the filter takes it, what the row holds."""

from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from streamwatch.domain.events import EVENT_TYPES, EventType, Received
from streamwatch.domain.findings import Finding, Path, did_you_mean
from streamwatch.domain.refusals import STAGES
from streamwatch.domain.tap_settings import TapSettings
from streamwatch.taps.columns import ADDED, Column, written
from streamwatch.taps.compiled import reader
from streamwatch.taps.filter import compile_filter

Scalars = dict[str, str | None]
"""Field → its value as written; ``None`` for an empty one."""

_ADDED = {name for columns in ADDED.values() for name in columns}


class TapTest(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A test inside a tap file.

    Attributes:
        name: what it says.
        event: fields of an event of the tap's type, as the stage has them.
        taken: whether the filter takes it; the sample is left aside.
        columns: values that the row must hold, of the event's own fields; of a hashed one
            the text that is hashed.
    """

    name: str
    event: Scalars
    taken: bool
    columns: Scalars = {}


def check_tests(
    tap: TapSettings, tests: tuple[TapTest, ...], order: Sequence[str] = STAGES
) -> Iterator[Finding]:
    """What cannot work about the tests; advice when there is none."""
    event_type = EVENT_TYPES[tap.event]
    if not tests:
        text = f"tap {tap.name} has no tests; add an event that it takes and one that it leaves"
        yield Finding((), text, advice=True)
    for position, test in enumerate(tests):
        path: Path = ("tests", position)
        if any(test.name == earlier.name for earlier in tests[:position]):
            yield Finding((*path, "name"), f"test `{test.name}` stands twice; names are unique")
        yield from _check_values(test.event, event_type, (*path, "event"))
        for needed in ("event_id", "shop"):
            if test.event.get(needed) is None:
                text = f"the event of test `{test.name}` lacks `{needed}`"
                yield Finding((*path, "event"), text)
        yield from _check_columns(_columns(tap, order), test, (*path, "columns"))


def _columns(tap: TapSettings, order: Sequence[str] = STAGES) -> dict[str, Column]:
    """What the tap writes, at any of its stages."""
    stages = [stage for stage in tap.stages if stage in order]
    return {one.name: one for stage in stages for one in written(tap, stage, order)}


def _check_columns(written: dict[str, Column], test: TapTest, path: Path) -> Iterator[Finding]:
    if test.columns and not test.taken:
        text = f"test `{test.name}`: an event that is not taken has no columns"
        yield Finding(path, text)
    for name, value in test.columns.items():
        if name not in written:
            text = f"the tap writes no column `{name}`{did_you_mean(name, written)}"
            yield Finding((*path, name), text)
        elif name in _ADDED:
            text = f"`{name}` is made by a stage, so a test of the tap cannot know it"
            yield Finding((*path, name), text)
        elif not _fits(written[name], value):
            text = f"column `{name}` is numeric, and `{value}` is no number"
            yield Finding((*path, name), text)


def _fits(column: Column, text: str | None) -> bool:
    try:
        _expected(column, text)
    except ValueError:
        return False
    return True


def unmet(tap: TapSettings, test: TapTest, order: Sequence[str] = STAGES) -> list[str]:
    """How the tap differs from what the test says, in words; empty when it agrees.

    >>> from streamwatch.domain.tap_settings import Filter
    >>> tap = TapSettings("tall", "widget-event", ("normalise",),
    ...                   filter=Filter(ranges={"height": (190, 250)}))
    >>> unmet(tap, TapTest("short", {"event_id": "a", "shop": "s", "height": "170"}, taken=True))
    ['the event is left, but the test says that it is taken']
    """
    event_type = EVENT_TYPES[tap.event]
    event = _event(test.event, event_type)
    taken = compile_filter(tap.filter, event_type)(event)
    if taken != test.taken:
        does, says = ("taken", "left") if taken else ("left", "taken")
        return [f"the event is {does}, but the test says that it is {says}"]
    differing = []
    columns = _columns(tap, order)
    for name, text in test.columns.items():
        column = columns[name]
        expected = _expected(column, text)
        actual = reader(column, lambda _, hashed: hashed)(event)
        if expected != actual:
            differing.append(f"column {name} holds {actual!r}, but the test says {expected!r}")
    return differing


def _check_values(values: Scalars, event_type: EventType, path: Path) -> Iterator[Finding]:
    names = event_type.received.__struct_fields__
    for name, text in values.items():
        if name not in names:
            hint = did_you_mean(name, names)
            yield Finding((*path, name), f"{event_type.name} has no field `{name}`{hint}")
            continue
        try:
            _value(name, text, event_type)
        except ValueError:
            yield Finding((*path, name), f"`{name}` is numeric, and `{text}` is no number")


def _event(values: Scalars, event_type: EventType) -> Received:
    fields: dict[str, Any] = {name: _value(name, values[name], event_type) for name in values}
    return event_type.received(**fields)


def _expected(column: Column, text: str | None) -> str | float | None:
    return text if text is None or column.kind is not float else float(text)


def _value(name: str, text: str | None, event_type: EventType) -> str | float | None:
    return text if text is None or name not in event_type.numbers else float(text)
