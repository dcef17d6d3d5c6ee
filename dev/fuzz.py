# ruff: noqa: INP001  a program, no package
"""Coverage-guided fuzzing with atheris: ``python run.py TARGET RUNS FOLDER``.

Inputs that reach new code are kept in FOLDER, beside the committed corpus, and are tried again the
next time. What became of all inputs is written to ``FOLDER/TARGET.json``.
"""

import importlib
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

fuzzer = importlib.import_module("atheris")

with fuzzer.instrument_imports(include=["streamwatch", "yaml"], enable_loader_override=False):
    from tests.fuzz.targets import make_filter_target, make_record_target, make_tap_target

CORPUS = Path(__file__).with_name("corpus")
TELL_EVERY = 20_000
MAKERS: dict[str, Callable[[Path], Callable[[bytes], str]]] = {
    "record": lambda _: make_record_target(),
    "tap": make_tap_target,
    "filter": lambda _: make_filter_target(),
}


def main(name: str, runs: str, folder: str) -> None:
    """Fuzz one target."""
    report = Path(folder) / f"{name}.json"
    kept = Path(folder) / name
    kept.mkdir(parents=True, exist_ok=True)
    scratch = tempfile.mkdtemp()
    target = MAKERS[name](Path(scratch))
    found: Counter[str] = Counter()
    begun = time.monotonic()

    def write() -> None:
        tried = found.total()
        right = found[""]
        report.write_text(
            json.dumps(
                {
                    "target": name,
                    "tried": tried,
                    "refused": tried - right,
                    "right": right,
                    "reasons": len(found) - 1,
                    "commonest": found.most_common(12),
                    "seconds": round(time.monotonic() - begun, 1),
                    "kept": sum(1 for _ in kept.iterdir()),
                    "crashes": 0,
                },
                indent=1,
            )
        )

    def one(data: bytes) -> None:
        found[target(data)] += 1
        if found.total() % TELL_EVERY == 0:
            write()

    arguments = [sys.argv[0], f"-runs={runs}", "-max_len=4096", "-print_final_stats=1", "-seed=6"]
    arguments += [str(kept), str(CORPUS / name)]
    fuzzer.Setup(arguments, one)
    fuzzer.Fuzz()


if __name__ == "__main__":
    main(*sys.argv[1:])
