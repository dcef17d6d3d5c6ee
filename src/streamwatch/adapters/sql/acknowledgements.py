"""Storing and reading acknowledgements."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Engine, Row, Subquery, func, insert, select, update

from streamwatch.adapters.sql.engine import reading, writing
from streamwatch.adapters.sql.fit import fit_text
from streamwatch.adapters.sql.incidents import incident_of
from streamwatch.adapters.sql.tables import ACKNOWLEDGEMENTS, INCIDENTS
from streamwatch.domain.acknowledgements import Acknowledgement, AcknowledgementKind
from streamwatch.domain.incidents import Incident


def add_acknowledgement(
    engine: Engine, incident_id: str, kind: AcknowledgementKind, note: str, who: str, at: int
) -> Acknowledgement:
    """Store what somebody said about an incident.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    row = {
        "incident_id": incident_id,
        "kind": kind,
        "note": fit_text(note),
        "who": fit_text(who),
        "at": at,
        "silence": "",
        "silenced_until": None,
    }
    with writing(engine) as connection:
        key = connection.execute(insert(ACKNOWLEDGEMENTS).values(row)).inserted_primary_key
    id_ = int(key[0]) if key else 0
    return Acknowledgement(id_, incident_id, kind, fit_text(note), fit_text(who), at)


def acknowledgements_of(engine: Engine, incident_ids: Sequence[str]) -> list[Acknowledgement]:
    """What was said about some incidents, the newest first.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    query = (
        select(ACKNOWLEDGEMENTS)
        .where(ACKNOWLEDGEMENTS.c.incident_id.in_(incident_ids))
        .order_by(ACKNOWLEDGEMENTS.c.id.desc())
    )
    with reading(engine) as connection:
        return [_acknowledgement(row) for row in connection.execute(query)]


def silenceable(engine: Engine) -> list[tuple[Incident, Acknowledgement]]:
    """Open incidents with the newest word on each.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    newest = newest_words()
    query = (
        select(INCIDENTS, ACKNOWLEDGEMENTS, ACKNOWLEDGEMENTS.c.id.label("word"))
        .join(newest, newest.c.incident_id == INCIDENTS.c.id)
        .join(ACKNOWLEDGEMENTS, ACKNOWLEDGEMENTS.c.id == newest.c.newest)
        .where(INCIDENTS.c.status == "open")
        .order_by(ACKNOWLEDGEMENTS.c.id)
    )
    with reading(engine) as connection:
        rows = connection.execute(query).all()
    return [(incident_of(row), _acknowledgement(row, row.word)) for row in rows]


def silenced_in_vain(engine: Engine) -> list[Acknowledgement]:
    """Words whose silence still stands though it should not: the incident is closed or gone, or
    a newer word has a silence of its own.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """  # noqa: D205
    newest = newest_words()
    query = (
        select(ACKNOWLEDGEMENTS)
        .join(newest, newest.c.incident_id == ACKNOWLEDGEMENTS.c.incident_id)
        .outerjoin(INCIDENTS, INCIDENTS.c.id == ACKNOWLEDGEMENTS.c.incident_id)
        .where(
            ACKNOWLEDGEMENTS.c.silence != "",
            (func.coalesce(INCIDENTS.c.status, "closed") != "open")
            | (ACKNOWLEDGEMENTS.c.id != newest.c.newest),
        )
        .order_by(ACKNOWLEDGEMENTS.c.id)
    )
    with reading(engine) as connection:
        return [_acknowledgement(row) for row in connection.execute(query)]


def note_silence(engine: Engine, ids: Iterable[int], silence: str, until: int | None) -> None:
    """Remember the silence that stands for some words; an empty one when it was lifted.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    with writing(engine) as connection:
        connection.execute(
            update(ACKNOWLEDGEMENTS)
            .where(ACKNOWLEDGEMENTS.c.id.in_(list(ids)))
            .values(silence=silence, silenced_until=until)
        )


def newest_words(incident_ids: Sequence[str] | None = None) -> Subquery:
    """Incident → the id of the newest word on it, to join with; of some incidents or all."""
    words = ACKNOWLEDGEMENTS.c
    query = select(words.incident_id, func.max(words.id).label("newest"))
    if incident_ids is not None:
        query = query.where(words.incident_id.in_(incident_ids))
    return query.group_by(words.incident_id).subquery("newest_words")


def _acknowledgement(row: Row[Any], id_: int | None = None) -> Acknowledgement:
    return Acknowledgement(
        id=row.id if id_ is None else id_,
        incident_id=row.incident_id,
        kind=row.kind,
        note=row.note,
        who=row.who,
        at=row.at,
        silence=row.silence,
        silenced_until=row.silenced_until,
    )
