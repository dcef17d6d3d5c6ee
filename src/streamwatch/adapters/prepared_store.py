"""A database made ready for one configuration: its tap tables are there, its salts are used."""

from sqlalchemy import Engine

from streamwatch.adapters.assembly import Assembly
from streamwatch.adapters.sql.recorded import recorded_under, write_down
from streamwatch.adapters.sql.shop_keys import SqlSalts
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.adapters.sql.tap_schema import prepare_tap_tables
from streamwatch.domain.rows import IncidentRow
from streamwatch.runner.ports import Flush
from streamwatch.taps.recorder import Recorder


def prepared_store(assembly: Assembly, engine: Engine) -> tuple[SqlStore, SqlSalts]:
    """The store of a migrated database, and where the salts of the shops' keys come from.

    Raises:
        DatabaseError: the database does not answer or is not migrated.
    """
    store = SqlStore(engine)
    store.tap_tables = prepare_tap_tables(engine, assembly.settings, assembly.taps)
    salts = SqlSalts(engine)
    salts.refresh()
    assembly.keys.salt_by(salts.salt_of)
    return store, salts


def freeze_opened(flush: Flush, recorder: Recorder, engine: Engine) -> None:
    """Write down what the recorder holds of shops whose incident opens with this flush.

    Raises:
        DatabaseError: the database does not answer.
    """
    for row in flush.rows:
        if isinstance(row, IncidentRow):
            incident = row.incident
            if incident.status == "open" and incident.revision == 1:
                shop = incident.key.shop
                apart = recorded_under(incident.id, shop, incident.part_of) == incident.id
                rows = recorder.of(shop)
                if rows and apart:
                    write_down(engine, incident.id, rows)
