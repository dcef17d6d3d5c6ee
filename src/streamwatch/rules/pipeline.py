"""The alert on many shops that depart alike at once, which shops do not agree to do."""

from urllib.parse import quote

from streamwatch.domain.alerting_settings import AlertingSettings
from streamwatch.domain.gauges import INCIDENT_ORIGIN
from streamwatch.domain.incidents import FLEET
from streamwatch.rules.alert import PLATFORM, Alert, Example
from streamwatch.rules.examples import incident, labels
from streamwatch.rules.recording import DEPARTED, DEPARTED_RATIO, DEPARTING, FLEET_ONLY, OPEN

PIPELINE_DEPARTURE = "PipelineDeparture"
PAGE = (
    f"/incident?shop={quote(FLEET)}&event_type={{{{ $labels.event_type }}}}"
    "&kpi={{ $labels.kpi | urlquery }}&span={{ $labels.span }}&direction={{ $labels.direction }}"
)
_KPI = "event_type, kpi, span, direction"
_DEPARTING = DEPARTING.replace('"', '\\"')
_NAMED = 5
"""Shops that the text names; the page shows all."""


def pipeline_departure(settings: AlertingSettings) -> Alert:
    """The alert, as strict as the settings say."""
    some = 20
    departed = max(settings.pipeline_shops, int(some * settings.pipeline_share) + 1)
    kpi = {
        "event_type": "widget-event",
        "kpi": "mean.height",
        "span": "day",
        "direction": "low",
    }
    shops_query = (
        f'printf "max by (shop) ({INCIDENT_ORIGIN}{{{_DEPARTING},'
        'event_type=%q,kpi=%q,span=%q,direction=%q})" '
        "$labels.event_type $labels.kpi $labels.span $labels.direction | query"
    )
    return Alert(
        name=PIPELINE_DEPARTURE,
        expr=(
            f"{DEPARTED} >= {settings.pipeline_shops}\n"
            f"and {DEPARTED_RATIO} >= {settings.pipeline_share:g}\n"
            f"or {DEPARTED} and on ({_KPI}) {OPEN}{{{FLEET_ONLY}}} == 1"
        ),
        severity="page",
        summary=(
            "{{ $labels.kpi }} of {{ $labels.event_type }} is {{ $labels.direction }} in "
            "{{ $value }} shops at once"
        ),
        description=(
            '{{ $value }} shops depart {{ if eq $labels.direction "low" }}downwards'
            "{{ else }}upwards{{ end }} in {{ $labels.kpi }} of {{ $labels.event_type }} at the "
            "same time. Shops do not agree to do that, so look at the pipeline and at what was "
            "released last before asking any client. Among them: "
            f'{{{{ range $place, $one := {shops_query} | sortByLabel "shop" }}}}'
            f"{{{{ if lt $place {_NAMED} }}}}{{{{ $one.Labels.shop }}}} {{{{ end }}}}"
            "{{ end }}. The alerts of these shops are muted meanwhile."
        ),
        dashboard=(
            "/d/streamwatch-fleet?var-event_type={{ $labels.event_type }}&var-kpi={{ $labels.kpi }}"
        ),
        page=PAGE,
        hold="1m",
        keep="5m",
        labels={"origin": PLATFORM},
        fires=Example(
            series=_shops(departed, max(some, departed)),
            labels=kpi,
            summary=f"mean.height of widget-event is low in {departed} shops at once",
            description=(
                f"{departed} shops depart downwards in mean.height of widget-event at the same "
                "time. Shops do not agree to do that, so look at the pipeline and at what was "
                "released last before asking any client. Among them: "
                + "".join(f"shop-{number:03} " for number in range(min(departed, _NAMED)))
                + ". The alerts of these shops are muted meanwhile."
            ),
        ),
        quiet=_shops(settings.pipeline_shops - 1, some),
    )


def _shops(departed: int, all_shops: int) -> dict[str, str]:
    """Shops of which the first ones departed; for every other one the fleet's incident stands."""
    shop = labels("mean.height", "widget-event", "low")
    series: dict[str, str] = {}
    for number in range(all_shops):
        named = shop | {"shop": f"shop-{number:03}"}
        covered = "fleet" if number % 2 else ""
        series |= incident(named, is_open=number < departed, covered=covered)
    return series
