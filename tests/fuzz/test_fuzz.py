"""The committed corpus and thousands of mutations of it: each input right, or with a reason."""

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.fuzz.mutations import mutated
from tests.fuzz.targets import Target, make_filter_target, make_record_target, make_tap_target

CORPUS = Path(__file__).with_name("corpus")
TARGETS: dict[str, tuple[Callable[[Path], Target], int]] = {
    "record": (lambda _: make_record_target(), 8_000),
    "tap": (make_tap_target, 1_000),
    "filter": (lambda _: make_filter_target(), 8_000),
}


@pytest.mark.parametrize("name", TARGETS)
def test_any_input_is_right_or_refused_with_a_reason(name: str, tmp_path: Path) -> None:
    make, count = TARGETS[name]
    target = make(tmp_path)
    rng = random.Random(6)  # noqa: S311  inputs, no secret
    seeds = [file.read_bytes() for file in sorted((CORPUS / name).iterdir())]
    found = Counter(target(data) for data in seeds)
    found += Counter(target(mutated(rng.choice(seeds), seeds, rng)) for _ in range(count))
    assert found.total() == len(seeds) + count
    assert found[""] > 0
    assert len(found) > 10
