"""Acknowledgements in the judge: the baseline of the incident's KPI is repaired."""

from streamwatch.baselines import silence
from streamwatch.baselines.judging import level_of
from streamwatch.baselines.repair import repair as repaired
from streamwatch.domain.cells import ALL, HOUR_MS
from streamwatch.domain.messages import Acknowledge
from streamwatch.steps.streams import Stream, kpi_name
from streamwatch.steps.volumes import follow_level


def repair(stream: Stream, message: Acknowledge) -> bool:
    """Repair the baseline; tells whether there is one. The same word twice changes little."""
    if message.key.kpi == "silence":
        return _accept_silence(stream, message)
    name = kpi_name(message.key)
    baselines = stream.learned.baselines
    if name not in baselines:
        return False
    before = level_of(baselines[name])
    baselines[name] = repaired(baselines[name], message.kind, message.value, message.expected)
    if message.key.kpi == "volume" and message.key.segment == ALL:
        follow_level(stream.learned, message.key, before)
    return True


def _accept_silence(stream: Stream, message: Acknowledge) -> bool:
    if message.kind not in ("false-alarm", "new-trend"):
        return False
    length = round(message.value * HOUR_MS)
    stream.learned.cadence = silence.accepting(stream.learned.cadence, message.since, length)
    return True
