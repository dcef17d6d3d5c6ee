"""The result of the volume benchmark as Markdown."""

from collections.abc import Sequence

from machine import in_words

WANTED = {0.02: (0.98, 0.65, 0.93, 0.60), 0.001: (0.95, 0.40, 0.82, 0.30)}
"""False alarms per shop-month → the recall to reach of each fault."""


def report(result: dict, faults: Sequence[str], ours: str) -> str:
    """The result as tables."""
    machine, cost = result["machine"], result["cost"]
    lines = [
        "# Volume: recall at equal false alarms",
        "",
        f"`{machine['command']}`, {in_words(machine)}.",
    ]
    for rate, wanted in WANTED.items():
        lines += [
            "",
            f"At {rate:g} false alarms per shop-month and KPI:",
            "",
            f"| rule | {' | '.join(faults)} | threshold |",
            "|---|---|---|---|---|---|",
            f"| wanted | {' | '.join(f'{one:.2f}' for one in wanted)} | |",
        ]
        for rule, rates in result["rules"].items():
            row = rates[str(rate)]
            recall = " | ".join(f"{row[fault]:.3f}" for fault in faults)
            lines.append(f"| {rule} | {recall} | {row['threshold']:g} |")
    lines += ["", "streamwatch by events a day (3-20, 20-200, 200-5,000, more):", ""]
    lines += [f"| at | {' | '.join(faults)} |", "|---|---|---|---|---|"]
    for rate in WANTED:
        row = result["rules"][ours][str(rate)]
        sizes = " | ".join(
            ", ".join(f"{one:.2f}" for one in row[f"{fault} by size"]) for fault in faults
        )
        lines.append(f"| {rate:g} | {sizes} |")
    default = result["at the default threshold"]
    lines += [
        "",
        f"At the default threshold of {default['threshold']:g}: "
        f"{default['false alarms per shop-month']:.5f} false alarms per shop-month; recall "
        + ", ".join(f"{fault} {default[fault]:.3f}" for fault in faults)
        + ".",
        "",
        (
            f"Cost of a closed bucket and KPI: {cost['microseconds']:.1f} µs of processor time, as "
            f"{cost['encodings']:.0f} encodings of a verdict by msgspec in the same run. A "
            f"baseline's state is {cost['bytes']:.0f} bytes as stored."
        ),
    ]
    return "\n".join(lines) + "\n"
