"""Whether a tap makes sense: stages, columns, filter; and what about it could be better."""

import re
from collections.abc import Iterator, Mapping, Sequence

from streamwatch.domain.events import EVENT_TYPES, EventType
from streamwatch.domain.findings import Finding, did_you_mean
from streamwatch.domain.refusals import STAGES
from streamwatch.domain.settings import Settings
from streamwatch.domain.stageorder import all_stages
from streamwatch.domain.tap_settings import TapSettings
from streamwatch.taps.columns import Column, written
from streamwatch.taps.expression import fields_in, parse
from streamwatch.taps.filter import filter_fields
from streamwatch.taps.lint_columns import check_columns
from streamwatch.taps.tokens import ExpressionError

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")


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
    order = all_stages(settings, tap.event)
    yield from _check_stages(tap, order)
    yield from check_columns(tap, event_type, order)
    yield from _check_filter(tap, event_type)
    yield from _advise(tap, settings, event_type, order)


def clashes(
    taps: Sequence[TapSettings], orders: Mapping[str, Sequence[str]]
) -> Iterator[tuple[TapSettings, str, str]]:
    """Taps that would fill one column of one table in different ways.

    Args:
        taps: of a whole folder.
        orders: event type → all its stages.

    Yields:
        The later tap, the field that it writes otherwise, and what is wrong, in words.
    """
    seen: dict[tuple[str, str, str], tuple[str, Column]] = {}
    told: set[tuple[str, str]] = set()
    for tap in taps:
        for stage in tap.stages:
            for column in written(tap, stage, orders[tap.event]):
                name, known = seen.setdefault((tap.event, stage, column.name), (tap.name, column))
                if known != column and (tap.name, column.name) not in told:
                    told.add((tap.name, column.name))
                    text = (
                        f"the tap `{name}` fills the column `{column.name}` after {stage} in "
                        "another way; write it alike, or rename one of them"
                    )
                    yield tap, column.field, text


def _check_stages(tap: TapSettings, order: Sequence[str]) -> Iterator[Finding]:
    if not tap.stages:
        yield Finding(("after",), f"after names no stage{did_you_mean('', STAGES)}")
    for position, stage in enumerate(tap.stages):
        if stage not in order:
            text = f"no stage is called `{stage}`{did_you_mean(stage, order)}"
            yield Finding(("after", position), text)
        elif stage in tap.stages[:position]:
            yield Finding(("after", position), f"stage `{stage}` stands twice")


def _check_filter(tap: TapSettings, event_type: EventType) -> Iterator[Finding]:
    known = filter_fields(event_type)
    for field, value in tap.filter.equals.items():
        path = ("filter", "equals", field)
        if field == "shopper":
            yield Finding(path, known.refused[field])
        elif field in known.numbers:
            if not _is_number(value):
                yield Finding(path, f"`{field}` is numeric, so it never equals `{value}`")
        elif field not in known.texts:
            hint = did_you_mean(field, known.texts | known.numbers)
            yield Finding(path, f"{tap.event} has no field `{field}` (equals of filter){hint}")
    for field, (low, high) in tap.filter.ranges.items():
        path = ("filter", "ranges", field)
        if field not in event_type.numbers:
            hint = did_you_mean(field, event_type.numbers)
            text = f"{tap.event} has no numeric field `{field}` (ranges of filter){hint}"
            yield Finding(path, text)
        elif low > high:
            yield Finding(path, f"the range of `{field}` must be [lowest, highest]")
    if tap.filter.expression:
        try:
            parse(tap.filter.expression, known)
        except ExpressionError as error:
            yield Finding(("filter", "expression"), f"filter: {error}", within=error.at)


def _is_number(text: str) -> bool:
    try:
        return float(text) == float(text)
    except ValueError:
        return False


def _advise(
    tap: TapSettings, settings: Settings, event_type: EventType, order: Sequence[str]
) -> Iterator[Finding]:
    shops = set(settings.shops) - {"default"}
    for position, shop in enumerate(tap.filter.shops):
        if settings.known_only and shop not in shops:
            text = f"shop `{shop}` is not in the settings, so none of its records gets here"
            yield Finding(("filter", "shops", position), text, advice=True)
    as_sent = order[: order.index("normalise")]
    before = [stage for stage in tap.stages if stage in as_sent]
    if not before or len(before) == len(tap.stages):
        return
    changing = {*event_type.labels, *event_type.units} - {"app_version"}
    for path, field in _asked(tap, event_type):
        if field in changing:
            text = (
                f"`{field}` is compared as the client sent it after {' and '.join(before)}, "
                "but normalised after later stages, so not the same events may be taken"
            )
            yield Finding(path, text, advice=True)


def _asked(tap: TapSettings, event_type: EventType) -> Iterator[tuple[tuple[str, ...], str]]:
    """The fields that a filter asks about, and where."""
    for kind, fields in (("equals", tap.filter.equals), ("ranges", tap.filter.ranges)):
        for field in fields:
            yield ("filter", kind, field), field
    if tap.filter.expression:
        try:
            node = parse(tap.filter.expression, filter_fields(event_type))
        except ExpressionError:
            return
        for field in sorted(fields_in(node)):
            yield ("filter", "expression"), field
