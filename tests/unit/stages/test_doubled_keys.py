"""A JSON object with a key twice says two things at once, so it is refused."""

import pytest

from streamwatch.domain.events import ReceivedWidgetEvent
from streamwatch.domain.refusals import Refusal
from streamwatch.domain.source_settings import FieldMapping, SourceSettings
from streamwatch.stages.decode import Decode, compile_decode


@pytest.fixture(params=["typed", "mapped"])
def decode(request: pytest.FixtureRequest) -> Decode:
    fields = {"app_version": FieldMapping(path="app.v")} if request.param == "mapped" else {}
    return compile_decode(SourceSettings("widget-event", "widget-event", fields=fields))


DOUBLED = [
    '{"event_id":"a","shop":"s","height":170,"height":171}',
    '{"event_id":"a","shop":"s","note":1,"note":2}',
    '{"event_id":"a","shop":"s","note":{"x":1,"x":2}}',
    '{"event_id":"a","shop":"s","note":[{"x":1,"x":2}]}',
    '{"event_id":"a","shop":"s","height":170,"h\\u0065ight":171}',
    '{"event_id":"a","shop":"s","height":170,"height" :171}',
    '{"event_id":"a","shop":"s","height":170,"height"  :171}',
    '{"event_id":"a","shop":"s","height":170,"height"\t:171}',
    '{"event_id" : "a", "shop" : "s", "height" : 170, "height" : 171}',
    '{"event_id":"a","shop":"s","time":"10:00","time":"10\\u003a00\\u003a"}',
    '{"event_id":"a","shop":"s","height":null,"height":null}',
    '{"event_id":"a","shop":"s","note":{"x" :1,"x" :2}}',
    '{"event_id":"a","shop":"s","height":170,"height":"tall"}',
    '{"event_id":1,"shop":"s","height":170,"height":171}',
]


@pytest.mark.parametrize("text", DOUBLED)
def test_a_doubled_key_is_refused(decode: Decode, text: str) -> None:
    assert decode(text.encode()) == Refusal("reject", "decode", "doubled-key")


SINGLE = [
    '{"event_id":"a","shop":"s","note":{"shop":"other"}}',
    '{"event_id":"a","shop":"s","note":"\\":\\":"}',
    '{"event_id" : "a", "shop" : "s"}',
    '{\n\t"event_id"\n:\t"a",\r\n"shop"\t:"s"\n}',
    '{"event_id":"a","shop":"s","note":[{"x":1},{"x":2}]}',
]


@pytest.mark.parametrize("text", SINGLE)
def test_what_only_looks_doubled_passes(decode: Decode, text: str) -> None:
    assert isinstance(decode(text.encode()), ReceivedWidgetEvent)
