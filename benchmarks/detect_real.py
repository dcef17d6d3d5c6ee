"""`streamwatch detect` and the rules that a team would otherwise use, on real series.

    python benchmarks/detect_real.py DATA_FOLDER --out benchmarks/results

DATA_FOLDER holds `tweets` (ten 5-minute count series of the Numenta Anomaly Benchmark with
windows.json) and `completejourney_daily` (daily sums of grocery stores). Nothing of it is
copied. The rows go through `streamwatch.series.Detector`, which the command runs.
"""

import argparse
import json
from pathlib import Path

from detection.real_report import markdown
from detection.stores import undisturbed
from detection.tweets import labelled
from machine import described, in_words


def main() -> None:
    """Run both parts and write the result as JSON and Markdown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--out", type=Path, default=Path("benchmarks/results"))
    arguments = parser.parse_args()
    result = {
        "command": "python benchmarks/detect_real.py DATA_FOLDER --out benchmarks/results",
        "machine": in_words(described()),
        "labelled": labelled(arguments.data / "tweets"),
        "undisturbed": undisturbed(arguments.data / "completejourney_daily"),
    }
    arguments.out.mkdir(parents=True, exist_ok=True)
    (arguments.out / "detect_real.json").write_text(json.dumps(result, indent=1) + "\n")
    text = markdown(result)
    (arguments.out / "detect_real.md").write_text(text)
    print(text)


if __name__ == "__main__":
    main()
