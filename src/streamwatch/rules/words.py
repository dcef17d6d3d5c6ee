"""Parts of the texts of alerts: templates that ask Prometheus when the alert is sent."""

from streamwatch.domain.gauges import INCIDENT_SINCE, Measure

_SELECTOR = "{shop=%q,event_type=%q,kpi=%q,segment=%q,span=%q}"
_LABELS = "$labels.shop $labels.event_type $labels.kpi $labels.segment $labels.span"


def asked(metric: str, form: str = "humanize", otherwise: str = "not told") -> str:
    """The value of a metric of the alert's own KPI, or a word when it is not exported.

    The means of small groups of people are not, for the sake of their privacy.
    """
    query = f'printf "max({metric}{_SELECTOR})" {_LABELS} | query'
    found = f"{{{{ . | first | value | {form} }}}}"
    return f"{{{{ with {query} }}}}{found}{{{{ else }}}}{otherwise}{{{{ end }}}}"


def since() -> str:
    """When the incident began."""
    return asked(INCIDENT_SINCE, "humanizeTimestamp", "an unknown time")


def numbers(measure: Measure) -> str:
    """Value, expectation and band, with their unit."""
    unit = f" {measure.unit}" if measure.unit else " (in the currency)"
    form = 'printf "%.4g"'
    if measure.unit == "ratio":
        unit, form = "", "humanizePercentage"
    return (
        f"{asked(measure.value, form)}{unit}, where {asked(measure.expected, form)} was expected "
        f"and {asked(measure.lower, form)} to {asked(measure.upper, form)} is usual"
    )


def score() -> str:
    """How far away, in standard deviations."""
    return asked("streamwatch_kpi_deviation_score", 'printf "%.1f"')


WHO = "{{ $labels.shop }}, {{ $labels.event_type }}"
"""The shop and the event type."""

CAUSE = (
    '{{ if eq $labels.origin "client" }}Likely cause: the client sends it so. '
    '{{ else if eq $labels.origin "undetermined" }}Likely cause: not determined yet. '
    "{{ else }}Likely cause: the stage {{ $labels.origin }} of our own pipeline. {{ end }}"
)
