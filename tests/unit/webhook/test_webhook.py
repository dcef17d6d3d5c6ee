import logging
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest
from tests.receiver import Receiver, receiver

from streamwatch.adapters.delivered import MOST, Delivered
from streamwatch.adapters.sql.engine import create_engine_for
from streamwatch.adapters.sql.migrations import upgrade
from streamwatch.adapters.sql.store import SqlStore
from streamwatch.adapters.webhook import Outcome, Webhook, load_token
from streamwatch.domain.alerting_settings import WebhookSettings
from streamwatch.domain.cloudevents import kafka_headers
from streamwatch.domain.incidents import Incident, Status
from streamwatch.domain.messages import INCIDENTS_TOPIC, Message
from streamwatch.domain.readings import KpiKey
from streamwatch.errors import ConfigurationError, DatabaseError, FenceLostError
from streamwatch.runner.memory import MemoryStore
from streamwatch.runner.ports import Flush

TOKEN = "0a1b2c"  # noqa: S105


def _incident(
    shop: str = "shop-001", revision: int = 1, status: Status = "open", updated_at: int = 1_000
) -> Incident:
    return Incident(
        id=f"{shop}/purchase/volume/all/day/low@0",
        key=KpiKey(shop, "purchase", "volume"),
        direction="low",
        status=status,
        since=0,
        until=None,
        last_bucket=0,
        value=1.0,
        expected=9.0,
        lower=5.0,
        upper=13.0,
        score=-7.0,
        buckets=1,
        reason="far below",
        revision=revision,
        updated_at=updated_at,
    )


def _messages(*incidents: Incident) -> list[Message]:
    encode = msgspec.json.encode
    return [Message(INCIDENTS_TOPIC, one.id.encode(), encode(one)) for one in incidents]


@pytest.fixture(name="site")
def _site() -> Iterator[Receiver]:
    with receiver() as made:
        yield made


class Posting:
    """Makes webhooks, counts outcomes, stops them all."""

    def __init__(self, site: Receiver) -> None:
        self.outcomes: list[Outcome] = []
        self._site = site
        self._made: list[Webhook] = []

    def __call__(self, delivered: Delivered, token: str = "", url: str = "") -> Webhook:
        settings = WebhookSettings(url=url or f"{self._site.url}/hook", timeout=2_000)
        webhook = Webhook(settings, token, delivered, self.outcomes.append, first_pause_s=0.01)
        self._made.append(webhook)
        return webhook

    def wait_for(self, outcomes: int) -> list[Outcome]:
        _wait(lambda: len(self.outcomes) >= outcomes)
        return self.outcomes

    def stop(self) -> None:
        for webhook in self._made:
            webhook.stop()


@pytest.fixture(name="posting")
def _posting(site: Receiver) -> Iterator[Posting]:
    made = Posting(site)
    yield made
    made.stop()


def _wait(condition: Callable[[], bool], seconds: float = 20.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_an_incident_is_posted_as_a_cloud_event(site: Receiver, posting: Posting) -> None:
    posting(Delivered(MemoryStore()), token=TOKEN).offer(_messages(_incident("Schuhe Köln")))
    (post,) = site.wait_for(1)
    assert post.path == "/hook"
    assert post.headers["ce-specversion"] == "1.0"
    assert post.headers["ce-id"] == "Schuhe%20K%C3%B6ln/purchase/volume/all/day/low@0/1"
    assert post.headers["ce-type"] == "streamwatch.incident.open"
    assert post.headers["ce-source"] == "/streamwatch/fleet"
    assert post.headers["ce-time"] == "1970-01-01T00:00:01+00:00"
    assert post.headers["content-type"] == "application/json"
    assert post.headers["authorization"] == f"Bearer {TOKEN}"
    assert msgspec.convert(post.body, Incident) == _incident("Schuhe Köln")


def test_a_revision_that_comes_again_is_posted_once(site: Receiver, posting: Posting) -> None:
    webhook = posting(Delivered(MemoryStore()))
    webhook.offer(_messages(_incident()))
    site.wait_for(1)
    webhook.offer(_messages(_incident(), _incident("shop-002")))
    webhook.offer(_messages(_incident(revision=2, status="closed")))
    posts = site.wait_for(3)
    told = {(one.body["key"]["shop"], one.body["revision"], one.body["status"]) for one in posts}
    assert told == {("shop-001", 1, "open"), ("shop-002", 1, "open"), ("shop-001", 2, "closed")}


def test_the_next_owner_posts_nothing_again(
    tmp_path: Path, site: Receiver, posting: Posting
) -> None:
    database = f"sqlite:///{tmp_path / 'a.db'}"
    upgrade(database)
    engine = create_engine_for(database)
    first = posting(Delivered(SqlStore(engine)))
    first.offer(_messages(_incident()))
    posting.wait_for(1)
    first.stop()
    posting(Delivered(SqlStore(engine))).offer(_messages(_incident(), _incident("shop-002")))
    posts = site.wait_for(2)
    assert [post.body["key"]["shop"] for post in posts] == ["shop-001", "shop-002"]
    posting.stop()
    engine.dispose()


@pytest.mark.parametrize("code", [500, 503, 429, 408])
def test_a_receiver_in_trouble_is_asked_again_and_gets_the_newest(
    site: Receiver, posting: Posting, code: int
) -> None:
    site.answers = [code, code]
    posting(Delivered(MemoryStore())).offer(_messages(_incident()))
    assert posting.wait_for(3) == ["failed", "failed", "delivered"]
    assert len(site.posts) == 3


@pytest.mark.parametrize("code", [400, 401, 404, 302])
def test_what_the_receiver_does_not_want_is_not_posted_again(
    site: Receiver, posting: Posting, code: int, caplog: pytest.LogCaptureFixture
) -> None:
    site.answers = [code]
    webhook = posting(Delivered(MemoryStore()))
    with caplog.at_level(logging.WARNING):
        webhook.offer(_messages(_incident()))
        assert posting.wait_for(1) == ["refused"]
        webhook.offer(_messages(_incident(), _incident(revision=2)))
        assert posting.wait_for(2) == ["refused", "delivered"]
    assert [post.body["revision"] for post in site.posts] == [1, 2]
    assert f"it answered {code}" in caplog.text
    assert site.url not in caplog.text, "an address may hold a secret"


def test_a_receiver_that_does_not_listen_stops_nothing(posting: Posting) -> None:
    webhook = posting(Delivered(MemoryStore()), url="http://127.0.0.1:1/hook")
    webhook.offer(_messages(_incident()))
    assert set(posting.wait_for(3)) == {"failed"}
    webhook.stop()


def test_while_the_receiver_is_away_only_the_newest_revision_waits(
    site: Receiver, posting: Posting
) -> None:
    site.answers = [500]
    webhook = posting(Delivered(MemoryStore()))
    webhook.offer(_messages(*(_incident(revision=number) for number in range(1, 50))))
    posting.wait_for(2)
    assert [post.body["revision"] for post in site.posts] == [49, 49]


def test_a_database_that_is_away_is_waited_for(site: Receiver, posting: Posting) -> None:
    class Away(MemoryStore):
        failures = 3

        def commit(self, flush: Flush) -> None:
            self.failures -= 1
            if self.failures >= 0:
                raise DatabaseError("the database does not answer")
            super().commit(flush)

    store = Away()
    posting(Delivered(store)).offer(_messages(_incident()))
    _wait(lambda: Delivered(store).has(_incident()))
    assert {post.headers["ce-id"] for post in site.posts} == {f"{_incident().id}/1"}


def test_what_waits_is_left_to_the_next_owner(site: Receiver, posting: Posting) -> None:
    site.answers = [500] * 1_000
    webhook = posting(Delivered(MemoryStore()))
    webhook.offer(_messages(_incident("shop-001"), _incident("shop-002")))
    site.wait_for(2)
    webhook.clear()
    webhook.offer(_messages(_incident("shop-003")))
    _wait(lambda: site.posts[-1].body["key"]["shop"] == "shop-003")
    assert posting.outcomes[-1] == "failed"


def test_of_two_who_think_to_deliver_one_is_told() -> None:
    store = MemoryStore()
    one, other = Delivered(store), Delivered(store)
    assert not one.has(_incident())
    assert not other.has(_incident())
    one.add(_incident())
    with pytest.raises(FenceLostError):
        other.add(_incident())
    other.forget()
    assert other.has(_incident())


def test_the_oldest_deliveries_are_forgotten_in_the_end() -> None:
    delivered = Delivered(MemoryStore())
    for number in range(MOST + 1):
        delivered.add(_incident(f"shop-{number}", updated_at=number))
    assert not delivered.has(_incident("shop-0"))
    assert delivered.has(_incident(f"shop-{MOST // 2}"))
    assert delivered.has(_incident(f"shop-{MOST}"))


def test_the_token_comes_from_the_environment_or_a_file(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text("from-file\n")
    assert load_token({}) == ""
    assert load_token({"STREAMWATCH_WEBHOOK_TOKEN_FILE": str(file)}) == "from-file"
    both = {"STREAMWATCH_WEBHOOK_TOKEN": "direct", "STREAMWATCH_WEBHOOK_TOKEN_FILE": str(file)}
    assert load_token(both) == "direct"
    with pytest.raises(ConfigurationError, match="cannot be read"):
        load_token({"STREAMWATCH_WEBHOOK_TOKEN_FILE": str(tmp_path / "none")})
    with pytest.raises(ConfigurationError, match="printable") as caught:
        load_token({"STREAMWATCH_WEBHOOK_TOKEN": "two\nlines"})
    assert "two" not in str(caught.value)


def test_a_message_on_kafka_carries_the_same_attributes() -> None:
    headers = dict(kafka_headers(_incident("Köln")))
    assert headers["ce_id"].decode() == "Köln/purchase/volume/all/day/low@0/1"
    assert headers["ce_specversion"] == b"1.0"
    assert headers["ce_subject"].decode() == "Köln"
    assert headers["content-type"] == b"application/json"
