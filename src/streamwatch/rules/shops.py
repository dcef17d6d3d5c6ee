"""Alerts on shops: one KPI of one shop left its own normal."""

from collections.abc import Iterator

from streamwatch.domain.gauges import MEASURES, PRICE_MEASURE, SHARES, Measure
from streamwatch.rules.alert import Alert, Example, Severity
from streamwatch.rules.examples import SINCE_WORDS, incident, labels, verdict
from streamwatch.rules.recording import ORIGIN, SHOPS_ONLY
from streamwatch.rules.words import CAUSE, WHO, asked, numbers, score, since

HOLD = "1m"
"""The incident itself has hysteresis; this passes over a worker that starts anew."""

KEEP = "5m"

DASHBOARD = (
    "/d/streamwatch-shop?var-shop={{ $labels.shop | urlquery }}"
    "&var-event_type={{ $labels.event_type }}&var-kpi={{ $labels.kpi }}"
)

PAGE = (
    "/incident?shop={{ $labels.shop | urlquery }}&event_type={{ $labels.event_type }}"
    "&kpi={{ $labels.kpi | urlquery }}&segment={{ $labels.segment | urlquery }}"
    "&span={{ $labels.span }}&direction={{ $labels.direction }}"
)

OURS = 'origin!~"client|undetermined"'
THEIRS = 'origin=~"client|undetermined"'
_VOLUME = MEASURES["volume"]
_UNDETERMINED = "Likely cause: not determined yet. "
_UP_OR_DOWN = '{{ if eq $labels.direction "low" }}lower{{ else }}higher{{ end }} than it usually is'


def open_incidents(matchers: str) -> str:
    """The open incidents of single shops for which no other incident stands."""
    return f"{ORIGIN}{{{SHOPS_ONLY},{matchers}}} == 1"


def shop_alerts() -> list[Alert]:
    """All of them, the most urgent first."""
    return [_stage_fault(), _silent(), _volume(), *_means(), *_shares(), _other(), _segment()]


def _shop_alert(
    name: str,
    expr: str,
    severity: Severity,
    summary: str,
    description: str,
    measure: str,
    fires: Example,
    quiet: dict[str, str],
) -> Alert:
    """What alerts on a KPI of a shop have in common; ``measure`` tells those of one name apart."""
    return Alert(
        name=name,
        expr=expr,
        severity=severity,
        summary=summary,
        description=description,
        dashboard=DASHBOARD,
        page=PAGE,
        hold=HOLD,
        keep=KEEP,
        labels={"measure": measure},
        fires=fires,
        quiet=quiet,
    )


def _stage_fault() -> Alert:
    named = labels("mean.height", "widget-event", "low")
    return _shop_alert(
        name="ShopStageFault",
        expr=open_incidents(f'segment="all",{OURS}'),
        severity="page",
        summary=f"Stage {{{{ $labels.origin }}}} shifts {{{{ $labels.kpi }}}} of {WHO}",
        description=(
            f"{{{{ $labels.kpi }}}} of {WHO} is {_UP_OR_DOWN} ({score()} standard deviations) "
            f"since {since()}. The records come in as always; they change in our own stage "
            "{{ $labels.origin }}. Stop what was released there last; every hour more wrong "
            "numbers go out."
        ),
        measure="any",
        fires=Example(
            series=incident(named, origin="normalise") | verdict(named, None, -9.2),
            labels=named | {"origin": "normalise"},
            summary="Stage normalise shifts mean.height of shop-017, widget-event",
            description=(
                "mean.height of shop-017, widget-event is lower than it usually is (-9.2 standard "
                f"deviations) since {SINCE_WORDS}. The records come in as always; they change in "
                "our own stage normalise. Stop what was released there last; every hour more "
                "wrong numbers go out."
            ),
        ),
        quiet=incident(named, origin="client"),
    )


def _silent() -> Alert:
    named = labels("silence", "purchase", "high")
    silence = MEASURES["silence"]
    lasts, limit = (asked(one, "humanizeDuration") for one in (silence.value, silence.upper))
    return _shop_alert(
        name="ShopSilent",
        expr=open_incidents('kpi="silence"'),
        severity="page",
        summary=f"{WHO}: nothing comes any more",
        description=(
            f"{WHO}: no record for {lasts} or longer; by its own cadence the longest pause is "
            f"{limit}. Since {since()}. {CAUSE}Ask the client whether its export or its widget "
            "runs; our topics are read, else StreamwatchStandsStill would fire."
        ),
        measure="silence",
        fires=Example(
            series=incident(named, origin="client")
            | verdict(named, silence, 12, (93_600, 10_800, 0, 90_000)),
            labels=named | {"origin": "client"},
            summary="shop-017, purchase: nothing comes any more",
            description=(
                "shop-017, purchase: no record for 1d 2h 0m 0s or longer; by its own cadence the "
                f"longest pause is 1d 1h 0m 0s. Since {SINCE_WORDS}. Likely cause: the client "
                "sends it so. Ask the client whether its export or its widget runs; our topics "
                "are read, else StreamwatchStandsStill would fire."
            ),
        ),
        quiet=incident(named, is_open=False),
    )


def _volume() -> Alert:
    named = labels("volume", "purchase", "low")
    return _shop_alert(
        name="ShopVolumeDeparted",
        expr=open_incidents(f'segment="all",kpi="volume",{THEIRS}'),
        severity="ticket",
        summary=f"{WHO}: the number of events is {_UP_OR_DOWN}",
        description=(
            f"{WHO}: {numbers(_VOLUME)} in one {{{{ $labels.span }}}} ({score()} standard "
            f"deviations), since {since()}. {CAUSE}"
        ),
        measure="volume",
        fires=Example(
            series=incident(named) | verdict(named, _VOLUME, -6.5, (90, 400, 320, 480)),
            labels=named | {"origin": "undetermined"},
            summary="shop-017, purchase: the number of events is lower than it usually is",
            description=(
                "shop-017, purchase: 90 events, where 400 was expected and 320 to 480 is usual in "
                f"one day (-6.5 standard deviations), since {SINCE_WORDS}. {_UNDETERMINED}"
            ),
        ),
        quiet=incident(named, is_open=False),
    )


def _means() -> Iterator[Alert]:
    for kpi, measure in MEASURES.items():
        if kpi.startswith("mean."):
            yield _mean(f'kpi="{kpi}"', kpi, measure)
    yield _mean('kpi=~"mean[.]price[.].+"', "mean.price.EUR", PRICE_MEASURE)


def _mean(matcher: str, kpi: str, measure: Measure) -> Alert:
    name = kpi.split(".")[1]
    unit = measure.unit or "(in the currency)"
    named = labels(kpi, "widget-event", "low")
    return _shop_alert(
        name="ShopMeanDeparted",
        expr=open_incidents(f'segment="all",{matcher},{THEIRS}'),
        severity="ticket",
        summary=f"{WHO}: the mean {name} is {_UP_OR_DOWN}",
        description=(
            f"{WHO}: the mean {name} is {numbers(measure)} ({score()} standard deviations), since "
            f"{since()}. {CAUSE}"
        ),
        measure=name,
        fires=Example(
            series=incident(named, origin="client")
            | verdict(named, measure, -8, (16.61, 17.62, 17.5, 17.74)),
            labels=named | {"origin": "client"},
            summary=f"shop-017, widget-event: the mean {name} is lower than it usually is",
            description=(
                f"shop-017, widget-event: the mean {name} is 16.61 {unit}, where 17.62 was "
                f"expected and 17.5 to 17.74 is usual (-8.0 standard deviations), since "
                f"{SINCE_WORDS}. Likely cause: the client sends it so. "
            ),
        ),
        quiet=incident(named, origin="normalise"),
    )


def _shares() -> Iterator[Alert]:
    for name, measure in SHARES.items():
        yield _kpi(f'kpi=~"{name}([.].+)?"', name, f"{name}.height", measure)


def _other() -> Alert:
    known = [kpi.replace(".", "[.]") for kpi in MEASURES]
    known += ["mean[.]price[.].+", *(f"{name}([.].+)?" for name in SHARES)]
    return _kpi(f'kpi!~"{"|".join(known)}"', "other", "mix.size", None)


def _kpi(matcher: str, name: str, kpi: str, measure: Measure | None) -> Alert:
    """A KPI of which only the score is known, or also its share."""
    named = labels(kpi, "widget-event", "high")
    numbers_told = f"is {numbers(measure)} (" if measure else "is outside of its normal ("
    numbers_here = (
        "is 23%, where 2% was expected and 1% to 4% is usual (" if measure else numbers_told
    )
    values = (0.23, 0.02, 0.01, 0.04) if measure else ()
    return _shop_alert(
        name="ShopKpiDeparted",
        expr=open_incidents(f'segment="all",{matcher},{THEIRS}'),
        severity="ticket",
        summary=f"{WHO}: {{{{ $labels.kpi }}}} is {_UP_OR_DOWN}",
        description=(
            f"{WHO}: {{{{ $labels.kpi }}}} {numbers_told}{score()} standard deviations), since "
            f"{since()}. {CAUSE}"
        ),
        measure=name,
        fires=Example(
            series=incident(named) | verdict(named, measure, 7, values),
            labels=named | {"origin": "undetermined"},
            summary=f"shop-017, widget-event: {kpi} is higher than it usually is",
            description=(
                f"shop-017, widget-event: {kpi} {numbers_here}7.0 standard deviations), since "
                f"{SINCE_WORDS}. {_UNDETERMINED}"
            ),
        ),
        quiet=incident(labels("mean.price.EUR", "purchase", "high"))
        | incident(named | {"shop": "shop-018"}, origin="client", covered="shop"),
    )


def _segment() -> Alert:
    whole = labels("mean.height", "widget-event", "low")
    named = labels("mean.height", "widget-event", "low", "gender=female")
    return _shop_alert(
        name="ShopSegmentDeparted",
        expr=open_incidents('segment!="all"'),
        severity="info",
        summary=f"{WHO}: {{{{ $labels.kpi }}}} of {{{{ $labels.segment }}}} is {_UP_OR_DOWN}",
        description=(
            f"{WHO}: {{{{ $labels.kpi }}}} of the segment {{{{ $labels.segment }}}} is {score()} "
            f"standard deviations from what was expected, since {since()}; the whole shop is as "
            f"it usually is. {CAUSE}"
        ),
        measure="segment",
        fires=Example(
            series=incident(named) | verdict(named, None, -5),
            labels=named | {"origin": "undetermined"},
            summary=(
                "shop-017, widget-event: mean.height of gender=female is lower than it usually is"
            ),
            description=(
                "shop-017, widget-event: mean.height of the segment gender=female is -5.0 standard "
                f"deviations from what was expected, since {SINCE_WORDS}; the whole shop is as it "
                f"usually is. {_UNDETERMINED}"
            ),
        ),
        quiet=incident(named, covered="shop") | incident(whole),
    )
