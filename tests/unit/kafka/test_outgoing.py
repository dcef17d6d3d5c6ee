import pytest

from streamwatch.adapters.files.source_line import SourceLine
from streamwatch.adapters.kafka.outgoing import Outgoing, compile_dating, merge
from streamwatch.domain.settings import Settings
from streamwatch.domain.source_settings import FieldMapping, ShopSettings, SourceSettings

NOW_MS = 1_790_000_000_000
NEW_YEAR_MS = 1_767_225_600_000


def dated(*lines: SourceLine, settings: Settings | None = None) -> list[Outgoing]:
    return list(compile_dating(settings or Settings(), NOW_MS)(lines, "a.jsonl"))


def line(
    value: bytes | None, *, arrived_ms: int = -1, key: bytes | None = None, number: int = 1
) -> SourceLine:
    return SourceLine("purchase", arrived_ms, value, key, number)


def test_a_stated_arrival_is_the_time_and_the_shop_is_the_key() -> None:
    value = b'{"shop":"s","time":"2026-01-01T00:00:00Z"}'
    (one,) = dated(line(value, arrived_ms=NEW_YEAR_MS + 5))
    assert (one.key, one.time_ms, one.value) == (b"s", NEW_YEAR_MS + 5, value)


def test_without_an_arrival_the_event_s_own_time_counts() -> None:
    (one,) = dated(line(b'{"shop":"s","time":"2026-01-01T01:00:00+01:00"}'))
    assert one.time_ms == NEW_YEAR_MS


def test_a_time_without_offset_is_taken_in_the_shop_s_own_zone() -> None:
    shops = {"default": ShopSettings(), "berlin": ShopSettings("Europe/Berlin")}
    value = b'{"shop":"berlin","time":"2026-01-01 01:00:00"}'
    (one,) = dated(line(value), settings=Settings(shops=shops))
    assert one.time_ms == NEW_YEAR_MS


@pytest.mark.parametrize(
    "value",
    [
        b'{"shop":"s"}',
        b'{"shop":"s","time":"soon"}',
        b'{"shop":"s","time":"0001-01-01T00:00:00Z"}',
        b'{"shop":"s","time":"2999-01-01T00:00:00Z"}',
        b'{"shop":"s","time":1e999}',
        b'{"shop":"s","time":[1]}',
        b'{"shop":7,"time":true}',
        b"\xff",
        b"[" * 50_000,
        b"[]",
        None,
    ],
)
def test_a_wrong_time_among_old_records_does_not_lead_into_the_present(value: bytes | None) -> None:
    first, second = dated(line(b'{"shop":"s","time":"2026-01-01T00:00:00Z"}'), line(value))
    assert first.time_ms == second.time_ms == NEW_YEAR_MS
    assert second.value == value


def test_without_any_time_it_is_now() -> None:
    (one,) = dated(line(b"{}"))
    assert (one.key, one.time_ms) == (None, NOW_MS)


def test_shop_and_time_are_found_where_the_mapping_says() -> None:
    source = SourceSettings(
        "purchase",
        "purchase",
        fields={"shop": FieldMapping("client.name"), "time": FieldMapping("InvoiceDate")},
    )
    value = b'{"client":{"name":"s"},"InvoiceDate":"2026-01-01 00:00:00"}'
    (one,) = dated(line(value), settings=Settings(sources=(source,)))
    assert (one.key, one.time_ms) == (b"s", NEW_YEAR_MS)


def test_a_line_keeps_the_key_that_it_had() -> None:
    (one,) = dated(line(b'{"shop":"s"}', key=b"own"))
    assert one.key == b"own"


def test_several_files_are_merged_by_time() -> None:
    dating = compile_dating(Settings(), NOW_MS)
    files = [
        dating([line(b"{}", arrived_ms=time) for time in times], name)
        for name, times in (("a", (1, 4)), ("b", (2, 3)))
    ]
    assert [(one.file, one.time_ms) for one in merge(files)] == [
        ("a", 1),
        ("b", 2),
        ("b", 3),
        ("a", 4),
    ]
