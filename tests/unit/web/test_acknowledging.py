"""Acknowledging: stored for good, silenced while it lasts, told to the judges."""

from collections.abc import Mapping, Sequence

import msgspec
import pytest
from sqlalchemy import Engine
from tests.unit.web.fleet_of_shops import NOW, SINCE, incident, write

from streamwatch.adapters.acknowledging import (
    Outcome,
    acknowledge,
    keep_silences,
    silenced_labels,
    words_on,
)
from streamwatch.adapters.sql.acknowledgements import acknowledgements_of
from streamwatch.adapters.sql.incidents import covered_by
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.domain.acknowledgements import KINDS
from streamwatch.domain.incidents import Incident
from streamwatch.domain.messages import Acknowledge
from streamwatch.domain.records import PartitionId
from streamwatch.domain.rows import IncidentRow
from streamwatch.errors import BrokerError, ServiceError
from streamwatch.runner.ports import Flush

HOUR = 3_600_000


class FakeAlertmanager:
    """Holds silences as Alertmanager does: by id, until they end."""

    def __init__(self) -> None:
        self.silences: dict[str, tuple[dict[str, str], int]] = {}
        self.made = 0
        self.is_away = False

    def silence(
        self, labels: Mapping[str, str], ends: int, who: str, comment: str, renewed: str
    ) -> str:
        assert who
        assert comment
        self._answer()
        if renewed not in self.silences:
            self.made += 1
            renewed = f"silence-{self.made}"
        self.silences[renewed] = (dict(labels), ends)
        return renewed

    def lift(self, silence: str) -> None:
        self._answer()
        self.silences.pop(silence, None)

    def _answer(self) -> None:
        if self.is_away:
            raise ServiceError("Alertmanager at fake does not answer")


def say(
    engine: Engine, one: Incident, silencer: FakeAlertmanager | None, **more: object
) -> Outcome:
    return acknowledge(
        engine, silencer, one, "expected", "a sale", "Ada",
        now_ms=NOW, silence_ms=24 * HOUR, **more,  # type: ignore[arg-type]
    )  # fmt: skip


def close(engine: Engine, one: Incident) -> None:
    closed = msgspec.structs.replace(one, status="closed", until=NOW, revision=one.revision + 1)
    write(engine, IncidentRow(closed))


def judged_on_kafka(engine: Engine) -> None:
    store = SqlStore(engine, now_ms=lambda: NOW)
    place = PartitionId("judge", "streamwatch.readings", 0)
    store.commit(Flush(place, None, 1, 0, "topic-id-of-kafka", {}, (), None))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_stored_with_who_and_when(engine: Engine, kind: str) -> None:
    found = incident()
    write(engine, IncidentRow(found))
    one = next(known for known in KINDS if known == kind)
    acknowledge(engine, None, found, one, "why", "Ada", now_ms=NOW, silence_ms=HOUR)
    (said,) = acknowledgements_of(engine, [found.id])
    assert (said.kind, said.note, said.who, said.at, said.silence) == (kind, "why", "Ada", NOW, "")


def test_words_are_only_ever_added(engine: Engine) -> None:
    found = incident()
    write(engine, IncidentRow(found))
    for _ in range(3):
        say(engine, found, None)
    assert [one.id for one in acknowledgements_of(engine, [found.id])] == [3, 2, 1]


def test_an_open_incident_is_silenced_by_its_labels(engine: Engine) -> None:
    found, fake = incident(), FakeAlertmanager()
    write(engine, IncidentRow(found))
    outcome = say(engine, found, fake)
    assert outcome.failed == ()
    assert outcome.acknowledgement.silence == "silence-1"
    labels, ends = fake.silences["silence-1"]
    assert labels == {
        "shop": "shop-002", "event_type": "widget-event", "kpi": "mean.height", "direction": "low",
    }  # fmt: skip
    assert ends == NOW + 24 * HOUR


def test_a_segment_is_silenced_alone_and_the_fleet_over_all_shops() -> None:
    assert silenced_labels(incident(segment="gender=female"))["segment"] == "gender=female"
    assert silenced_labels(incident("*")) == {
        "alertname": "PipelineDeparture",
        "event_type": "widget-event",
        "kpi": "mean.height",
        "direction": "low",
    }


def test_a_closed_incident_is_labelled_and_not_silenced(engine: Engine) -> None:
    found, fake = incident(until=NOW), FakeAlertmanager()
    write(engine, IncidentRow(found))
    say(engine, found, fake)
    assert fake.silences == {}
    assert len(acknowledgements_of(engine, [found.id])) == 1


def test_a_silence_is_lifted_when_its_incident_closes(engine: Engine) -> None:
    found, fake = incident(), FakeAlertmanager()
    write(engine, IncidentRow(found))
    say(engine, found, fake)
    assert keep_silences(engine, fake, now_ms=NOW + HOUR, silence_ms=24 * HOUR).lifted == 0
    close(engine, found)
    kept = keep_silences(engine, fake, now_ms=NOW + 2 * HOUR, silence_ms=24 * HOUR)
    assert (kept.lifted, fake.silences) == (1, {})
    again = keep_silences(engine, fake, now_ms=NOW + 2 * HOUR, silence_ms=24 * HOUR)
    assert (again.renewed, again.lifted) == (0, 0)


def test_a_silence_is_prolonged_while_its_incident_lasts(engine: Engine) -> None:
    found, fake = incident(), FakeAlertmanager()
    write(engine, IncidentRow(found))
    say(engine, found, fake)
    for hours in range(0, 100, 6):
        keep_silences(engine, fake, now_ms=NOW + hours * HOUR, silence_ms=24 * HOUR)
        assert fake.silences["silence-1"][1] > NOW + (hours + 6) * HOUR
    assert fake.made == 1


def test_a_later_word_takes_the_silence_over(engine: Engine) -> None:
    found, fake = incident(), FakeAlertmanager()
    write(engine, IncidentRow(found))
    say(engine, found, fake)
    say(engine, found, fake)
    assert list(fake.silences) == ["silence-2"]
    newest, before = acknowledgements_of(engine, [found.id])
    assert (newest.silence, before.silence) == ("silence-2", "")


def test_when_alertmanager_is_away_the_word_stands_and_the_silence_follows(
    engine: Engine,
) -> None:
    found, fake = incident(), FakeAlertmanager()
    write(engine, IncidentRow(found))
    fake.is_away = True
    outcome = say(engine, found, fake)
    assert "not silenced, tried again every minute" in outcome.failed[0]
    assert len(acknowledgements_of(engine, [found.id])) == 1
    fake.is_away = False
    assert keep_silences(engine, fake, now_ms=NOW, silence_ms=HOUR).renewed == 1
    assert list(fake.silences) == ["silence-1"]


def test_the_judges_are_told_of_the_incident_and_of_what_it_covers(engine: Engine) -> None:
    found, cut = incident(), incident(segment="gender=female")
    others = [incident("shop-009"), incident(kpi="volume"), incident(until=NOW, since=SINCE - HOUR)]
    write(engine, *(IncidentRow(one) for one in (found, cut, *others)))
    judged_on_kafka(engine)
    told: list[Acknowledge] = []
    outcome = say(engine, found, None, tell=told.extend)
    assert [one.incident_id for one in told] == [found.id, cut.id]
    assert told[0] == Acknowledge(
        found.id, "expected", found.key, SINCE, found.last_bucket, 66.6, 169.8, -12.7, NOW
    )
    assert "repair the baseline" in outcome.done[-1]


def test_an_incident_of_many_shops_repairs_each_of_them(engine: Engine) -> None:
    wide = incident("*")
    parts = [msgspec.structs.replace(incident(f"shop-{n}"), part_of=wide.id) for n in (1, 2)]
    write(engine, IncidentRow(wide), *(IncidentRow(one) for one in (*parts, incident("shop-3"))))
    assert [one.key.shop for one in covered_by(engine, wide)] == ["shop-1", "shop-2"]


def test_without_kafka_nobody_is_told(engine: Engine) -> None:
    found = incident()
    write(engine, IncidentRow(found))

    def refuse(_: Sequence[Acknowledge]) -> None:
        raise AssertionError("there is no judge on Kafka")

    assert say(engine, found, None, tell=refuse).failed == ()


def test_when_kafka_is_away_the_word_stands(engine: Engine) -> None:
    found = incident()
    write(engine, IncidentRow(found))
    judged_on_kafka(engine)

    def away(_: Sequence[Acknowledge]) -> None:
        raise BrokerError("Kafka does not answer")

    outcome = say(engine, found, None, tell=away)
    assert "acknowledge again later" in outcome.failed[0]
    assert len(acknowledgements_of(engine, [found.id])) == 1


def test_what_cannot_repair_is_not_told() -> None:
    unknown = msgspec.structs.replace(incident(), value=float("nan"))
    assert words_on(unknown, [incident("other", score=float("nan"))], "expected", NOW) == [
        Acknowledge(
            incident("other").id, "expected", incident("other").key, SINCE,
            incident().last_bucket, 66.6, 169.8, 0.0, NOW,
        )
    ]  # fmt: skip
