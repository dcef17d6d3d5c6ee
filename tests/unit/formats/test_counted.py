"""Records of other formats through COUNT: counted, or dead-lettered as they were sent."""

import json
from datetime import UTC

import msgspec

from streamwatch.adapters.formats.cloudevents import cloudevent_to_json
from streamwatch.adapters.formats.translator import Translator
from streamwatch.domain.messages import Message
from streamwatch.domain.records import FileRecord, Slice
from streamwatch.domain.rows import RejectRow
from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import SourceSettings
from streamwatch.domain.statevalue import pack, unpack
from streamwatch.steps.count import CountStep
from streamwatch.steps.sources import compile_sources

NOW_MS = 1_772_366_400_000
EVENT = {
    "specversion": "1.0",
    "id": "a-1",
    "source": "/shops/s",
    "type": "widget.used",
    "time": "2026-03-01T11:30:00Z",
    "data": {"shop": "s", "height": 171.0, "shopper": "jane"},
}


def test_cloudevents_are_counted_and_what_is_none_is_dead_lettered_as_it_was_sent() -> None:
    settings = Settings(sources=(SourceSettings("t", "widget-event", format="cloudevents"),))
    source = compile_sources(settings, (), lambda _: UTC, b"k" * 32)["t"]
    source = msgspec.structs.replace(source, translate=Translator(cloudevent_to_json))
    step = CountStep(source, 0)
    state = step.restore({})
    wrong = {**EVENT, "data": {"shop": "s", "height": "tall"}}
    values = [json.dumps(EVENT).encode(), b'{"event_id": "x", "shop": "s"}', None]
    values.append(json.dumps(wrong).encode())
    records = [FileRecord(place, value, NOW_MS, b"k") for place, value in enumerate(values)]
    outcome = step.process(state, Slice("t", 0, records), NOW_MS)
    assert (outcome.aggregated, outcome.rejected, outcome.dead_lettered) == (1, 1, 2)
    rejects = [row for row in outcome.rows if isinstance(row, RejectRow)]
    assert [(row.reason, row.field) for row in rejects] == [
        ("no-cloudevent", ""),
        ("tombstone", ""),
        ("wrong-type", "height"),
    ]
    assert all("jane" not in row.payload for row in rejects)
    letters = [message for message in outcome.messages if message.topic == "t.dlq"]
    assert [letter.value for letter in letters] == [values[1], b""]
    assert unpack(pack(1, letters), list[Message], 1, "outbox") == letters
