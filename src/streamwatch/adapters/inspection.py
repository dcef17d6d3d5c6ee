"""What a running worker does beside the records: new taps, exchanged salts, frozen recordings.

All of it is asked for regularly, in the thread that talks to the database, and nothing of it
holds up the records: what is new is put in place of the old between two slices.
"""

import logging
import os
import socket
from pathlib import Path

from sqlalchemy import Engine

from streamwatch.adapters.assembly import Assembly
from streamwatch.adapters.clock import WallClock
from streamwatch.adapters.prometheus.collector import WorkerMetrics
from streamwatch.adapters.settings.tap_files import load_taps
from streamwatch.adapters.settings.tap_folder import TapFolder
from streamwatch.adapters.sql.recorded import open_reasons, write_down
from streamwatch.adapters.sql.shop_keys import SqlSalts
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.adapters.sql.tap_schema import prepare_tap_tables
from streamwatch.adapters.sql.tap_versions import TapVersion, report
from streamwatch.domain.settings import Settings
from streamwatch.errors import ConfigurationError, DatabaseError
from streamwatch.runner.ports import Clock
from streamwatch.stages.pseudonymise import ShopKeys
from streamwatch.steps.sources import compile_tap_set
from streamwatch.taps.live import LiveTaps
from streamwatch.taps.recorder import Recorder

REPORT_MS = 10_000
"""A worker says at least so often which taps it uses."""

_log = logging.getLogger(__name__)


def start_inspection(
    assembly: Assembly, engine: Engine, store: SqlStore, salts: SqlSalts, metrics: WorkerMetrics
) -> "Inspection":
    """What looks after the taps, salts and recordings of this process."""
    return Inspection(
        worker=f"{socket.gethostname()}:{os.getpid()}",
        settings=assembly.settings,
        live=assembly.live,
        keys=assembly.keys,
        salts=salts,
        recorder=assembly.recorder,
        store=store,
        engine=engine,
        clock=WallClock(),
        metrics=metrics,
    )


class Inspection:
    """One worker's.

    Args:
        worker: its name, for the table `tap_versions`.
        settings: the configuration.
        live: the taps that stand now; exchanged here.
        keys: the shops' keys; told to ask anew when salts were exchanged.
        salts: where those come from.
        recorder: the flight recorder.
        store: told of the tables of new taps.
        engine: the database.
        clock: the wall clock.
        metrics: what is told at ``/metrics``.
    """

    def __init__(
        self,
        worker: str,
        settings: Settings,
        live: LiveTaps,
        keys: ShopKeys,
        salts: SqlSalts,
        recorder: Recorder,
        store: SqlStore,
        engine: Engine,
        clock: Clock,
        metrics: WorkerMetrics,
    ) -> None:
        self._worker = worker
        self._settings = settings
        self._live = live
        self._keys = keys
        self._salts = salts
        self._recorder = recorder
        self._store = store
        self._engine = engine
        self._clock = clock
        self._metrics = metrics
        self._path = Path(settings.taps)
        self._folder = TapFolder(self._path, live.current.version)
        self._offered = live.current.version
        self._error = ""
        self._loaded_at = clock.now_ms()
        self._reported_at = 0
        self._written: set[str] | None = None

    def look(self) -> None:
        """Look once; what the database cannot do now is done the next time."""
        try:
            self._look_at_taps()
            self._report()
            if self._salts.refresh():
                self._keys.forget()
            self._freeze()
        except DatabaseError as error:
            _log.debug("the next look comes later: %s", error)

    def _look_at_taps(self) -> None:
        change = self._folder.changed()
        if change is None:
            return
        self._offered, self._error, self._reported_at = change.version, change.error, 0
        if not change.error:
            try:
                self._load(change.version)
            except ConfigurationError as error:
                self._error = str(error)
        if self._error:
            _log.error("the taps stay as they were, since the new ones are wrong:\n%s", self._error)
        self._metrics.taps(self._live.current.version, self._loaded_at, right=not self._error)

    def _load(self, version: str) -> None:
        """Put the folder's taps in the place of the old ones.

        Raises:
            ConfigurationError: one of the files is wrong; nothing was changed.
        """
        taps = load_taps(self._path, self._settings)
        try:
            tables = prepare_tap_tables(self._engine, self._settings, taps)
        except DatabaseError as error:
            # Rows can be written without the new columns: their values go to `overflow`.
            _log.warning("the tap tables stay as they are: %s", error)
            tables = self._store.tap_tables
        new = compile_tap_set(self._settings, taps, self._keys.column, version)
        self._store.tap_tables = tables
        self._live.current = new
        self._loaded_at = self._clock.now_ms()
        _log.warning(
            "new taps: %s (version %s)", ", ".join(t.name for t in taps) or "none", version
        )

    def _report(self) -> None:
        now = self._clock.now_ms()
        if now - self._reported_at < REPORT_MS:
            return
        version = self._live.current.version
        row = TapVersion(self._worker, version, self._offered, self._loaded_at, now, self._error)
        report(self._engine, row)
        self._reported_at = now

    def _freeze(self) -> None:
        """Write down what the recorder holds of shops whose incident is new.

        Incidents that were open when the worker began are older than what it holds.
        """
        reasons = open_reasons(self._engine)
        if self._written is None:
            self._written = set(reasons)
        for reason, shop in reasons.items():
            if reason not in self._written:
                rows = self._recorder.of(shop)
                if rows:
                    write_down(self._engine, reason, rows)
                self._written.add(reason)
        self._written &= reasons.keys()
