"""A sample is the same events at every stage, in every process."""

import os
import subprocess
import sys
from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from streamwatch.taps.select import (
    HASHES,
    event_hash,
    places_in_sample,
    sample_threshold,
    sampled,
)

IDS = [f"event-{n}" for n in range(20_000)]


def test_the_hash_of_an_id_is_fixed_for_good() -> None:
    assert event_hash("event-1") == 0x3BBAD8F8D243AEC4
    assert event_hash("größe") == 0x8F2EFDCD0715443D


def test_another_process_takes_the_same_events() -> None:
    code = "from streamwatch.taps.select import event_hash; print(event_hash('event-1'))"
    environment = {**os.environ, "PYTHONHASHSEED": "77"}
    other = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert int(other.stdout) == event_hash("event-1")


def test_a_share_of_numbered_events_is_about_that_share() -> None:
    for share in (0.01, 0.1, 0.5):
        taken = sum(sampled(event_id, share) for event_id in IDS)
        assert abs(taken / len(IDS) - share) < 4 * (share * (1 - share) / len(IDS)) ** 0.5


def test_a_sample_of_numbered_events_follows_no_digit_of_them() -> None:
    taken = [n for n in range(200_000) if sampled(f"event-{n:09d}", 0.05)]
    for modulus in (2, 7, 10, 64, 100):
        expected = len(taken) / modulus
        counts = Counter(n % modulus for n in taken)
        chi_square = sum((counts[rest] - expected) ** 2 / expected for rest in range(modulus))
        assert chi_square < modulus + 5 * (2 * modulus) ** 0.5


@given(st.text(), st.floats(0, 1), st.floats(0, 1))
def test_a_larger_sample_holds_the_smaller_one(event_id: str, one: float, other: float) -> None:
    small, large = sorted((one, other))
    assert sampled(event_id, large) or not sampled(event_id, small)


@given(st.text(alphabet=st.characters(exclude_categories=())))
def test_all_events_are_in_the_whole_and_none_in_nothing(event_id: str) -> None:
    assert sampled(event_id, 1.0)
    assert not sampled(event_id, 0.0)
    assert 0 <= event_hash(event_id) < HASHES == sample_threshold(1.0)


@given(st.lists(st.text(st.characters(), max_size=6)), st.floats(0, 1))
def test_many_at_once_are_sampled_as_each_alone(ids: list[str], share: float) -> None:
    ids = [*ids, "\ud800"] if share > 0.5 else ids
    alone = [place for place, event_id in enumerate(ids) if sampled(event_id, share)]
    assert places_in_sample(ids, sample_threshold(share)) == alone
