"""A trial: what COUNT itself says of the sample, with the proposed settings."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC

import msgspec

from streamwatch.domain.records import FileRecord, Slice
from streamwatch.domain.rows import RejectRow
from streamwatch.domain.settings import Settings
from streamwatch.steps.count import CountStep
from streamwatch.steps.sources import compile_sources

REASONS_TOLD = 5
SLICE_RECORDS = 2_000


class Trial(msgspec.Struct, frozen=True):
    """What became of the sampled records of one topic.

    Attributes:
        topic: whose records they are.
        records: how many were tried.
        passed: how many were counted.
        refused: stage, reason and field → the number of records, the most frequent first.
    """

    topic: str
    records: int
    passed: int
    refused: dict[str, int]


def tried(
    settings: Settings, topic: str, values: Sequence[bytes], now_ms: int, master_key: bytes
) -> Trial:
    """Take values through COUNT.

    Args:
        settings: the proposed ones.
        topic: whose values they are.
        values: JSON texts, in the order in which they came.
        now_ms: the wall clock; a record dated later is refused.
        master_key: of pseudonyms that nobody will see.
    """
    as_json = tuple(msgspec.structs.replace(one, format="json") for one in settings.sources)
    settings = msgspec.structs.replace(settings, sources=as_json)
    source = compile_sources(settings, (), lambda _: UTC, master_key)[topic]
    step = CountStep(source, 0)
    state = step.restore({})
    refused: Counter[str] = Counter()
    passed = 0
    records = [FileRecord(offset, value) for offset, value in enumerate(values)]
    for start in range(0, len(records), SLICE_RECORDS):
        slice_ = Slice(topic, 0, records[start : start + SLICE_RECORDS])
        outcome = step.process(state, slice_, now_ms)
        passed += outcome.aggregated
        refused.update(
            f"{row.stage}: {row.reason} {row.field}".strip()
            for row in outcome.rows
            if isinstance(row, RejectRow)
        )
    return Trial(topic, len(records), passed, dict(refused.most_common(REASONS_TOLD)))
