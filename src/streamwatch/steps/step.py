"""The shape that COUNT, JUDGE and FLEET share, so that one runner carries all three."""

from collections.abc import Mapping
from typing import Protocol, TypeVar

import msgspec

from streamwatch.domain.messages import Message
from streamwatch.domain.records import Slice
from streamwatch.domain.rows import Row


class Outcome(msgspec.Struct):
    """What one slice gave.

    Attributes:
        rows: rows for people, written in the next flush.
        messages: published after that flush.
        aggregated, rejected, dead_lettered: where the slice's records went; they add up
            to its length.
        is_urgent: somebody waits for these messages, so that the flush should come soon.
    """

    rows: list[Row] = []
    messages: list[Message] = []
    aggregated: int = 0
    rejected: int = 0
    dead_lettered: int = 0
    is_urgent: bool = False


class Settled(msgspec.Struct):
    """What a step has to write at a flush: state values that changed (``None`` deletes)."""

    changes: dict[str, bytes | None] = {}
    messages: list[Message] = []


StateT = TypeVar("StateT")


class Step(Protocol[StateT]):
    """A pure step: no I/O, no environment, no clock of its own.

    The state belongs to the step; ``process`` may change it in place and hands it back only
    in that sense. When a flush fails, the runner drops the state and restores it.
    """

    @property
    def name(self) -> str:
        """``count``, ``judge`` or ``fleet``."""
        ...

    @property
    def accounted(self) -> bool:
        """Whether the records of its topics are counted in the accounting."""
        ...

    def restore(self, states: Mapping[str, bytes]) -> StateT:
        """The state from stored values; an empty mapping gives the first state.

        Raises:
            StateError: a value is damaged or was written by a newer version.
        """
        ...

    def process(self, state: StateT, slice_: Slice, now_ms: int) -> Outcome:
        """Take one slice into the state."""
        ...

    def settle(self, state: StateT, fence: int, epoch: int, now_ms: int) -> Settled:
        """What changed since the last settling; ``fence`` is the next offset after it."""
        ...

    def announce(self, state: StateT, fence: int, epoch: int) -> list[Message]:
        """What is published again on assignment.

        A crash between commit and publish then loses nothing.
        """
        ...
