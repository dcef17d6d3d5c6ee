"""Who the shopper is stands in no row, no state value and no message on streamwatch's topics."""

import json
from datetime import UTC
from typing import Any, Literal

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from streamwatch.domain.events import EVENT_TYPES, Event
from streamwatch.domain.messages import Message
from streamwatch.domain.records import FileRecord, PartitionId, Slice
from streamwatch.domain.refusals import STAGES
from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import (
    FieldMapping,
    Rule,
    SourceSettings,
    StageSettings,
    StageTopicSettings,
)
from streamwatch.domain.tap_settings import ColumnShape, TapSettings
from streamwatch.runner.memory import MemoryStore
from streamwatch.runner.partition import OUTBOX, Partition
from streamwatch.stages.pseudonymise import ShopKeys
from streamwatch.steps.count import CountStep
from streamwatch.steps.countstate import CountState
from streamwatch.steps.sources import compile_sources
from streamwatch.steps.stagetopic import step_of
from streamwatch.taps.recorder import Recorder

NOW = 1_788_256_800_000
EventName = Literal["widget-event", "purchase", "return"]
EVENTS: tuple[EventName, ...] = ("widget-event", "purchase", "return")
SHOPPERS = st.one_of(st.uuids().map("zz-{}".format), st.uuids().map("zz-ü\0\u2603-{}".format))
WRONG: st.SearchStrategy[object] = st.sampled_from(
    [None, True, 1e300, "tall", "", -1, 10**30, [], {"x": 1}, "9" * 300, "1e999", "NaN", "soon"]
)
PLACES = {"shopper": None, "user.id": "user.id", "product": "product", "reason": "reason"}


def rules_for(event: EventName) -> list[Rule]:
    """Rules about the shopper and others, that reject and that mark."""
    return [
        Rule(f"{event}-{action}-{field}", event, field, pattern="[a-y].*", action=action)
        for field in ("shopper", "product", "category")
        for action in ("reject", "mark")
    ]


@st.composite
def records(draw: st.DrawFn, event: EventName, place: str) -> tuple[bytes, str]:
    """A record of a shopper, with anything wrong about it, and the shopper."""
    shopper = draw(SHOPPERS)
    wrapped = draw(st.sampled_from(["text", "text", "text", "list", "object", "twice"]))
    named: Any = {"list": [shopper], "object": {shopper: shopper}}.get(wrapped, shopper)
    fields: dict[str, Any] = {"event_id": "e-1", "shop": "s1", "time": NOW, "category": "a"}
    names = [name for name in EVENT_TYPES[event].event.__struct_fields__ if name != place]
    fields |= draw(st.dictionaries(st.sampled_from(names), WRONG, max_size=2))
    outer, _, inner = place.partition(".")
    fields[outer] = {inner: named} if inner else named
    text = json.dumps(fields, ensure_ascii=draw(st.booleans()))
    if wrapped == "twice":
        text = text[:-1] + ', "shopper": ' + json.dumps(shopper) + "}"
    cut = draw(st.sampled_from([0, 0, 0, 1]))
    return text.encode()[: len(text.encode()) - cut], shopper


def seen(event: Event, occurred: int) -> Event:  # noqa: ARG001
    """A stage of the user's own, to which the shopper is nowhere."""
    assert not hasattr(event, "shopper")
    return event


class Watched:
    """One partition in memory, with all taps and all columns, and what it leaves behind."""

    def __init__(self, event: EventName, place: str, types: Literal["strict", "lenient"]) -> None:
        path = PLACES[place]
        mapping = {} if path is None else {"shopper": FieldMapping(path=path)}
        source = SourceSettings(event, event, types=types, fields=mapping)
        marks = [rule for rule in rules_for(event) if rule.action == "mark"]
        rejecting = [rule for rule in rules_for(event) if rule.field == "category"]
        settings = Settings(sources=(source,), rules=(*marks, *rejecting))
        hashed = {name: ColumnShape(hash=True) for name in ("product", "category")}
        taps = [
            TapSettings("all", event, STAGES),
            TapSettings("own", event, ("own", "away"), ("product", "category"), shapes=hashed),
        ]
        settings = msgspec.structs.replace(
            settings,
            stages=(StageSettings("own", "mine:own"),),
            stage_topics=(StageTopicSettings("away", "away", event, fields=mapping),),
        )
        self.recorder = Recorder(0, 10_000_000)
        sources = compile_sources(
            settings, taps, lambda _: UTC, b"k" * 32, own={"own": seen}, recorder=self.recorder
        )
        self.step = CountStep(sources[event], 0)
        self.away = step_of(sources["away"], 0)
        self.place = PartitionId("count", event, 0)
        self.store = MemoryStore()
        self.messages: list[Message] = []

    def read(self, values: list[bytes]) -> None:
        worker: Partition[CountState] = Partition(
            self.step, self.place, self.store.load(self.place)
        )
        taken = [FileRecord(n, value, NOW, b"zz-key") for n, value in enumerate(values)]
        worker.process(Slice(self.place.topic, 0, taken), NOW)
        flush = worker.prepare(NOW)
        assert flush is not None
        self.store.commit(flush)
        self.messages += worker.committed(flush)
        worker = Partition(self.step, self.place, self.store.load(self.place))
        self.messages += worker.announce()
        state = self.away.restore({})
        elsewhere = self.away.process(state, Slice("away", 0, taken), NOW)
        self.elsewhere = f"{elsewhere} {self.away.settle(state, len(taken), 0, NOW)}"

    def left_behind(self) -> str:
        """Everything but the dead letters, which carry the client's own bytes by design."""
        states = {k: v for k, v in self.store.states[self.place].items() if k != OUTBOX}
        kept = [m for m in self.messages if m.topic.startswith("streamwatch.")]
        assert all(m.topic == f"{self.place.topic}.dlq" for m in self.messages if m not in kept)
        recorded = [self.recorder.of(shop) for shop in ("s", "s1")]
        return f"{self.store.rows} {states} {kept} {recorded} {self.elsewhere}"


@given(
    data=st.data(),
    event=st.sampled_from(EVENTS),
    place=st.sampled_from(list(PLACES)),
    types=st.sampled_from(["strict", "lenient"]),
)
def test_no_raw_identity_is_left_anywhere(
    data: st.DataObject, event: EventName, place: str, types: Literal["strict", "lenient"]
) -> None:
    drawn = data.draw(st.lists(records(event, place), min_size=1, max_size=6))
    watched = Watched(event, place, types)
    watched.read([value for value, _ in drawn])
    found = watched.left_behind()
    for _, shopper in drawn:
        assert shopper[-36:] not in found
    assert "zz-" not in found


@given(shopper=SHOPPERS, event=st.sampled_from(EVENTS))
def test_a_good_record_leaves_its_pseudonym_and_nothing_else(
    shopper: str, event: EventName
) -> None:
    """The property above is about something: all stages are tapped, and the row is there."""
    watched = Watched(event, "shopper", "strict")
    fields = {"event_id": "e", "shop": "s", "time": NOW, "shopper": shopper}
    watched.read([json.dumps(fields).encode()])
    assert len(watched.store.rows) == len(STAGES) + 1
    assert len(watched.recorder.of("s")) == 4
    assert shopper[-36:] not in watched.left_behind()
    pseudonyms = [row.columns.get("pseudonym") for row in watched.store.rows.values()]  # type: ignore[union-attr]
    assert len(set(pseudonyms) - {None}) == 1


@given(st.text(min_size=1), st.text(min_size=1), st.binary(min_size=1), st.binary(min_size=1))
def test_a_new_salt_leads_to_no_old_pseudonym(
    shop: str, shopper: str, salt: bytes, later: bytes
) -> None:
    salts = {shop: salt}
    keys = ShopKeys(b"k" * 32, salts.__getitem__)
    before, hashed = keys.pseudonym(shop, shopper), keys.column(shop, shopper)
    assert keys.pseudonym(shop, shopper) == before != hashed
    salts[shop] = later
    keys.forget()
    assert (keys.pseudonym(shop, shopper) == before) == (salt == later)
    assert ShopKeys(b"k" * 32).pseudonym(shop, shopper) != before
