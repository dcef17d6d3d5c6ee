"""The heartbeat of one source partition: how far it is read, and what time it is there."""

from streamwatch.domain.messages import Heartbeat
from streamwatch.steps.count import CountStep
from streamwatch.steps.countstate import CountState


def heartbeat(
    step: CountStep, state: CountState, position: tuple[int, int, int], lag: int, now_ms: int
) -> Heartbeat | None:
    """The heartbeat now, or ``None`` for a partition without any record.

    It tells only what the last flush included: a clock that ran ahead of the partials would
    let JUDGE close buckets of which it has not seen the records.

    A partition whose records nobody has read yet stands at 0, so that it holds back the
    judging until it is as far as the others.

    Where nothing waits, the partition's clock goes on from its last record at the pace of the
    wall clock: a partition that is read live so stands at the present, also when it is
    quiet, and one that is replayed in the past stands there.

    Args:
        step: the partition's step.
        state: its state.
        position: partition number, fence and epoch.
        lag: records that wait behind the fence.
        now_ms: the wall clock, milliseconds.
    """
    progress = state.progress
    if not state.settled_arrival and lag == 0:
        return None
    partition, fence, epoch = position
    since = max(0, now_ms - progress.received) if lag == 0 else 0
    return Heartbeat(
        event_type=step.source.event_type.name,
        topic=step.source.topic,
        partition=partition,
        next_offset=fence,
        lag=lag,
        clock=state.settled_arrival + since,
        sent=now_ms,
        epoch=epoch,
    )
