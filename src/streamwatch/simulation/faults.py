"""Faults by name, and how they are written: ``KIND@SHOP:DAY[+LENGTH][:ARGUMENT]``.

``SHOP`` is a shop's name or ``*`` for all. ``DAY`` counts days from the start, 0 is the
first, and may have a fraction; ``LENGTH`` is in days. Where it is not given, a fault of
one day's sending lasts a day and a fault that a release brings lasts to the end.
"""

import difflib
import math
from collections.abc import Callable
from typing import Literal

import msgspec

from streamwatch.domain.events import EVENT_TYPES
from streamwatch.domain.refusals import STAGES
from streamwatch.errors import ConfigurationError
from streamwatch.simulation.fleet import DAY_MS, FleetSettings, shop_names

FaultKind = Literal[
    "silence", "drop", "surge", "inches", "tenfold", "missing-field", "sizes-lost",
    "wrong-label", "duplicate-file", "late", "stage-bug",
]  # fmt: skip
NUMBERS = tuple(field for event in EVENT_TYPES.values() for field in event.numbers)
FIELDS = tuple(
    dict.fromkeys(field for event in EVENT_TYPES.values() for field in event.numbers + event.labels)
)
BUGGY_STAGES = STAGES[1:-1]
"""Stages that take and give single events, and so can be told to misbehave."""
ALL_SHOPS = "*"


class Fault(msgspec.Struct, frozen=True):
    """One fault.

    Attributes:
        kind: its name.
        shop: the shop, or ``*`` for all.
        day: when it begins, in days from the start.
        length: how long it lasts, in days; ``None`` to the end.
        share: share of the records that it hits.
        factor: of a surge or a stage's bug.
        field: the field that it hits.
        hours: how much later events arrive.
        stage: the stage of ours that misbehaves.
        app_version: a stage's bug hits the records of this version only.
    """

    kind: FaultKind
    shop: str
    day: float
    length: float | None = None
    share: float = 1.0
    factor: float = 1.0
    field: str = ""
    hours: float = 0.0
    stage: str = ""
    app_version: str | None = None


class FaultSyntax(msgspec.Struct, frozen=True):
    """How one kind is written and what it does.

    Attributes:
        length: days that it lasts unless told; ``None`` to the end.
        does: in words.
        argument: its form and default; empty when it takes none.
        example: a whole fault.
        read: the fields of a `Fault` from the argument; raises ValueError.
    """

    length: float | None
    does: str
    argument: str
    example: str
    read: Callable[[str], dict[str, object]]


def _nothing(argument: str) -> dict[str, object]:
    if argument:
        raise ValueError("takes no argument")
    return {}


def _number(text: str, low: float, high: float, meaning: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not low < value <= high:
        raise ValueError(f"wants {meaning}, not {text!r}")
    return value


def _share(default: float) -> Callable[[str], dict[str, object]]:
    def read(argument: str) -> dict[str, object]:
        if not argument:
            return {"share": default}
        return {"share": _number(argument, 0, 1, "a share above 0 and up to 1")}

    return read


def _surge(argument: str) -> dict[str, object]:
    return {"factor": _number(argument or "3", 1, 1000, "a factor above 1 and up to 1000")}


def _hours(argument: str) -> dict[str, object]:
    return {"hours": _number(argument or "12", 0, 24 * 365, "hours above 0")}


def _field(default: str, fields: tuple[str, ...]) -> Callable[[str], dict[str, object]]:
    def read(argument: str) -> dict[str, object]:
        field, _, share = argument.partition("/")
        return {"field": _one_of(field or default, fields, "field"), **_share(1.0)(share)}

    return read


def _stage_bug(argument: str) -> dict[str, object]:
    parts = argument.split("/") if argument else []
    if len(parts) > 4:  # noqa: PLR2004
        raise ValueError("wants STAGE/SHARE-OR-VERSION/FIELD/FACTOR at most")
    stage, which, field, factor = (*parts, *("normalise", "1", "height", "")[len(parts) :])
    found: dict[str, object] = {
        "stage": _one_of(stage, BUGGY_STAGES, "stage"),
        "field": _one_of(field, NUMBERS, "numeric field"),
        "factor": _number(factor, 0, 1e6, "a factor above 0") if factor else 1 / 2.54,
    }
    if which.count(".") > 1:
        return {**found, "app_version": which}
    return {**found, "share": _number(which, 0, 1, "a share up to 1 or a version such as 5.0.0")}


def _one_of(word: str, words: tuple[str, ...], meaning: str) -> str:
    if word in words:
        return word
    near = difflib.get_close_matches(word, words, 1, 0.4)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"knows no {meaning} {word!r}{meant} ({', '.join(words)})")


FAULT_KINDS: dict[str, FaultSyntax] = {
    "silence": FaultSyntax(1, "nothing is sent", "", "silence@shop-002:40", _nothing),
    "drop": FaultSyntax(
        1, "a share of the events is lost", "SHARE=0.5", "drop@*:40+2:0.3", _share(0.5)
    ),
    "surge": FaultSyntax(1, "widget use and sales rise", "FACTOR=3", "surge@shop-001:40:4", _surge),
    "inches": FaultSyntax(
        None, "heights in inches, said to be cm", "SHARE=1", "inches@shop-003:57:0.3", _share(1.0)
    ),
    "tenfold": FaultSyntax(
        None,
        "a number ten times too large",
        "FIELD=weight[/SHARE=1]",
        "tenfold@shop-001:40+3:price/0.2",
        _field("weight", NUMBERS),
    ),
    "missing-field": FaultSyntax(
        None,
        "a field is left out",
        "FIELD=height[/SHARE=1]",
        "missing-field@shop-004:40:age/0.6",
        _field("height", FIELDS),
    ),
    "sizes-lost": FaultSyntax(
        None, "XL and XXL vanish from purchases", "", "sizes-lost@shop-001:40", _nothing
    ),
    "wrong-label": FaultSyntax(
        None, "female and male are swapped", "SHARE=1", "wrong-label@shop-002:40+5", _share(1.0)
    ),
    "duplicate-file": FaultSyntax(
        1, "events are sent a second time", "", "duplicate-file@shop-004:40", _nothing
    ),
    "late": FaultSyntax(1, "events arrive later", "HOURS=12", "late@shop-001:40.5+0.5:6", _hours),
    "stage-bug": FaultSyntax(
        None,
        "one of our own stages misbehaves; the data do not change",
        "STAGE=normalise/SHARE=1 or VERSION[/FIELD=height[/FACTOR=0.3937]]",
        "stage-bug@shop-002:57:normalise/5.0.0",
        _stage_bug,
    ),
}


def parse_fault(text: str) -> Fault:
    """The fault that a text describes.

    Raises:
        ConfigurationError: it is not written so; the text names the nearest kind or an example.

    >>> fault = parse_fault("inches@shop-003:57+2:0.3")
    >>> fault.kind, fault.shop, fault.day, fault.length, fault.share
    ('inches', 'shop-003', 57.0, 2.0, 0.3)
    """
    name, at, rest = text.partition("@")
    kind = FAULT_KINDS.get(name)
    if kind is None:
        near = difflib.get_close_matches(name, FAULT_KINDS, 1, 0.4)
        meant = f"; did you mean {near[0]!r}?" if near else ""
        example = FAULT_KINDS[near[0] if near else "inches"].example
        known = ", ".join(FAULT_KINDS)
        raise ConfigurationError(
            f"fault {text!r}: no kind {name!r}{meant} Known: {known}. Example: {example}"
        )
    shop, colon, when = rest.partition(":")
    when, _, argument = when.partition(":")
    try:
        if not (at and shop and colon and when):
            raise ValueError("is written KIND@SHOP:DAY[+LENGTH][:ARGUMENT]")  # noqa: TRY301
        day, plus, length = when.partition("+")
        fault = {
            "kind": name,
            "shop": shop,
            "day": _number(day, -1e-9, 1e5, "a day of 0 or more"),
            "length": _number(length, 0, 1e5, "a length in days above 0") if plus else kind.length,
            **kind.read(argument),
        }
    except ValueError as error:
        raise ConfigurationError(
            f"fault {text!r}: {name} {error}. Example: {kind.example}"
        ) from None
    return msgspec.convert(fault, Fault)


def check_faults(faults: tuple[Fault, ...], settings: FleetSettings) -> None:
    """Refuse faults in shops or on days that are not simulated.

    Raises:
        ConfigurationError: names the fault and what there is instead.
    """
    names = shop_names(settings)
    for fault in faults:
        if fault.shop not in (ALL_SHOPS, *names):
            there = f"{names[0]} to {names[-1]}" if len(names) > 1 else names[0]
            raise ConfigurationError(
                f"fault {fault.kind}: no shop {fault.shop!r}; there is {there}, or * for all"
            )
        if fault.day >= settings.days:
            raise ConfigurationError(
                f"fault {fault.kind}@{fault.shop}: day {fault.day:g} is not simulated; "
                f"the days are 0 to {settings.days - 1}"
            )


def window(fault: Fault, settings: FleetSettings) -> tuple[int, int]:
    """First millisecond of a fault and the first after it, within the simulation."""
    start = settings.start_ms + round(fault.day * DAY_MS)
    if fault.length is None:
        return start, settings.end_ms
    return start, min(start + round(fault.length * DAY_MS), settings.end_ms)
