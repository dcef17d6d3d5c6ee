"""Is the origin of a fault named rightly? Simulated faults of known origin, size and share.

    python benchmarks/diagnosis/run.py --seed 7 --sizes 20 100 1000 10000 --output FILE.json

One shop of each size lives through four usual weeks; then a day with one fault is counted,
judged and diagnosed, by the same functions that COUNT and JUDGE call, without SQL or Kafka. The
fault is the client's, one of our stages', one of a stage of the user's own, or one of a stage in
another service, and hits a share of the records. ``detectable`` is told by the truth, not by us:
the fault moves the KPI by five standard deviations or more of what it does from day to day
anyway.
"""

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path

import msgspec
from faults import ELSEWHERE, SIZES, STAGES, trials
from shop import Shop
from trial import Result, run

sys.path.insert(0, str(Path(__file__).parents[1]))
from machine import described


def summary(results: list[Result]) -> dict[str, object]:
    """The figures that the targets are about."""
    seen = [one for one in results if one.detectable]
    right = [one for one in seen if one.origin == one.trial.origin]
    accused = [one for one in results if one.origin == "client" and one.trial.origin != "client"]
    wrong_stage = [
        one for one in results if one.origin not in (one.trial.origin, "client", "undetermined")
    ]
    named = [one for one in seen if one.nameable and is_named(one)]
    nameable = sum(one.nameable for one in seen)
    hidden = [one for one in results if not one.detectable and one.affected]
    return {
        "faults": len(results),
        "detectable": len(seen),
        "origin_right": len(right) / len(seen),
        "client_wrongly_accused": len(accused),
        "stage_wrongly_accused": len(wrong_stage),
        "unit_faults": nameable,
        "unit_right": len(named) / nameable,
        "below_detection": len(hidden),
        "below_detection_said": dict(sorted(Counter(map(said, hidden)).items())),
        "by_origin": {
            origin: right_of([one for one in seen if one.trial.origin == origin])
            for origin in ("client", *STAGES, ELSEWHERE)
        },
        "by_effect": {
            effect: right_of([one for one in seen if one.trial.effect == effect])
            for effect in sorted({one.trial.effect for one in seen})
        },
        "by_share": {
            f"{share:.0%}": right_of([one for one in seen if one.trial.share == share])
            for share in sorted({one.trial.share for one in seen})
        },
        "by_size": {
            str(size): right_of([one for one in seen if one.trial.size == size])
            for size in sorted({one.trial.size for one in seen})
        },
    }


def right_of(some: list[Result]) -> str:
    """``59/60``: how many of some were given their right origin."""
    return f"{sum(one.origin == one.trial.origin for one in some)}/{len(some)}"


def said(one: Result) -> str:
    """In one word what was said of the origin."""
    if one.origin == one.trial.origin:
        return "right"
    return "undetermined" if one.origin == "undetermined" else "wrong"


def is_named(one: Result) -> bool:
    """Whether the right unit was named."""
    return one.hypothesis.startswith(one.trial.unit)


def is_miss(one: Result) -> bool:
    """Whether a result is worth a look: a wrong name, or none where one was due."""
    unnamed = one.nameable and not is_named(one)
    return said(one) == "wrong" or (one.detectable and (said(one) != "right" or unnamed))


def main() -> None:
    """Run all trials, or those of some sizes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--sizes", type=int, nargs="*", default=list(SIZES))
    parser.add_argument("--every", type=int, default=1, help="only every so many trials")
    parser.add_argument("--output", type=Path, default=None)
    options = parser.parse_args()
    results: list[Result] = []
    begun = time.process_time()
    shops: dict[int, Shop] = {}
    for number, trial in enumerate(trials()):
        if trial.size not in options.sizes or number % options.every:
            continue
        if trial.size not in shops:
            shops = {trial.size: Shop(trial.size, options.seed)}
            print(f"{trial.size} a day: {time.process_time() - begun:.0f} s", file=sys.stderr)
        results.append(run(shops[trial.size], trial, number))
    told = {
        "seed": options.seed,
        "machine": described(),
        "processor_seconds": round(time.process_time() - begun),
        **summary(results),
    }
    misses = [msgspec.to_builtins(one) for one in results if is_miss(one)]
    if options.output:
        text = json.dumps({"summary": told, "misses": misses}, indent=1)
        options.output.write_text(text + "\n")
    print(json.dumps(told, indent=1))
    if not options.output:
        for miss in misses:
            print(json.dumps(miss))


if __name__ == "__main__":
    main()
