"""Where a partition's log ends, as far as records go.

Behind the last record there may be offsets without one: the marker that ends a transaction, or
records that were compacted away. The fence cannot stand behind them, yet nothing waits there.
"""

from faust.types import TP


class LogEnds:
    """What the positions of the consumer say of the offsets behind the fences.

    A position runs ahead of the records that are on their way from the consumer's thread, so it
    is believed when it was the same at two looks in a row while nothing was under way.

    >>> ends, place = LogEnds(), TP("purchase", 0)
    >>> ends.look(place, fence=10, position=11)
    >>> ends.end(place, fence=10, highwater=11)
    11
    >>> ends.look(place, fence=10, position=11)
    >>> ends.end(place, fence=10, highwater=11), ends.end(place, fence=10, highwater=12)
    (10, 12)
    """

    def __init__(self) -> None:
        self._seen: dict[TP, tuple[int, int]] = {}
        self._reached: dict[TP, tuple[int, int]] = {}

    def look(self, tp: TP, fence: int, position: int) -> None:
        """The consumer stands at a position, and nothing between it and the fence is known of."""
        found = (fence, position)
        if self._seen.get(tp) == found:
            self._reached[tp] = found
        self._seen[tp] = found

    def forget(self, tp: TP) -> None:
        """Something is under way."""
        self._seen.pop(tp, None)
        self._reached.pop(tp, None)

    def end(self, tp: TP, fence: int, highwater: int) -> int:
        """The end of the log; the fence, where no record waits behind it."""
        return fence if self._reached.get(tp) == (fence, highwater) else highwater
