"""A record on its way through the stages: what each of them finds and leaves."""

from collections.abc import Callable, Mapping

from streamwatch.domain.events import Event
from streamwatch.domain.refusals import Refusal
from streamwatch.stages.declared import Numbers


class Underway:
    """What is known of one record so far; each stage reads it, and writes its own part.

    One object serves all records of a slice, one after the other, since making one for each
    stage of each record took as long as the stages themselves.

    Attributes:
        event: the event as it stands now; up to `normalise` as the client sent it, from there
            on of a type that has no field for the shopper.
        declared: its numbers as the client declared them, in canonical units.
        latest: the latest event time that it may have, milliseconds since 1970 UTC.
        newest: shop → start of the shop's newest hour so far, in this partition.
        named: whether anybody looks at the pseudonym; else none is made.
        occurred: event time, milliseconds since 1970 UTC; ``None`` before `validate`.
        marks: reason codes of rules that it breaks but that only mark; from `validate` on.
        shopper: who it was; from `normalise` to `pseudonymise` only.
        pseudonym: 32 hexadecimal digits, the same for a shopper within one shop; ``None`` for
            a record that named no shopper.
        hour: start of its hour in the shop's zone, milliseconds since 1970 UTC; from `segment` on.
    """

    __slots__ = (
        "declared", "event", "hour", "latest", "marks", "named", "newest", "occurred",
        "pseudonym", "shopper",
    )  # fmt: skip

    def __init__(self, newest: Mapping[str, int]) -> None:
        self.newest = newest
        self.event: Event
        self.declared: Numbers = ()
        self.latest = 0
        self.named = True
        self.occurred: int | None = None
        self.marks: tuple[str, ...] = ()
        self.shopper: str | None = None
        self.pseudonym: str | None = None
        self.hour = 0

    def set_out(self, event: Event, declared: Numbers, latest: int) -> "Underway":
        """Another record was decoded; of the one before nothing is left.

        >>> from streamwatch.domain.events import ReceivedReturn
        >>> record = Underway({}).set_out(ReceivedReturn("a", "s", quantity=1), (1.0,), 0)
        >>> record.event.event_id, record.occurred
        ('a', None)
        """
        self.event = event
        self.declared = declared
        self.latest = latest
        self.occurred = self.shopper = self.pseudonym = None
        self.marks = ()
        self.hour = 0
        return self


Stage = Callable[[Underway], Refusal | None]
"""A stage behind `decode`: it moves the record on, or says why the record goes no further."""

NamedStage = tuple[str, Stage]
"""A stage with the name that configuration, taps, tables and metrics call it by."""
