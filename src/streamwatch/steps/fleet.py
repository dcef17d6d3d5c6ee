"""FLEET: verdicts in, incidents out.

The verdicts topic has one partition, so one worker sees all shops. A verdict joins the
history of its KPI; what that opens, changes or closes becomes a row and a message.
"""

from collections.abc import Mapping

import msgspec

from streamwatch.domain.incidents import Incident
from streamwatch.domain.messages import INCIDENTS_TOPIC, Message
from streamwatch.domain.records import Slice
from streamwatch.domain.rows import IncidentRow
from streamwatch.domain.settings import JudgingSettings
from streamwatch.domain.statevalue import pack, unpack
from streamwatch.domain.verdicts import Verdict
from streamwatch.incidents.history import History, take
from streamwatch.steps.step import Outcome, Settled
from streamwatch.steps.streams import kpi_name

_VERSION = 1
_verdicts = msgspec.json.Decoder(Verdict)
_encode_incident = msgspec.json.Encoder().encode


class FleetState(msgspec.Struct):
    """Per shop the history of each KPI, and which shops changed since the last settling."""

    shops: dict[str, dict[str, History]] = {}
    changed: set[str] = set()


class FleetStep:
    """The step that makes incidents of verdicts."""

    name = "fleet"
    accounted = False

    def __init__(self, settings: JudgingSettings) -> None:
        self._settings = settings

    def process(self, state: FleetState, slice_: Slice, now_ms: int) -> Outcome:
        """Take verdicts in; records that are none are counted as dead-lettered."""
        del now_ms
        outcome = Outcome()
        for record in slice_.records:
            verdict = read_verdict(record.value)
            if verdict is None:
                outcome.dead_lettered += 1
                continue
            outcome.aggregated += 1
            for incident in self._take(state, verdict):
                outcome.rows.append(IncidentRow(incident))
                outcome.messages.append(_message(incident))
        return outcome

    def _take(self, state: FleetState, verdict: Verdict) -> list[Incident]:
        key = verdict.key
        histories = state.shops.setdefault(key.shop, {})
        name = f"{key.event_type}|{kpi_name(key)}"
        history = histories.get(name)
        if history is None:
            history = histories[name] = History(key)
        state.changed.add(key.shop)
        return take(history, verdict, self._settings.threshold)

    def settle(self, state: FleetState, fence: int, epoch: int, now_ms: int) -> Settled:
        """The shops that changed."""
        del fence, epoch, now_ms
        changes: dict[str, bytes | None] = {
            f"shop/{shop}": pack(_VERSION, state.shops[shop]) for shop in sorted(state.changed)
        }
        state.changed.clear()
        return Settled(changes=changes)

    def restore(self, states: Mapping[str, bytes]) -> FleetState:
        """The state from what `settle` returned.

        Raises:
            StateError: a value is damaged or was written by a newer version.
        """
        shops = {
            key.removeprefix("shop/"): unpack(states[key], dict[str, History], _VERSION, key)
            for key in sorted(states)
        }
        return FleetState(shops=shops)

    def announce(self, state: FleetState, fence: int, epoch: int) -> list[Message]:
        """The open and the recently closed incidents, again."""
        del fence, epoch
        return [
            _message(incident)
            for histories in state.shops.values()
            for history in histories.values()
            for incident in history.incidents.values()
        ]


def read_verdict(value: bytes | None) -> Verdict | None:
    """A record of the verdicts topic, or ``None`` when it is no verdict."""
    try:
        return _verdicts.decode(value or b"")
    except (msgspec.DecodeError, ValueError):
        return None


def _message(incident: Incident) -> Message:
    return Message(INCIDENTS_TOPIC, incident.id.encode(), _encode_incident(incident))
