"""FLEET: verdicts in, incidents out.

The verdicts topic has one partition, so one worker sees all shops. A verdict that departs
enough for the budget of false alarms joins the history of its KPI; what that opens, changes or
closes is grouped with what else is open, and becomes a row and a message.
"""

from collections.abc import Iterator, Mapping

import msgspec

from streamwatch.domain.cloudevents import kafka_headers
from streamwatch.domain.incidents import Incident
from streamwatch.domain.messages import INCIDENTS_TOPIC, Acknowledge, Message
from streamwatch.domain.records import Slice
from streamwatch.domain.rows import IncidentRow
from streamwatch.domain.settings import JudgingSettings
from streamwatch.domain.statevalue import unpack
from streamwatch.domain.verdicts import Verdict
from streamwatch.incidents import budget, grouping
from streamwatch.incidents.history import acknowledge, attach, take
from streamwatch.steps.fleetstate import (
    VERSION,
    FleetState,
    ShopHistories,
    StoredFleet,
    begin_history,
    history_of,
    note_discovery,
    note_incident,
    open_in,
    open_of_shop,
    take_changes,
    tests_a_week,
)
from streamwatch.steps.step import Outcome, Settled

_verdicts = msgspec.json.Decoder(Verdict)
_acknowledgements = msgspec.json.Decoder(Acknowledge)
_encode_incident = msgspec.json.Encoder().encode


class FleetStep:
    """The step that makes incidents of verdicts."""

    name = "fleet"
    accounted = False

    def __init__(self, settings: JudgingSettings) -> None:
        self._settings = settings

    def process(self, state: FleetState, slice_: Slice, now_ms: int) -> Outcome:
        """Take verdicts and acknowledgements in; other records are counted as dead-lettered."""
        del now_ms
        outcome = Outcome()
        for record in slice_.records:
            message = read_verdict(record.value) or read_acknowledgement(record.value)
            if message is None:
                outcome.dead_lettered += 1
                continue
            outcome.aggregated += 1
            told = (
                self._take(state, message)
                if isinstance(message, Verdict)
                else self._acknowledge(state, message)
            )
            for incident in told:
                outcome.rows.append(IncidentRow(incident))
                outcome.messages.append(_message(incident))
                outcome.is_urgent = True
        return outcome

    def _take(self, state: FleetState, verdict: Verdict) -> Iterator[Incident]:
        """The incidents that a verdict changes, and those that this groups anew."""
        history = begin_history(state, verdict.key)
        verdict = self._within_budget(state, verdict)
        changed = take(history, verdict, self._settings.threshold)
        for incident in changed:
            note_incident(state, incident)
            yield incident
        for incident in changed:
            yield from self._group_fleet(state, incident, verdict.judged_at)
            yield from self._group_shop(state, incident)

    def _within_budget(self, state: FleetState, verdict: Verdict) -> Verdict:
        """The verdict; taken for usual if the fleet makes too many for it to stand out."""
        if verdict.state != "unusual" or verdict.urgent:
            return verdict
        tests = tests_a_week(state)
        wanted = budget.opening_score(tests, self._settings.pages_per_week)
        others = note_discovery(state, verdict)
        if abs(verdict.score) >= wanted or budget.discovered(verdict.score, others, tests // 7):
            return verdict
        reason = f"{verdict.reason}; below {wanted:.1f}, which the budget of false alarms asks for"
        return msgspec.structs.replace(verdict, state="usual", reason=reason)

    def _group_fleet(self, state: FleetState, changed: Incident, now: int) -> Iterator[Incident]:
        """Open, change or close the incident of many shops that this one may belong to."""
        group = grouping.group_of(changed)
        if group is None:
            return
        wide = state.wide.get(group)
        known = wide if wide is not None and wide.status == "open" else None
        since = known.since if known else changed.since
        members = [one for one in open_in(state, group) if grouping.near(one, since)]
        shops = len(state.judged.get((group.event_type, group.kpi, group.span), ()))
        if known is None and not grouping.is_wide(members, shops):
            return
        if len(members) < grouping.STILL_MANY and known is not None:
            closed = msgspec.structs.replace(
                known,
                status="closed",
                until=changed.until or changed.last_bucket,
                revision=known.revision + 1,
                updated_at=now,
                reason="fewer shops than three are left in it",
            )
            yield from self._keep_wide(state, group, closed)
            return
        new = grouping.wide_incident(members, shops, known, now)
        if known is None or (known.value, known.last_bucket) != (new.value, new.last_bucket):
            yield from self._keep_wide(state, group, new)
        yield from self._attach(state, members, new.id)

    def _keep_wide(
        self, state: FleetState, group: grouping.Group, incident: Incident
    ) -> Iterator[Incident]:
        state.wide[group] = incident
        state.wide_changed = True
        yield incident

    def _group_shop(self, state: FleetState, changed: Incident) -> Iterator[Incident]:
        """Let the most upstream incident of a shop stand for the others.

        What is covered stays so when its cover closes, since both mostly end together; one that
        departs further then stands for itself again.
        """
        fleetwide = {one.id for one in state.wide.values() if one.status == "open"}
        for one, part_of in grouping.parts_of(open_of_shop(state, changed.key.shop), fleetwide):
            if part_of or one.id == changed.id:
                yield from self._attach(state, [one], part_of)

    def _attach(
        self, state: FleetState, incidents: list[Incident], part_of: str
    ) -> Iterator[Incident]:
        for one in incidents:
            history = history_of(state, one.key)
            told = attach(history, one.id, part_of) if history else None
            if told is not None:
                state.changed.add(one.key.shop)
                note_incident(state, told)
                yield told

    def _acknowledge(self, state: FleetState, message: Acknowledge) -> Iterator[Incident]:
        for group, wide in state.wide.items():
            if wide.id == message.incident_id and wide.acknowledged != message.kind:
                yield from self._keep_wide(
                    state,
                    group,
                    msgspec.structs.replace(
                        wide, acknowledged=message.kind, revision=wide.revision + 1
                    ),
                )
                return
        history = history_of(state, message.key)
        told = acknowledge(history, message.incident_id, message.kind) if history else None
        if told is not None:
            state.changed.add(told.key.shop)
            note_incident(state, told)
            yield told

    def settle(self, state: FleetState, fence: int, epoch: int, now_ms: int) -> Settled:
        """The shops that changed."""
        del fence, epoch, now_ms
        return Settled(changes=take_changes(state))

    def restore(self, states: Mapping[str, bytes]) -> FleetState:
        """The state from what `settle` returned.

        Raises:
            StateError: a value is damaged or was written by a newer version.
        """
        state = FleetState()
        for key in sorted(key for key in states if key.startswith("shop/")):
            histories = unpack(states[key], ShopHistories, VERSION, key)
            for history in histories.values():
                begin_history(state, history.key, history)
                for incident in history.incidents.values():
                    note_incident(state, incident)
        if "fleet" in states:
            stored = unpack(states["fleet"], StoredFleet, VERSION, "fleet")
            state.wide = dict(stored.wide)
            state.discoveries = stored.discoveries
        state.changed.clear()
        return state

    def announce(self, state: FleetState, fence: int, epoch: int) -> list[Message]:
        """The open and the recently closed incidents, again."""
        del fence, epoch
        told = [
            _message(incident)
            for histories in state.shops.values()
            for history in histories.values()
            for incident in history.incidents.values()
        ]
        return told + [_message(incident) for incident in state.wide.values()]


def read_verdict(value: bytes | None) -> Verdict | None:
    """A record of the verdicts topic, or ``None`` when it is no verdict."""
    try:
        return _verdicts.decode(value or b"")
    except (msgspec.DecodeError, ValueError):
        return None


def read_acknowledgement(value: bytes | None) -> Acknowledge | None:
    """A record of the verdicts topic, or ``None`` when it is no acknowledgement."""
    try:
        return _acknowledgements.decode(value or b"")
    except (msgspec.DecodeError, ValueError):
        return None


def _message(incident: Incident) -> Message:
    return Message(
        INCIDENTS_TOPIC,
        incident.id.encode(),
        _encode_incident(incident),
        headers=kafka_headers(incident),
    )
