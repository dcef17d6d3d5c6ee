"""Whether settings make sense: names that must exist, values that must fit together."""

import re
from collections.abc import Iterator
from datetime import date
from zoneinfo import ZoneInfo, available_timezones

from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from streamwatch.adapters.settings.alerting_checks import check_alerting
from streamwatch.adapters.settings.rules_checks import check_rules
from streamwatch.adapters.settings.sources_checks import check_sources
from streamwatch.adapters.settings.stages_checks import check_stages
from streamwatch.adapters.settings.web_checks import check_web
from streamwatch.domain.events import EVENT_TYPES
from streamwatch.domain.findings import Finding, Path, did_you_mean
from streamwatch.domain.settings import CalendarDay, Settings

DATABASES = ("sqlite", "postgresql", "postgresql+psycopg")
MOST_SEGMENTS = 4
LONGEST_PLANNED = 366
"""Days of one entry of the calendar."""
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")
_GROUP = re.compile(r"[A-Za-z0-9._-]{1,200}")
_BROKER = re.compile(r"(\[[0-9A-Fa-f:]+\]|[A-Za-z0-9._-]{1,253}):([0-9]{1,5})")
_ADDRESS = re.compile(r"https?://[^\s/]+(/\S*)?")
_CURRENCY = re.compile(r"[A-Z]{3}")


def check_settings(settings: Settings) -> Iterator[Finding]:
    """Everything about the settings that cannot work, in the order of the file's keys."""
    yield from _check_database(settings.database)
    yield from _check_broker(settings)
    yield from check_sources(settings.sources, settings.kafka.prefix)
    yield from check_rules(settings.rules)
    yield from _check_shops(settings)
    yield from _check_segments(settings.segments)
    yield from _check_currencies(settings.currencies)
    for place, day in enumerate(settings.judging.calendar):
        yield from _check_day(day, ("judging", "calendar", place))
    if not _HOST.fullmatch(settings.metrics_host):
        yield Finding(("metrics_host",), "metrics_host must be a host name or an address")
    yield from check_alerting(settings)
    yield from check_stages(settings)
    yield from check_web(settings)
    yield from _check_tracing(settings)
    if not settings.taps.strip() or "\0" in settings.taps:
        yield Finding(("taps",), "taps must be the name of a folder")


def _check_database(address: str) -> Iterator[Finding]:
    # The address is never shown: it may hold a password.
    try:
        driver = make_url(address).drivername
    except (ArgumentError, ValueError):
        text = "database is no SQLAlchemy address, such as sqlite:///streamwatch.db"
        yield Finding(("database",), text)
        return
    if driver not in DATABASES:
        text = "database must begin with sqlite:/// or postgresql+psycopg://"
        yield Finding(("database",), text)


def _check_day(day: CalendarDay, path: Path) -> Iterator[Finding]:
    dates = []
    for key, text in (("date", day.date), ("until", day.until)):
        try:
            dates.append(date.fromisoformat(text if text is not None else day.date))
        except ValueError:
            yield Finding((*path, key), f"{key} must be a date such as 2026-12-25, not {text!r}")
            return
    days = (dates[1] - dates[0]).days
    if not 0 <= days <= LONGEST_PLANNED:
        text = f"until must lie within {LONGEST_PLANNED} days after date"
        yield Finding((*path, "until"), text)


def _check_broker(settings: Settings) -> Iterator[Finding]:
    for broker in settings.kafka.bootstrap.split(","):
        match = _BROKER.fullmatch(broker.strip())
        if match is None or not 0 < int(match[2]) < 2**16:
            text = "bootstrap of kafka must be host:port, several joined by commas"
            yield Finding(("kafka", "bootstrap"), text)
            break
    if settings.kafka.sasl and not (settings.kafka.user and settings.kafka.password_file):
        yield Finding(("kafka", "sasl"), "sasl of kafka needs user and password_file as well")
    if settings.kafka.key_file and not settings.kafka.certificate_file:
        yield Finding(("kafka", "key_file"), "key_file of kafka needs certificate_file as well")
    for address in filter(None, settings.kafka.schema_registry.split(",")):
        if not _ADDRESS.fullmatch(address.strip()):
            text = "schema_registry of kafka must be an http or https address"
            yield Finding(("kafka", "schema_registry"), text)
            break
    for key in ("group", "prefix"):
        if not _GROUP.fullmatch(getattr(settings.kafka, key)):
            text = f"{key} of kafka must be 1 to 200 letters, digits, dots, dashes or underscores"
            yield Finding(("kafka", key), text)


def _check_shops(settings: Settings) -> Iterator[Finding]:
    for shop, known in settings.shops.items():
        zone = known.timezone
        if not _is_timezone(zone):
            near = did_you_mean(zone, available_timezones())
            hint = near if "did you mean" in near else "; write it like Europe/Berlin"
            text = f"no time zone is called `{zone}` (shop {shop}){hint}"
            yield Finding(("shops", shop, "timezone"), text)
        if not 0 < len(shop) <= 200:  # noqa: PLR2004  # what `validate` lets through
            yield Finding(("shops", shop), "the name of a shop has 1 to 200 characters")
    if settings.known_only and not set(settings.shops) - {"default"}:
        text = "known_only refuses every record, since `shops` lists no shop"
        yield Finding(("known_only",), text)


def _check_tracing(settings: Settings) -> Iterator[Finding]:
    if settings.tracing.endpoint and not _ADDRESS.fullmatch(settings.tracing.endpoint):
        text = "endpoint of tracing must be an http or https address"
        yield Finding(("tracing", "endpoint"), text)


def _is_timezone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (OSError, ValueError, KeyError):
        return False
    return True


def _check_segments(segments: tuple[str, ...]) -> Iterator[Finding]:
    labels = {label for kind in EVENT_TYPES.values() for label in kind.labels}
    for position, segment in enumerate(segments):
        if segment not in labels:
            text = f"no event type has a label `{segment}`{did_you_mean(segment, labels)}"
            yield Finding(("segments", position), text)
        elif segment in segments[:position]:
            yield Finding(("segments", position), f"segment `{segment}` stands twice")
    if len(segments) > MOST_SEGMENTS:
        text = f"at most {MOST_SEGMENTS} segments; each multiplies what is kept and judged"
        yield Finding(("segments",), text)


def _check_currencies(currencies: tuple[str, ...]) -> Iterator[Finding]:
    for position, currency in enumerate(currencies):
        if not _CURRENCY.fullmatch(currency):
            text = f"currency `{currency}` must be three capital letters, such as EUR"
            yield Finding(("currencies", position), text)
        elif currency in currencies[:position]:
            yield Finding(("currencies", position), f"currency `{currency}` stands twice")
