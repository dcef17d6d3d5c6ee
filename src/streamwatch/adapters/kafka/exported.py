"""What `/metrics` is told of a partition that was just loaded."""

from typing import Any

from streamwatch.domain.incidents import Incident
from streamwatch.domain.verdicts import Verdict
from streamwatch.runner.partition import Partition
from streamwatch.steps.fleetstate import FleetState
from streamwatch.steps.judgestate import JudgeState, all_streams
from streamwatch.steps.remembered import verdicts_of


def exported(runner: Partition[Any]) -> tuple[list[Verdict], list[Incident]]:
    """The newest verdict of every KPI and the incidents that its state remembers."""
    state = runner.state
    if isinstance(state, JudgeState):
        verdicts: list[Verdict] = []
        for stream in all_streams(state):
            verdicts += stream.learned.unusual.values()
            verdicts += verdicts_of(stream.shop, stream.event_type, stream.learned.usual)
        return verdicts, []
    if isinstance(state, FleetState):
        histories = [found for shop in state.shops.values() for found in shop.values()]
        incidents = [one for history in histories for one in history.incidents.values()]
        return [], [*incidents, *state.wide.values()]
    return [], []


def deadlines(runner: Partition[Any]) -> dict[tuple[str, str], int]:
    """Shop and event type → by when JUDGE expects the next record, milliseconds."""
    state = runner.state
    if not isinstance(state, JudgeState):
        return {}
    return {
        (stream.shop, stream.event_type): stream.learned.cadence.due
        for stream in all_streams(state)
        if stream.learned.cadence.due and not stream.learned.cadence.told
    }
