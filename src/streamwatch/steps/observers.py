"""Who looks at a record on its way: the taps, and the flight recorder."""

from collections.abc import Mapping, Sequence

from streamwatch.domain.events import EVENT_TYPES, Event
from streamwatch.domain.rows import Value
from streamwatch.stages.columns import Ints
from streamwatch.stages.segment import segments_of
from streamwatch.stages.underway import Underway
from streamwatch.steps.countstate import CountState
from streamwatch.steps.source import Source
from streamwatch.steps.step import Outcome
from streamwatch.taps.meters import Gate
from streamwatch.taps.select import HASHES, event_hash
from streamwatch.taps.take import Added, Taking, Where, reads_all

RECORDED: Mapping[str, tuple[str, ...]] = {
    name: tuple(
        field for field in kind.event.__struct_fields__ if field not in ("event_id", "shop", "time")
    )
    for name, kind in EVENT_TYPES.items()
}
"""Event type → the fields that the flight recorder keeps: all but the person."""

_UNRECORDED = ("validate", "pseudonymise", "aggregate")
"""Stages after which the flight recorder keeps nothing, since they leave a record as it is."""


class Observers:
    """The taps and the recorder over one slice; for each record, first `asks`, then `look`."""

    def __init__(
        self,
        source: Source,
        where: Where,
        state: CountState,
        outcome: Outcome,
        underway: Underway,
    ) -> None:
        self._labels = source.labels
        self._labels_of = reads_all(source.labels)
        self._where = where
        self._meters = state.meters
        self._underway = underway
        self._taps = source.taps.of(where.event_type)
        every = [tap for stage in self._taps.values() for tap in stage]
        self._beyond = max((tap.threshold for tap in every), default=0)
        self._limited = any(tap.limit for tap in every)
        self._named = any("pseudonym" in tap.added for tap in every)
        underway.named = False
        self._recorder = source.recorder
        self._taking = {
            stage: Taking(taps, where, outcome.rows) for stage, taps in self._taps.items()
        }
        self._segments: dict[tuple[Value, ...], str] = {}
        self._takes = self._records = False
        self._unsound: list[tuple[str, Event]] = []
        self._at = (0, 0)
        self._hashed = 0
        self._gate: Gate | None = None
        self.anybody = bool(every) or source.recorder is not None

    def among(self, ids: Sequence[str], shops: Sequence[str], arrived: Ints) -> list[int]:
        """Which of many records are to be asked about with `asks`; of the others, none is.

        Args:
            ids: the event ids of n records.
            shops: their shops.
            arrived: shape (n,): their arrivals, milliseconds.
        """
        if self._beyond >= HASHES:
            return list(range(len(ids)))
        rows = []
        if self._beyond:
            rows = [row for row, one in enumerate(ids) if event_hash(one) < self._beyond]
        recorder = self._recorder
        if recorder is not None:
            rows += recorder.due_among(self._where.event_type, shops, arrived.tolist())
        return rows

    def asks(self, offset: int, arrived: int) -> bool:
        """Whether anybody looks at the record that was just decoded: for most, nobody."""
        event, recorder = self._underway.event, self._recorder
        takes = records = self._underway.named = False
        if self._beyond:
            self._hashed = event_hash(event.event_id)
            takes = self._hashed < self._beyond
        if recorder is not None:
            records = recorder.is_due(self._where.event_type, event.shop, arrived)
        if not takes and not records:
            return False
        self._takes, self._records = takes, records
        self._underway.named = takes and self._named
        self._unsound = []
        self._at = (offset, arrived)
        if self._limited:
            self._gate = Gate(self._meters)
        return True

    def look(self, stage: str) -> None:
        """Copy the record as it stands after a stage."""
        if self._takes:
            taking = self._taking.get(stage)
            if taking is not None:
                underway = self._underway
                at = (*self._at, underway.occurred)
                taking.take(self._hashed, underway.event, at, self._added, self._gate)
        if self._records:
            self._record(stage)

    def _added(self) -> Added:
        """The columns that stages add."""
        underway = self._underway
        labels = self._labels_of(underway.event)
        segments = self._segments.get(labels)
        if segments is None:
            segments = self._segments[labels] = segments_of(underway.event, self._labels)
        return {"pseudonym": underway.pseudonym, "bucket": underway.hour, "segments": segments}

    def _record(self, stage: str) -> None:
        """Let the flight recorder keep the record, once `validate` found it sound."""
        event = self._underway.event
        if stage == "validate" and self._recorder is not None:
            self._recorder.begin(self._where.event_type, event.shop, self._at[1])
            for earlier, seen in self._unsound:
                self._keep(earlier, seen)
        if stage in _UNRECORDED:
            return
        if self._underway.occurred is None:
            self._unsound.append((stage, event))
        else:
            self._keep(stage, event)

    def _keep(self, stage: str, event: Event) -> None:
        if self._recorder is not None:
            names = RECORDED[self._where.event_type]
            columns = {field: getattr(event, field) for field in names}
            at = (*self._at, self._underway.occurred)
            self._recorder.add(self._where, stage, event, at, columns)
