"""Acknowledging an incident: stored, silenced until it closes, and told to the judges."""

import logging
import math
from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import Engine

from streamwatch.adapters.alertmanager import Silencer
from streamwatch.adapters.sql.acknowledgements import (
    acknowledgements_of,
    add_acknowledgement,
    note_silence,
    silenceable,
    silenced_in_vain,
)
from streamwatch.adapters.sql.incidents import covered_by
from streamwatch.adapters.sql.status import is_judged_on_kafka
from streamwatch.domain.acknowledgements import (
    LONGEST_NOTE,
    MEANING,
    Acknowledgement,
    AcknowledgementKind,
)
from streamwatch.domain.cells import ALL
from streamwatch.domain.incidents import Incident
from streamwatch.domain.messages import Acknowledge
from streamwatch.errors import ServiceError
from streamwatch.rules.pipeline import PIPELINE_DEPARTURE

Telling = Callable[[Sequence[Acknowledge]], None]
"""Brings words to JUDGE and FLEET; raises `ServiceError` when it cannot."""

_log = logging.getLogger(__name__)


class Outcome(msgspec.Struct, frozen=True):
    """What an acknowledgement did.

    Attributes:
        acknowledgement: as it is stored.
        done: what was done, a sentence each.
        failed: what was not, and why; it is tried again where the sentence says so.
    """

    acknowledgement: Acknowledgement
    done: tuple[str, ...]
    failed: tuple[str, ...]


class Kept(msgspec.Struct, frozen=True):
    """What `keep_silences` did: silences made or prolonged, and lifted."""

    renewed: int = 0
    lifted: int = 0


def acknowledge(
    engine: Engine,
    silencer: Silencer | None,
    incident: Incident,
    kind: AcknowledgementKind,
    note: str,
    who: str,
    *,
    now_ms: int,
    silence_ms: int,
    tell: Telling | None = None,
) -> Outcome:
    """Store what somebody said about an incident, silence its alert, and repair its baseline.

    ``tell`` is used only where workers on Kafka judge; incidents that this one covers, its
    segments' or its shops', are told of with it.

    Raises:
        DatabaseError: the database does not answer or is not migrated; nothing was done.
    """
    words = add_acknowledgement(engine, incident.id, kind, note[:LONGEST_NOTE], who, now_ms)
    _log.info("incident %s acknowledged as %s by %s", incident.id, kind, who)
    done = [f"stored as {kind}: {MEANING[kind]}"]
    failed: list[str] = []
    if silencer is not None and incident.status == "open":
        try:
            keep_silences(engine, silencer, now_ms=now_ms, silence_ms=silence_ms)
            done.append("its alert is silenced until the incident closes")
        except ServiceError as error:
            _log.warning("incident %s is acknowledged, not silenced: %s", incident.id, error)
            failed.append(f"not silenced, tried again every minute by streamwatch web: {error}")
    if tell is not None and is_judged_on_kafka(engine):
        try:
            tell(words_on(incident, covered_by(engine, incident), kind, now_ms))
            done.append("the judges are told, and repair the baseline")
        except ServiceError as error:
            _log.warning("the judges do not know of %s: %s", incident.id, error)
            failed.append(f"the judges are not told; acknowledge again later: {error}")
    stored = next(
        (one for one in acknowledgements_of(engine, [incident.id]) if one.id == words.id), words
    )
    return Outcome(stored, tuple(done), tuple(failed))


def words_on(
    incident: Incident, covered: Sequence[Incident], kind: AcknowledgementKind, now_ms: int
) -> list[Acknowledge]:
    """What JUDGE and FLEET are told about an incident and those that it covers."""
    return [
        Acknowledge(
            incident_id=one.id,
            kind=kind,
            key=one.key,
            since=one.since,
            until=one.last_bucket if one.until is None else max(one.since, one.until - 1),
            value=one.value,
            expected=one.expected,
            score=one.score if math.isfinite(one.score) else 0.0,
            at=now_ms,
        )
        for one in (incident, *covered)
        if math.isfinite(one.value) and math.isfinite(one.expected)
    ]


def keep_silences(engine: Engine, silencer: Silencer, *, now_ms: int, silence_ms: int) -> Kept:
    """Make silences be as they should: one for each acknowledged open incident, and no other.

    Silences end by themselves, so that no incident stays silenced when nobody calls this;
    called every minute, they are prolonged at half of their time. Calling it twice changes
    nothing.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
        ServiceError: Alertmanager does not answer, or refuses.
    """
    renewed = lifted = 0
    for words in silenced_in_vain(engine):
        silencer.lift(words.silence)
        note_silence(engine, [words.id], "", None)
        lifted += 1
    for incident, words in silenceable(engine):
        ends = words.silenced_until or 0
        if words.silence and ends - now_ms > silence_ms // 2:
            continue
        until = now_ms + silence_ms
        comment = f"acknowledged as {words.kind}: {words.note or 'no note'} ({incident.id})"
        id_ = silencer.silence(
            silenced_labels(incident), until, words.who or "streamwatch", comment, words.silence
        )
        note_silence(engine, [words.id], id_, until)
        renewed += 1
    return Kept(renewed, lifted)


def silenced_labels(incident: Incident) -> dict[str, str]:
    """The labels of the alerts that an incident's acknowledgement silences.

    Those of the whole shop take the alerts of its segments with them, and of both spans. That of
    many shops has an alert of its own, without a shop; what else departs in a shop is told.
    """
    key = incident.key
    labels = {"event_type": key.event_type, "kpi": key.kpi, "direction": incident.direction}
    if incident.is_fleet:
        return {"alertname": PIPELINE_DEPARTURE, **labels}
    if key.segment != ALL:
        labels["segment"] = key.segment
    return {"shop": key.shop, **labels}
