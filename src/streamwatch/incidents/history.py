"""A KPI's recent verdicts and incidents, corrected when late records revise a verdict.

The lifecycle is a fold over the verdicts in the order of their buckets. A revised verdict
changes a bucket in the past: then the recent verdicts are folded again, and what comes out
differently is told. So the incidents are those that the final verdicts give, whatever the
order in which they became known.
"""

from bisect import bisect_left
from collections.abc import Iterable

import msgspec

from streamwatch.domain.cells import DAY_MS
from streamwatch.domain.incidents import Incident
from streamwatch.domain.readings import KpiKey
from streamwatch.domain.verdicts import Verdict
from streamwatch.incidents.lifecycle import Life, Seen, advance, close, seen_of

KEPT_MS = 10 * DAY_MS
"""How old a verdict can be when it is revised; the judge revises none that is older."""

WITHDRAWN = "judged again with all its records, it is usual"


class History(msgspec.Struct):
    """What FLEET holds of one KPI.

    Attributes:
        before: where the KPI stood before the first of ``window``.
        window: the recent verdicts by bucket, ascending.
        folded: the newest bucket that went into ``before``; -1 for none.
        life: where it stands after the last of ``window``.
        incidents: the open and the recently closed ones, as last told.
        revision: of the incident told last.
        parts: incident → the one that covers it.
        words: incident → what a person said of it.
    """

    key: KpiKey
    before: Life = Life()
    window: list[Seen] = []
    folded: int = -1
    life: Life = Life()
    incidents: dict[str, Incident] = {}
    revision: int = 0
    parts: dict[str, str] = {}
    words: dict[str, str] = {}


def attach(history: History, incident_id: str, part_of: str) -> Incident | None:
    """Let another incident cover this one, or none again; the incident if that changed it."""
    known = history.incidents.get(incident_id)
    if known is None or known.part_of == part_of:
        return None
    history.parts[incident_id] = part_of
    return _retold(history, known)


def acknowledge(history: History, incident_id: str, kind: str) -> Incident | None:
    """Note what a person said of an incident; the incident if that changed it."""
    known = history.incidents.get(incident_id)
    if known is None or known.acknowledged == kind:
        return None
    history.words[incident_id] = kind
    return _retold(history, known)


def _retold(history: History, incident: Incident) -> Incident | None:
    told = _tell(history, [incident])
    return told[0] if told else None


def take(history: History, verdict: Verdict, threshold: float) -> list[Incident]:
    """Take a verdict in and tell the incidents that it changed.

    One that is older than what is known of its bucket changes nothing.
    """
    seen = seen_of(verdict)
    window = history.window
    place = bisect_left(window, seen.bucket, key=_bucket)
    known = window[place] if place < len(window) else None
    if seen.bucket <= history.folded:
        return []
    if known is None:
        window.append(seen)
        history.life, changed = advance(history.life, history.key, seen, threshold)
        told = _tell(history, changed)
        _fold_old(history, threshold)
        return told
    if known.bucket != seen.bucket:
        window.insert(place, seen)
    elif known.version >= seen.version:
        return []
    else:
        window[place] = seen
    return _refold(history, seen, threshold)


def _refold(history: History, revised: Seen, threshold: float) -> list[Incident]:
    """Fold the window again and tell the difference."""
    life = history.before
    found: dict[str, Incident] = {}
    if life.incident is not None:
        found[life.incident.id] = life.incident
    for seen in history.window:
        life, changed = advance(life, history.key, seen, threshold)
        found.update((incident.id, incident) for incident in changed)
    history.life = life
    for known in history.incidents.values():
        if known.id not in found:
            last = known.last_bucket
            found[known.id] = close(known, known.since, last, WITHDRAWN, revised.judged_at)
    return _tell(history, found.values())


def _tell(history: History, incidents: Iterable[Incident]) -> list[Incident]:
    """Give each incident that differs from what was told the next revision."""
    told = []
    for incident in incidents:
        known = history.incidents.get(incident.id)
        incident = msgspec.structs.replace(  # noqa: PLW2901
            incident,
            part_of=history.parts.get(incident.id, ""),
            acknowledged=history.words.get(incident.id, ""),
        )
        if known is not None and _content(known) == _content(incident):
            continue
        history.revision += 1
        incident_now = msgspec.structs.replace(incident, revision=history.revision)
        history.incidents[incident.id] = incident_now
        told.append(incident_now)
    return told


def _fold_old(history: History, threshold: float) -> None:
    """Let verdicts that can no longer be revised go into ``before``."""
    limit = history.window[-1].bucket - KEPT_MS
    while history.window[0].bucket < limit:
        oldest = history.window.pop(0)
        history.before, _ = advance(history.before, history.key, oldest, threshold)
        history.folded = oldest.bucket
    history.incidents = {
        incident.id: incident
        for incident in history.incidents.values()
        if incident.status == "open" or incident.last_bucket > history.folded
    }
    history.parts = {k: v for k, v in history.parts.items() if k in history.incidents}
    history.words = {k: v for k, v in history.words.items() if k in history.incidents}


def _bucket(seen: Seen) -> int:
    return seen.bucket


def _content(incident: Incident) -> Incident:
    return msgspec.structs.replace(incident, revision=0, updated_at=0)
