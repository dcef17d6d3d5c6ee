"""What a flush says of the stages, as OpenLineage run events.

A job is a stage of an event type; a run is what one flush tells of it: the days that were closed.
Its input is what the stage before gave (of `decode`, the Kafka topics), its output what it gave
itself, with data-quality metrics of each numeric feature. The last job, ``judge``, reads what the
last stage gave, with an assertion for each KPI: whether it lies within the shop's own band.
"""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from streamwatch import __version__
from streamwatch.adapters.extras import needed
from streamwatch.domain.cells import Moments, Transition
from streamwatch.domain.rows import Row, StageRow, VerdictRow
from streamwatch.domain.settings import Settings
from streamwatch.domain.smallgroups import tells_of_few, withheld
from streamwatch.domain.stageorder import stages_of
from streamwatch.domain.verdicts import Verdict

EXTRA = "openlineage"
PRODUCER = f"urn:streamwatch:{__version__}"
DAY = timedelta(days=1)
MOST_ASSERTIONS = 500
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_GENERATED = "openlineage.client.generated"


class Told(msgspec.Struct):
    """What a flush tells of one stage.

    Attributes:
        features: feature → its moments over all shops.
        changes: feature → what the stage changed.
        first, last: start of the earliest and the latest day, milliseconds since 1970 UTC.
        shops: whose days they are.
    """

    features: dict[str, Moments] = {}
    changes: dict[str, Transition] = {}
    first: int = 1 << 62
    last: int = 0
    shops: set[str] = msgspec.field(default_factory=set)


def told(rows: Iterable[Row]) -> tuple[dict[tuple[str, str], Told], dict[str, list[Verdict]]]:
    """(Event type, stage) → what is told of it; event type → the verdicts on days."""
    stages: dict[tuple[str, str], Told] = defaultdict(Told)
    verdicts: dict[str, list[Verdict]] = defaultdict(list)
    for row in rows:
        if isinstance(row, StageRow) and row.span == "day":
            one = stages[row.event_type, row.stage]
            one.features[row.feature] = one.features.get(row.feature, Moments()) + row.moments
            one.changes.setdefault(row.feature, Transition()).merge(row.transition)
            one.first, one.last = min(one.first, row.bucket), max(one.last, row.bucket)
            one.shops.add(row.shop)
        elif isinstance(row, VerdictRow):
            key = row.verdict.key
            if key.span == "day" and row.verdict.state != "warming":
                verdicts[key.event_type].append(row.verdict)
    return stages, verdicts


def run_events(settings: Settings, rows: Sequence[Row], flush: str, now: datetime) -> Iterator[Any]:
    """The events of one flush; the same flush gives the same runs again.

    Args:
        settings: name the topics and the namespace.
        rows: of the flush.
        flush: names the flush, such as partition and fence.
        now: when it was committed.

    Raises:
        ConfigurationError: the extra is not installed.
    """
    v2 = needed("openlineage.client.event_v2", EXTRA)
    stages, verdicts = told(rows)
    space = settings.lineage.namespace
    for event in sorted({event for event, _ in stages}):
        before = [
            v2.InputDataset(namespace=f"kafka://{settings.kafka.bootstrap}", name=source.topic)
            for source in settings.sources
            if source.event == event
        ]
        order = [stage for stage in stages_of(settings, event) if (event, stage) in stages]
        for stage in order:
            one, name = stages[event, stage], f"{event}/{stage}"
            made = v2.OutputDataset(
                namespace=space, name=name, facets=_metrics(one), outputFacets=_rows(one)
            )
            yield from _run(settings, f"{event}.{stage}", flush, one, now, before, [made])
            before = [v2.InputDataset(namespace=space, name=name)]
        if order:
            one = stages[event, order[-1]]
            judged = v2.InputDataset(
                namespace=space,
                name=f"{event}/{order[-1]}",
                inputFacets={**_input_metrics(one), **_assertions(verdicts.get(event, []))},
            )
            yield from _run(settings, f"{event}.judge", flush, one, now, [judged], [])


def _run(
    settings: Settings,
    job: str,
    flush: str,
    one: Told,
    now: datetime,
    inputs: Sequence[Any],
    outputs: Sequence[Any],
) -> Iterator[Any]:
    """The start and the completion of one run."""
    v2 = needed("openlineage.client.event_v2", EXTRA)
    nominal = needed(f"{_GENERATED}.nominal_time_run", EXTRA)
    namespace = settings.lineage.namespace
    run = v2.Run(
        runId=str(uuid.uuid5(uuid.NAMESPACE_URL, f"{namespace}/{job}/{flush}")),
        facets={
            "nominalTime": nominal.NominalTimeRunFacet(
                nominalStartTime=_moment(one.first),
                nominalEndTime=_moment(one.last, DAY),
                producer=PRODUCER,
            )
        },
    )
    for state in (v2.RunState.START, v2.RunState.COMPLETE):
        whole = state == v2.RunState.COMPLETE
        yield v2.RunEvent(
            eventType=state,
            eventTime=now.isoformat(),
            run=run,
            job=v2.Job(namespace=namespace, name=job),
            inputs=list(inputs) if whole else [],
            outputs=list(outputs) if whole else [],
            producer=PRODUCER,
        )


def _metrics(one: Told) -> dict[str, Any]:
    """What an output is like."""
    module = needed(f"{_GENERATED}.data_quality_metrics_dataset", EXTRA)
    facet = module.DataQualityMetricsDatasetFacet(
        columnMetrics=_columns(module, one), rowCount=_row_count(one), producer=PRODUCER
    )
    return {"dataQualityMetrics": facet}


def _input_metrics(one: Told) -> dict[str, Any]:
    """What an input is like."""
    module = needed(f"{_GENERATED}.data_quality_metrics_input_dataset", EXTRA)
    facet = module.DataQualityMetricsInputDatasetFacet(
        columnMetrics=_columns(module, one), rowCount=_row_count(one), producer=PRODUCER
    )
    return {"dataQualityMetrics": facet}


def _columns(module: Any, one: Told) -> dict[str, Any]:
    return {
        feature: module.ColumnMetrics(
            count=moments.n,
            nullCount=moments.missing,
            sum=None if tells_of_few(f"mean.{feature}", moments.n) else moments.mean * moments.n,
        )
        for feature, moments in one.features.items()
    }


def _assertions(judged: Sequence[Verdict]) -> dict[str, Any]:
    """Whether each KPI lies within its own band."""
    if not judged:
        return {}
    module = needed(f"{_GENERATED}.data_quality_assertions_dataset", EXTRA)
    facet = module.DataQualityAssertionsDatasetFacet(
        assertions=[_assertion(module, verdict) for verdict in _worst_first(map(withheld, judged))],
        producer=PRODUCER,
    )
    return {"dataQualityAssertions": facet}


def _worst_first(judged: Iterable[Verdict]) -> list[Verdict]:
    ordered = sorted(judged, key=lambda one: (one.state != "unusual", -abs(one.score)))
    return ordered[:MOST_ASSERTIONS]


def _assertion(quality: Any, verdict: Verdict) -> Any:
    key = verdict.key
    kind, _, feature = key.kpi.partition(".")
    band = None if verdict.lower is None else f"{verdict.lower:.6g} to {verdict.upper:.6g}"
    return quality.Assertion(
        assertion=f"{kind}_within_own_normal",
        success=verdict.state == "usual",
        column=feature.partition(".")[0] or None,
        name=f"{key.shop}/{key.kpi}/{key.segment}",
        severity="warn",
        expected=band,
        actual=f"{verdict.value:.6g}",
        params={"shop": key.shop, "segment": key.segment, "origin": verdict.origin},
    )


def _rows(one: Told) -> Mapping[str, Any]:
    statistics = needed(f"{_GENERATED}.output_statistics_output_dataset", EXTRA)
    return {
        "outputStatistics": statistics.OutputStatisticsOutputDatasetFacet(
            rowCount=_row_count(one), producer=PRODUCER
        )
    }


def _row_count(one: Told) -> int:
    return max((moments.n + moments.missing for moments in one.features.values()), default=0)


def _moment(milliseconds: int, more: timedelta = timedelta()) -> str:
    return (_EPOCH + timedelta(milliseconds=milliseconds) + more).isoformat()
