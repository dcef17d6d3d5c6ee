"""``streamwatch evidence``: the pack that shows a client what it sent."""

import hashlib
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path

import click

from streamwatch.adapters.clock import WallClock
from streamwatch.adapters.diagnosing import diagnose_incident, evidence_of
from streamwatch.adapters.evidence_pdf import pdf_of
from streamwatch.adapters.settings.loading import load_settings
from streamwatch.adapters.sql.migrations import check_migrated
from streamwatch.cli.database import database_option, opened
from streamwatch.cli.diagnose import incident_of
from streamwatch.cli.diagnosis_text import in_words
from streamwatch.cli.output import FINDINGS, OK, json_option, print_json, settings_option
from streamwatch.diagnosis.evidence import files
from streamwatch.diagnosis.origin import CLIENT

_EPOCH = (1980, 1, 1, 0, 0, 0)
_EPILOG = """\b
Examples:
  streamwatch evidence 'shop-003/widget-event/mean.height/all/day/low@2026-03-01T00:00:00Z' -o pack.zip
  unzip -p pack.zip message.txt

The pack holds no personal data and nothing of fewer than 10 records.
The exit code is 1, and nothing is written, if the client is not the origin."""  # noqa: E501


@click.command(epilog=_EPILOG)
@click.argument("incident_id", metavar="INCIDENT")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The archive to write.",
)
@database_option
@settings_option
@json_option
def command(
    incident_id: str, output: Path, database: str | None, settings_file: str | None, as_json: bool
) -> int:
    """Pack what proves to the client that it sent it so: page, plots, counts, records, a draft."""
    settings = load_settings(Path(settings_file) if settings_file else None, os.environ)
    with opened(database, settings_file) as engine:
        check_migrated(engine)
        incident = incident_of(engine, incident_id)
        report = diagnose_incident(engine, incident, settings)
        origin = report.found.origin
        accused_before = incident.origin in ("", CLIENT)
        if origin.name != CLIENT or not accused_before:
            name = origin.name if origin.name != CLIENT else incident.origin
            if as_json:
                print_json({"incident": incident.id, "origin": name, "file": None})
            click.echo(
                f"no pack: the origin is {in_words(name)}; {origin.reason}\n"
                f"see: streamwatch diagnose '{incident.id}'",
                err=True,
            )
            return FINDINGS
        found = files(evidence_of(engine, incident, report, settings, WallClock().now_ms()), pdf_of)
    digest = _write(output, found)
    if as_json:
        answer = {"incident": incident.id, "origin": CLIENT, "file": str(output)}
        print_json({**answer, "sha256": digest, "files": sorted(found)})
    else:
        click.echo(f"{output}: {', '.join(sorted(found))}")
        click.echo(f"sha256 {digest}")
        click.echo("read evidence.html and message.txt before you send them", err=True)
    return OK


def _write(output: Path, found: Mapping[str, bytes]) -> str:
    """Write the archive; the same files give the same bytes."""
    try:
        with zipfile.ZipFile(output, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in sorted(found):
                entry = zipfile.ZipInfo(name, _EPOCH)
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, found[name])
    except OSError as error:
        raise click.UsageError(f"{output} cannot be written: {error}") from error
    return hashlib.sha256(output.read_bytes()).hexdigest()
