"""What other settings would have said: COUNT's messages once more through JUDGE and FLEET."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from streamwatch.backtest.labels import Fault
from streamwatch.backtest.record import NOTHING_STORED, Record
from streamwatch.backtest.scorecard import Scorecard, score
from streamwatch.domain.messages import READINGS_TOPIC, VERDICTS_TOPIC, Message
from streamwatch.domain.records import FileRecord, PartitionId, Slice
from streamwatch.domain.settings import JudgingSettings
from streamwatch.runner.partition import Partition
from streamwatch.steps.judge import JudgeStep
from streamwatch.steps.judgestate import JudgeState, forget_changes
from streamwatch.steps.step import Outcome, Settled, Step


class UnstoredJudge:
    """JUDGE for a run that stores nothing, so that no state is encoded.

    Args:
        judge: the step.
        keep: whether to keep the slices that it is given, for others to be given the same.
    """

    name = JudgeStep.name
    accounted = JudgeStep.accounted

    def __init__(self, judge: JudgeStep, *, keep: bool = False) -> None:
        self._judge = judge
        self._keep = keep
        self.slices: list[Slice] = []

    def restore(self, states: Mapping[str, bytes]) -> JudgeState:
        """As JUDGE does."""
        return self._judge.restore(states)

    def process(self, state: JudgeState, slice_: Slice, now_ms: int) -> Outcome:
        """Keep the slice, then as JUDGE does."""
        if self._keep:
            self.slices.append(slice_)
        return self._judge.process(state, slice_, now_ms)

    def settle(self, state: JudgeState, fence: int, epoch: int, now_ms: int) -> Settled:
        """Nothing is written."""
        del fence, epoch, now_ms
        forget_changes(state)
        return Settled()

    def announce(self, state: JudgeState, fence: int, epoch: int) -> list[Message]:
        """As JUDGE does."""
        return self._judge.announce(state, fence, epoch)


def judge_again(slices: Sequence[Slice], judge: JudgeStep, fleet: Step[Any], now_ms: int) -> Record:
    """What these two steps say of what COUNT told; each slice is followed by a flush."""
    record = Record()
    unstored = UnstoredJudge(judge)
    judging = Partition(unstored, PartitionId("judge", READINGS_TOPIC, 0), NOTHING_STORED)
    grouping = Partition(fleet, PartitionId("fleet", VERDICTS_TOPIC, 0), NOTHING_STORED)
    offset = 0
    for slice_ in slices:
        told = _flushed(judging, slice_, now_ms, record)
        verdicts = [message.value for message in told if message.topic == VERDICTS_TOPIC]
        if verdicts:
            records = [FileRecord(offset + n, value) for n, value in enumerate(verdicts)]
            offset += len(records)
            _flushed(grouping, Slice(VERDICTS_TOPIC, 0, records), now_ms, record)
    return record


def _flushed(
    partition: Partition[Any], slice_: Slice, now_ms: int, record: Record
) -> Sequence[Message]:
    partition.process(slice_, now_ms)
    flush = partition.prepare(now_ms)
    if flush is None:
        return ()
    record.take(flush.rows)
    return partition.committed(flush)


GRIDS: dict[str, tuple[float, ...]] = {
    "threshold": (3.0, 3.5, 4.0, 4.5, 5.0, 6.0, 8.0),
    "volume_effect": (0.2, 0.35, 0.5, 0.7),
    "mean_effect": (0.005, 0.015, 0.03),
    "share_effect": (0.01, 0.02, 0.05),
    "mix_effect": (0.02, 0.05, 0.1),
    "pages_per_week": (1.0, 5.0, 20.0, 100.0),
    "hourly_from": (5.0, 20.0, 100.0),
    "warmup_days": (7, 14, 28),
}
"""Judging settings that a sweep can vary, and the values that it tries."""


class Candidate(msgspec.Struct, frozen=True):
    """One setting with one value, all others as configured."""

    setting: str
    value: float
    is_configured: bool
    judging: JudgingSettings


class Trial(msgspec.Struct, frozen=True):
    """A candidate and its scorecard."""

    candidate: Candidate
    scorecard: Scorecard


def candidates(configured: JudgingSettings, settings: Sequence[str]) -> list[Candidate]:
    """What a sweep over these settings tries, the configured values included.

    >>> [one.value for one in candidates(JudgingSettings(mean_effect=0.02), ["mean_effect"])]
    [0.005, 0.015, 0.02, 0.03]
    """
    return [
        Candidate(
            setting,
            value,
            value == getattr(configured, setting),
            msgspec.structs.replace(configured, **{setting: value}),
        )
        for setting in settings
        for value in sorted({*GRIDS[setting], getattr(configured, setting)})
    ]


def trial(candidate: Candidate, record: Record, faults: Sequence[Fault]) -> Trial:
    """The scorecard of a run under a candidate's settings."""
    return Trial(candidate, score(record, faults))
