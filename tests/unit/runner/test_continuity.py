"""The continuity guard: every slice begins where the last one ended, or somebody answers for it."""

from collections.abc import Iterable

from hypothesis import example, given
from hypothesis import strategies as st

from streamwatch.domain.records import FileRecord, Slice
from streamwatch.runner.continuity import Admission, Continuity


def fetched(offsets: Iterable[int], generation: int = 0) -> Slice:
    return Slice("purchase", 0, [FileRecord(o, b"") for o in offsets], generation)


def offsets_of(admission: Admission) -> list[int]:
    return [record.offset for record in admission.records]


def test_slices_that_follow_each_other_are_admitted_whole() -> None:
    guard = Continuity(5)
    for start in (5, 8, 11):
        found = guard.admit(fetched(range(start, start + 3)))
        assert offsets_of(found) == [start, start + 1, start + 2]
        assert (found.duplicates, found.gaps, found.seek_to) == (0, 0, None)
    assert guard.expected == 14


def test_a_redelivered_beginning_is_passed_over() -> None:
    guard = Continuity(5)
    found = guard.admit(fetched(range(2, 8)))
    assert (offsets_of(found), found.duplicates, found.gaps) == ([5, 6, 7], 3, 0)


def test_a_slice_of_old_records_alone_changes_nothing() -> None:
    guard = Continuity(5)
    found = guard.admit(fetched(range(5)))
    assert (offsets_of(found), found.duplicates, found.seek_to) == ([], 5, None)
    assert guard.expected == 5


def test_a_hole_is_fetched_again_and_then_filled() -> None:
    guard = Continuity(5)
    assert guard.admit(fetched([7, 8])) == Admission(seek_to=5)
    found = guard.admit(fetched([5, 6, 7, 8], generation=1))
    assert (offsets_of(found), found.duplicates, found.gaps) == ([5, 6, 7, 8], 0, 0)


def test_a_hole_that_the_broker_returns_twice_is_real() -> None:
    guard = Continuity(5)
    assert guard.admit(fetched([7, 8])).seek_to == 5
    found = guard.admit(fetched([7, 8], generation=1))
    assert (offsets_of(found), found.gaps, found.seek_to) == ([7, 8], 2, None)


def test_every_hole_is_fetched_again_once() -> None:
    guard = Continuity(5)
    guard.admit(fetched([7]))
    guard.admit(fetched([7], generation=1))
    assert guard.admit(fetched([9], generation=1)).seek_to == 8
    assert guard.admit(fetched([9], generation=2)).gaps == 1


def test_a_hole_that_has_become_larger_is_real_as_well() -> None:
    """Retention may drop more records while the guard fetches again."""
    guard = Continuity(5)
    guard.admit(fetched([7, 8]))
    assert guard.admit(fetched([9], generation=1)).gaps == 4


def test_slices_from_before_a_seek_are_ignored() -> None:
    guard = Continuity(5)
    guard.admit(fetched([7, 8]))
    for stale in ([9, 10], [5, 6], [11]):
        assert guard.admit(fetched(stale)) == Admission()
    assert offsets_of(guard.admit(fetched([5, 6, 7], generation=1))) == [5, 6, 7]


def test_compacted_offsets_within_a_slice_are_gaps() -> None:
    guard = Continuity(5)
    found = guard.admit(fetched([5, 8, 9, 12]))
    assert (found.gaps, found.duplicates, found.seek_to) == (4, 0, None)


def test_gaps_and_duplicates_of_one_slice_are_told_apart() -> None:
    guard = Continuity(5)
    found = guard.admit(fetched([2, 4, 7]))
    assert (offsets_of(found), found.duplicates, found.gaps) == ([7], 2, 2)


def test_the_first_slice_after_an_assignment_must_begin_at_the_fence() -> None:
    assert Continuity(100).admit(fetched([101], generation=4)).seek_to == 100


class Broker:
    """A partition with compacted offsets; a fetch goes on where the last one ended."""

    def __init__(self, offsets: list[int]) -> None:
        self.offsets, self.position, self.generation = offsets, 0, 0

    def seek(self, offset: int) -> None:
        self.position, self.generation = offset, self.generation + 1

    def fetch(self, count: int) -> Slice | None:
        found = [offset for offset in self.offsets if offset >= self.position][:count]
        if not found:
            return None
        self.position = found[-1] + 1
        return fetched(found, self.generation)


@given(
    kept=st.sets(st.integers(0, 60), min_size=1),
    chaos=st.lists(st.sampled_from(["fetch", "lose", "again", "far", "stale"]), max_size=40),
    size=st.integers(1, 7),
)
@example(kept=set(range(20)), chaos=["lose", "fetch", "stale"], size=2)
def test_whatever_the_consumer_does_every_offset_is_admitted_once(
    kept: set[int], chaos: list[str], size: int
) -> None:
    """Slices get lost, come again or late, and the position jumps; what was sought is fetched."""
    broker, guard = Broker(sorted(kept)), Continuity(0)
    admitted: list[int] = []
    gaps = 0
    seen = [fetched([0])]

    def take(slice_: Slice) -> bool:
        nonlocal gaps
        found = guard.admit(slice_)
        admitted.extend(offsets_of(found))
        gaps += found.gaps
        if found.seek_to is not None:
            broker.seek(found.seek_to)
        return found.seek_to is not None

    def fetch() -> bool:
        slice_ = broker.fetch(size)
        if slice_ is not None:
            seen.append(slice_)
        return slice_ is not None and take(slice_)

    for deed in chaos:
        if deed == "lose":
            broker.fetch(size)
        elif deed == "again":
            broker.position = max(0, broker.position - 5)
        elif deed == "far":
            broker.position += 5
        # What was fetched before a seek may come after it.
        elif fetch() and deed == "stale":
            take(seen[-2])
        while fetch():
            pass
    for _ in range(2):
        broker.seek(guard.expected)
        while broker.position <= max(kept):
            fetch()
    assert admitted == sorted(kept)
    assert guard.expected == len(admitted) + gaps == max(kept) + 1
