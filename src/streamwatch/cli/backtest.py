"""``streamwatch backtest``: what the settings would have said of files of the past."""

import heapq
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import click
import msgspec

from streamwatch.adapters.assembly import Assembly, assemble, judged_by
from streamwatch.adapters.clock import WallClock
from streamwatch.adapters.embedded import EmbeddedPipeline
from streamwatch.adapters.files.opening import check_readable, name_of
from streamwatch.adapters.files.reader import read_file
from streamwatch.adapters.files.routes import Routes, load_routes
from streamwatch.adapters.files.source_line import SourceLine
from streamwatch.adapters.master_key import KEY, KEY_FILE
from streamwatch.backtest.feeding import by_hour
from streamwatch.backtest.labels import Fault, faults_of
from streamwatch.backtest.record import Record, RecordStore
from streamwatch.backtest.scorecard import Scorecard, score
from streamwatch.backtest.tune import GRIDS, Trial, UnstoredJudge, candidates, judge_again, trial
from streamwatch.cli.output import FINDINGS, OK, json_option, print_json, progress, settings_option
from streamwatch.cli.scorecard_text import scorecard_text, sweep_text
from streamwatch.domain.accounting import Accounting
from streamwatch.domain.records import Slice
from streamwatch.errors import ConfigurationError
from streamwatch.taps.live import TapSet

_EPILOG = """\b
The files go through the very same COUNT, JUDGE and FLEET as in a worker, in the time of the
records; no database is made and nothing is written. Several files are merged by arrival.

\b
The labels are CSV: fault,shop,event_type,kpi,segment,start,end,origin,argument, a row for
each KPI that a fault moves, as `streamwatch simulate --labels` writes them.

\b
Examples:
  streamwatch backtest last_month.jsonl.gz
  streamwatch backtest events.jsonl --labels truth.csv --sweep
  streamwatch backtest events.jsonl --sweep-over volume_effect --sweep-over pages_per_week
  streamwatch backtest purchases.csv --topic purchase --settings stricter.yaml --json

The exit code is 1 if there was an incident; with labels, if a fault was missed or an
incident was false."""


@click.command(epilog=_EPILOG)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
@click.option(
    "--labels", "labels_file", metavar="CSV", default=None,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="The truth about faults; gives precision, recall and delay.",
)  # fmt: skip
@click.option("--topic", default=None, help="The topic of every line.")
@click.option(
    "--routes", "routes_file", default=None, metavar="FILE", help="Topics by content of each line."
)
@click.option("--sweep", is_flag=True, help="Also tell what other thresholds would have given.")
@click.option(
    "--sweep-over", metavar="SETTING", multiple=True, type=click.Choice([*GRIDS, "all"]),
    help=f"The same for another setting; repeatable. One of: {', '.join(GRIDS)}, all.",
)  # fmt: skip
@settings_option
@json_option
def command(
    files: tuple[str, ...],
    labels_file: Path | None,
    topic: str | None,
    routes_file: str | None,
    sweep: bool,
    sweep_over: tuple[str, ...],
    settings_file: str | None,
    as_json: bool,
) -> int:
    """Take FILEs of the past through the pipeline and tell what would have been alarmed."""
    path = Path(settings_file) if settings_file else None
    assembly = assemble(path, _environment())
    routes = load_routes(routes_file) if routes_file else None
    check_readable(files)
    faults = _faults(labels_file) if labels_file else []
    begun = time.monotonic()
    over = _swept(sweep_over, thresholds=sweep)
    lines = _merged(files, topic, routes)
    record, remembered, counts = _run(assembly, lines, files, keep=bool(over))
    seconds = time.monotonic() - begun
    card = score(record, faults)
    trials = _sweep(assembly, remembered.slices, record, faults, over) if over else []
    if as_json:
        print_json(_answer(card, trials, record, counts, seconds))
    else:
        _print(card, trials, labelled=labels_file is not None)
        _say(counts, seconds, labelled=labels_file is not None, swept=bool(over))
    alarmed = bool(card.missed or card.false) if labels_file else bool(card.incidents)
    return FINDINGS if alarmed else OK


def _environment() -> dict[str, str]:
    """The environment; no pseudonym outlives a backtest, so any key does."""
    environment = dict(os.environ)
    if KEY not in environment and KEY_FILE not in environment:
        environment[KEY] = "00" * 32
    return environment


def _faults(path: Path) -> list[Fault]:
    try:
        with path.open(newline="", encoding="utf-8") as lines:
            return faults_of(lines, str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: the labels cannot be read: {error}") from error


def _merged(files: Sequence[str], topic: str | None, routes: Routes | None) -> Iterator[SourceLine]:
    """The lines of all files in the order of their arrival."""
    read = [read_file(file, topic=topic, routes=routes) for file in files]
    return read[0] if len(read) == 1 else heapq.merge(*read, key=_arrival)


def _arrival(line: SourceLine) -> int:
    return line.arrived_ms


def _run(
    assembly: Assembly, lines: Iterable[SourceLine], files: Sequence[str], *, keep: bool
) -> tuple[Record, UnstoredJudge, dict[str, Accounting]]:
    """The run under the configured settings; ``keep`` for a sweep afterwards."""
    record = Record()
    assembly.live.current = TapSet()  # a backtest copies no rows
    remembering = UnstoredJudge(assembly.judge, keep=keep)
    pipeline = EmbeddedPipeline(
        sources={
            topic: msgspec.structs.replace(source, recorder=None)
            for topic, source in assembly.sources.items()
        },
        judge=remembering,
        fleet=assembly.fleet,
        store=RecordStore(record),
        clock=WallClock(),
        file_id="",
    )
    done = 0
    name = name_of(files[0]) if len(files) == 1 else "input"
    with progress() as bar:
        task = bar.add_task("lines", total=_about_lines(files))
        for portion in by_hour(lines, pipeline.reached):
            pipeline.feed(portion, name)
            pipeline.flush()
            done += len(portion)
            bar.update(task, completed=done)
    return record, remembering, pipeline.finish()


def _about_lines(files: Sequence[str]) -> int | None:
    """How many lines plain files hold, by the length of their first ones; else ``None``."""
    total = 0
    for file in files:
        path = Path(file)
        if not path.is_file() or path.suffix in (".gz", ".parquet", ".pq"):
            return None
        with path.open("rb") as stream:
            start = stream.read(1 << 18)
        lines = start.count(b"\n")
        total += round(path.stat().st_size * lines / max(len(start), 1))
    return total or None


def _swept(over: Sequence[str], *, thresholds: bool) -> list[str]:
    """The settings to sweep over, each once."""
    if "all" in over:
        return list(GRIDS)
    return list(dict.fromkeys([*(["threshold"] if thresholds else []), *over]))


def _sweep(
    assembly: Assembly,
    slices: Sequence[Slice],
    record: Record,
    faults: Sequence[Fault],
    over: Sequence[str],
) -> list[Trial]:
    """JUDGE and FLEET once more for each candidate, over what COUNT told."""
    trials = []
    tried = candidates(assembly.settings.judging, over)
    with progress() as bar:
        for candidate in bar.track(tried, description="sweep"):
            if candidate.is_configured:
                trials.append(trial(candidate, record, faults))
                continue
            other = judged_by(assembly, candidate.judging)
            again = judge_again(slices, other.judge, other.fleet, WallClock().now_ms())
            trials.append(trial(candidate, again, faults))
    return trials


def _answer(
    card: Scorecard,
    trials: Sequence[Trial],
    record: Record,
    counts: dict[str, Accounting],
    seconds: float,
) -> dict[str, object]:
    lines = sum(count.records_in for count in counts.values())
    answer: dict[str, object] = {
        "lines": lines,
        "seconds": round(seconds, 3),
        "lines_per_second": round(lines / max(seconds, 1e-3)),
        "scorecard": card,
        "incidents": [
            {
                "opened_at": one.opened_at,
                "counted_as": card.classes.get(one.incident.id, "part of another"),
                **msgspec.structs.asdict(one.incident),
            }
            for one in record.incidents.values()
        ],
    }
    if trials:
        answer["sweep"] = [
            {
                "setting": one.candidate.setting,
                "value": one.candidate.value,
                "scorecard": one.scorecard,
            }
            for one in trials
        ]
    return answer


def _print(card: Scorecard, trials: Sequence[Trial], *, labelled: bool) -> None:
    click.echo(scorecard_text(card))
    if trials:
        known = "" if labelled else " (no labels: all are called false)"
        click.echo(f"\nother settings{known}")
        click.echo(sweep_text(trials))


def _say(counts: dict[str, Accounting], seconds: float, *, labelled: bool, swept: bool) -> None:
    lines = sum(count.records_in for count in counts.values())
    refused = sum(count.rejected + count.dead_lettered for count in counts.values())
    rate = lines / max(seconds, 1e-3)
    click.echo(f"{lines:,} lines in {seconds:.1f} s ({rate:,.0f}/s)", err=True)
    if not lines:
        click.echo("there was no line to read", err=True)
    if refused:
        click.echo(
            f"{refused:,} lines were refused; `streamwatch watch` into a trial database tells why",
            err=True,
        )
    if not labelled:
        click.echo("without --labels every incident is called false", err=True)
    if not swept:
        click.echo(
            "next: --sweep shows what other thresholds would have given, "
            "--sweep-over SETTING other settings",
            err=True,
        )
