"""Which revisions of incidents were delivered, remembered in the database over restarts."""

import msgspec

from streamwatch.domain.incidents import Incident
from streamwatch.domain.messages import INCIDENTS_TOPIC
from streamwatch.domain.records import PartitionId
from streamwatch.domain.statevalue import pack, unpack
from streamwatch.runner.ports import Flush, Store

VERSION = 1
MOST = 20_000
"""Incidents that are remembered; the oldest are forgotten, and are closed for long by then."""


class _Note(msgspec.Struct, frozen=True):
    revision: int
    updated_at: int


class Delivered:
    """The delivered revisions, as the state of a step of its own.

    The fence counts the deliveries, so that of two workers that both think to own FLEET only one
    can write; the other is told by `FenceLostError`, and reads again.

    Args:
        store: the database; called from one thread at a time.
        topic: the incidents topic as it is called on this cluster.
    """

    def __init__(self, store: Store, topic: str = INCIDENTS_TOPIC) -> None:
        self._store = store
        self._place = PartitionId("webhook", topic, 0)
        self._notes: dict[str, _Note] | None = None
        self._fence: int | None = None
        self._epoch = 0

    def has(self, incident: Incident) -> bool:
        """Whether this revision or a later one was delivered.

        Raises:
            DatabaseError: the database does not answer.
        """
        note = self._known().get(incident.id)
        return note is not None and note.revision >= incident.revision

    def add(self, incident: Incident) -> None:
        """This revision was delivered.

        Raises:
            DatabaseError: the database does not answer.
            FenceLostError: another worker delivers too.
        """
        notes = self._known()
        note = _Note(incident.revision, incident.updated_at)
        changes: dict[str, bytes | None] = {incident.id: pack(VERSION, note)}
        old: list[str] = []
        if len(notes) >= MOST:
            oldest = sorted(notes, key=lambda name: notes[name].updated_at)
            old = oldest[: MOST // 10]
            changes |= dict.fromkeys(old)
        self._store.commit(
            Flush(
                partition=self._place,
                fence_old=self._fence,
                fence_new=(self._fence or 0) + 1,
                epoch=self._epoch,
                topic_id="",
                changes=changes,
                rows=(),
                accounting=None,
            )
        )
        self._fence = (self._fence or 0) + 1
        for name in old:
            del notes[name]
        notes[incident.id] = note

    def forget(self) -> None:
        """Read from the database again at the next question."""
        self._notes = None

    def _known(self) -> dict[str, _Note]:
        if self._notes is None:
            stored = self._store.load(self._place)
            self._fence, self._epoch = stored.fence, stored.epoch
            self._notes = {
                key: unpack(value, _Note, VERSION, key) for key, value in stored.states.items()
            }
        return self._notes
