"""Whether a tap makes sense: stages, columns, filter; and what about it could be better."""

import re
from collections.abc import Iterator

from streamwatch.domain.events import EVENT_TYPES, EventType
from streamwatch.domain.findings import Finding, did_you_mean
from streamwatch.domain.refusals import STAGES
from streamwatch.domain.settings import Settings, TapSettings
from streamwatch.taps.columns import EVERY_ROW, IDENTITY, tap_columns

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_NO_IDENTITY = (
    f"`{IDENTITY}` is never written; use `pseudonym`, which is there from pseudonymise on"
)


def check_tap(tap: TapSettings, settings: Settings) -> Iterator[Finding]:
    """What cannot work about a tap, and advice; paths are keys of its file.

    >>> tap = TapSettings("tall", "widget-event", ("decode",), columns=("hieght",))
    >>> [finding.text for finding in check_tap(tap, Settings())][0]
    'no column `hieght` after decode; did you mean `height`?'
    """
    if not _NAME.fullmatch(tap.name):
        text = f"tap name `{tap.name}`: small letters, digits, dashes and underscores, at most 63"
        yield Finding((), f"{text}; rename the file")
    event_type = EVENT_TYPES[tap.event]
    yield from _check_stages(tap)
    yield from _check_columns(tap, event_type)
    yield from _check_filter(tap, event_type)
    yield from _advise(tap, settings, event_type)


def _check_stages(tap: TapSettings) -> Iterator[Finding]:
    if not tap.stages:
        yield Finding(("after",), f"after names no stage{did_you_mean('', STAGES)}")
    for position, stage in enumerate(tap.stages):
        if stage not in STAGES:
            text = f"no stage is called `{stage}`{did_you_mean(stage, STAGES)}"
            yield Finding(("after", position), text)
        elif stage in tap.stages[:position]:
            yield Finding(("after", position), f"stage `{stage}` stands twice")


def _check_columns(tap: TapSettings, event_type: EventType) -> Iterator[Finding]:
    stages = [stage for stage in tap.stages if stage in STAGES]
    for position, column in enumerate(tap.columns):
        path = ("columns", position)
        if column == IDENTITY:
            yield Finding(path, f"column {_NO_IDENTITY}")
        elif column in EVERY_ROW:
            yield Finding(path, f"`{column}` is in every tap row already; leave it out")
        elif column in tap.columns[:position]:
            yield Finding(path, f"column `{column}` stands twice")
        else:
            lacking = [stage for stage in stages if column not in tap_columns(event_type, stage)]
            if lacking:
                yield Finding(path, _no_column(column, lacking, event_type))


def _no_column(column: str, lacking: list[str], event_type: EventType) -> str:
    """Why a column is not there: it comes later, it has gone, or it is no name at all."""
    after = f"no column `{column}` after {', '.join(lacking)}"
    having = [stage for stage in STAGES if column in tap_columns(event_type, stage)]
    if not having:
        return after + did_you_mean(column, tap_columns(event_type, lacking[0]))
    if having[-1] != STAGES[-1]:
        return f"{after}; it is there up to {having[-1]}, and is `occurred_at` of the row then"
    return f"{after}; it is there from {having[0]} on, so give those stages a tap of their own"


def _check_filter(tap: TapSettings, event_type: EventType) -> Iterator[Finding]:
    texts = [
        name
        for name in event_type.event.__struct_fields__
        if name not in event_type.numbers and name != "time"
    ]
    for field, value in tap.filter.equals.items():
        path = ("filter", "equals", field)
        if field == IDENTITY:
            yield Finding(path, f"a filter by person is not possible: {_NO_IDENTITY}")
        elif field in event_type.numbers:
            if not _is_number(value):
                yield Finding(path, f"`{field}` is numeric, so it never equals `{value}`")
        elif field not in texts:
            hint = did_you_mean(field, [*texts, *event_type.numbers])
            yield Finding(path, f"{tap.event} has no field `{field}` (equals of filter){hint}")
    for field, (low, high) in tap.filter.ranges.items():
        path = ("filter", "ranges", field)
        if field not in event_type.numbers:
            hint = did_you_mean(field, event_type.numbers)
            text = f"{tap.event} has no numeric field `{field}` (ranges of filter){hint}"
            yield Finding(path, text)
        elif low > high:
            yield Finding(path, f"the range of `{field}` must be [lowest, highest]")


def _is_number(text: str) -> bool:
    try:
        return float(text) == float(text)
    except ValueError:
        return False


def _advise(tap: TapSettings, settings: Settings, event_type: EventType) -> Iterator[Finding]:
    shops = set(settings.shops) - {"default"}
    for position, shop in enumerate(tap.filter.shops):
        if settings.known_only and shop not in shops:
            text = f"shop `{shop}` is not in the settings, so none of its records gets here"
            yield Finding(("filter", "shops", position), text, advice=True)
    before = [stage for stage in tap.stages if stage in ("decode", "validate")]
    if not before or len(before) == len(tap.stages):
        return
    normalised = {*event_type.labels, *event_type.units} - {"app_version"}
    for kind, fields in (("equals", tap.filter.equals), ("ranges", tap.filter.ranges)):
        for field in fields:
            if field in normalised:
                text = (
                    f"`{field}` is compared as the client sent it after {' and '.join(before)}, "
                    "but normalised after later stages, so not the same events may be taken"
                )
                yield Finding(("filter", kind, field), text, advice=True)
