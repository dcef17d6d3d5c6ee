"""Acknowledgements in the judge: the baseline of the incident's KPI is repaired."""

from streamwatch.baselines.judging import level_of
from streamwatch.baselines.repair import repair as repaired
from streamwatch.domain.cells import ALL
from streamwatch.domain.messages import Acknowledge
from streamwatch.steps.streams import Stream, kpi_name
from streamwatch.steps.volumes import follow_level


def repair(stream: Stream, message: Acknowledge) -> bool:
    """Repair the baseline; tells whether there is one. The same word twice changes little."""
    name = kpi_name(message.key)
    baselines = stream.learned.baselines
    if name not in baselines:
        return False
    before = level_of(baselines[name])
    baselines[name] = repaired(baselines[name], message.kind, message.value, message.expected)
    if message.key.kpi == "volume" and message.key.segment == ALL:
        follow_level(stream.learned, message.key, before)
    return True
