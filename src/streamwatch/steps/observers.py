"""Who looks at a record on its way: the taps, and the flight recorder."""

from collections.abc import Mapping, Sequence

from streamwatch.domain.events import EVENT_TYPES, Event, Received
from streamwatch.domain.rows import Value
from streamwatch.stages.abreast import Flags, Sifted
from streamwatch.stages.columns import Ints
from streamwatch.stages.segment import segments_of
from streamwatch.stages.underway import Underway
from streamwatch.steps.countstate import CountState
from streamwatch.steps.source import Source
from streamwatch.steps.step import Outcome
from streamwatch.taps.compiled import Added, reads_all
from streamwatch.taps.meters import Gate
from streamwatch.taps.select import event_hash, places_in_sample
from streamwatch.taps.take import Seen, Taking, Where

RECORDED: Mapping[str, tuple[str, ...]] = {
    name: tuple(
        field for field in kind.event.__struct_fields__ if field not in ("event_id", "shop", "time")
    )
    for name, kind in EVENT_TYPES.items()
}
"""Event type → the fields that the flight recorder keeps: all but the person."""

_UNRECORDED = ("validate", "pseudonymise", "aggregate")
"""Stages after which the flight recorder keeps nothing, since they leave a record as it is."""


AS_SENT = frozenset({"decode", "validate"})
"""The built-in stages after which a record is as the client sent it."""


class Observers:
    """The taps and the recorder over one slice; for each record, first `asks`, then `look`.

    Of a whole slice `alone_among` tells which records need that; the others that a tap takes are
    looked at together, with `look_at_all`.
    """

    def __init__(
        self,
        source: Source,
        where: Where,
        state: CountState,
        outcome: Outcome,
        underway: Underway,
    ) -> None:
        self._stages = source.stages
        self._labels = source.labels
        self._labels_of = reads_all(source.labels)
        self._where = where
        self._meters = state.meters
        self._underway = underway
        self._taps = source.taps.of(where.event_type)
        every = [tap for stage in self._taps.values() for tap in stage]
        self._beyond = max((tap.threshold for tap in every), default=0)
        self._limited = any(tap.limit for tap in every)
        self._alike = all(tap.threshold == self._beyond for tap in every)
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
        self.takes_any = bool(self._beyond) and not self._limited
        self.anybody = bool(every) or source.recorder is not None

    def alone_among(self, sifted: Sifted, arrived: Ints, known: Flags) -> list[int]:
        """Which records of a slice must be asked about with `asks`, each by itself.

        They are those that the flight recorder may keep, and what a tap may take where that
        depends on the records before. Of the others that pass every stage, `look_at_all` is to
        look at those `in_sample`.

        Args:
            sifted: n records.
            arrived: shape (n,): their arrivals, milliseconds.
            known: shape (n,): whether that is what they carry; otherwise it is a guess.
        """
        rows: list[int] = []
        if self._limited:
            rows = self.in_sample(sifted)
        elif self._beyond and not known.all():
            rows = [row for row in self.in_sample(sifted) if not known[row]]
        recorder = self._recorder
        if recorder is not None:
            name, sure = self._where.event_type, sifted.plain.tolist()
            rows += recorder.due_among(name, sifted.shops, arrived.tolist(), sure)
        return rows

    def in_sample(self, sifted: Sifted) -> list[int]:
        """Which records of a slice a tap may take."""
        return places_in_sample(sifted.ids, self._beyond)

    def look_at_all(
        self, events: Sequence[Received], at: Sequence[tuple[int, int, int]], hours: Sequence[int]
    ) -> None:
        """Copy many records, n of them, that pass every stage.

        Args:
            events: as decoded.
            at: offset, arrival and event time of each, milliseconds.
            hours: the starts of their hours, milliseconds.
        """
        offsets, arrivals, occurred = zip(*at, strict=True)
        hashes = [0] * len(events) if self._alike else [event_hash(one.event_id) for one in events]
        unknown = [None] * len(events)
        normalised, pseudonyms = self._normalised(events)

        def added(place: int) -> Added:
            event = normalised[place]
            return self._columns(event, pseudonyms[place], hours[place])

        for stage, taking in self._taking.items():
            as_sent = stage in AS_SENT
            taking.take_all(
                Seen(
                    offsets=offsets,
                    arrivals=arrivals,
                    occurred=unknown if stage == "decode" else occurred,
                    events=events if as_sent else normalised,
                    hashes=hashes,
                    added=added,
                )
            )

    def _normalised(self, events: Sequence[Event]) -> tuple[Sequence[Event], Sequence[str | None]]:
        """The events behind `normalise`, and their pseudonyms if a tap writes them."""
        if self._taking.keys() <= AS_SENT:
            return (), ()
        stages, underway = dict(self._stages), self._underway
        normalise, pseudonymise = stages["normalise"], stages["pseudonymise"]
        underway.named = self._named
        found: list[Event] = []
        pseudonyms: list[str | None] = []
        for event in events:
            underway.event, underway.pseudonym = event, None
            normalise(underway)
            pseudonymise(underway)
            found.append(underway.event)
            pseudonyms.append(underway.pseudonym)
        return found, pseudonyms

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
        return self._columns(underway.event, underway.pseudonym, underway.hour)

    def _columns(self, event: Event, pseudonym: str | None, hour: int) -> Added:
        labels = self._labels_of(event)
        segments = self._segments.get(labels)
        if segments is None:
            segments = self._segments[labels] = segments_of(event, self._labels)
        return {"pseudonym": pseudonym, "bucket": hour, "segments": segments}

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
