"""A broker that demands TLS and a password, and lets a user do only what it was granted."""

from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from tests.security.certificates import Authority

from streamwatch.adapters.local.kafka import LocalKafka, start_kafka
from streamwatch.adapters.local.process import free_port

SECRET_OF = "word-of-%s-0815"  # noqa: S105  of a broker that lives as long as a test
USERS = ("streamwatch", "stranger")


class SecureBroker(msgspec.Struct, frozen=True):
    """A broker with a door for its operator and guarded ones.

    Attributes:
        operator: a plain listener, whose users may do everything.
        sasl: the address that demands TLS and a password.
        mutual: the address that demands TLS and a certificate.
        authority: who issued its certificate.
    """

    operator: str
    sasl: str
    mutual: str
    authority: Authority


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="session")
def secure_broker(
    tmp_path_factory: pytest.TempPathFactory, jars: Path, authority: Authority
) -> Iterator[SecureBroker]:
    plain, sasl, mutual, controller = (free_port() for _ in range(4))
    folder = tmp_path_factory.mktemp("secure-kafka")
    store = folder / "broker.pem"
    certificate, key = authority.issue("broker")
    store.write_text(key.read_text() + certificate.read_text())
    users = " ".join(f'user_{name}="{SECRET_OF % name}"' for name in USERS)
    broker: LocalKafka = start_kafka(
        folder,
        port=plain,
        jars=jars,
        native=True,
        properties={
            "listeners": f"PLAINTEXT://127.0.0.1:{plain},CONTROLLER://127.0.0.1:{controller},"
            f"SASL://127.0.0.1:{sasl},MUTUAL://127.0.0.1:{mutual}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{plain},SASL://127.0.0.1:{sasl},"
            f"MUTUAL://127.0.0.1:{mutual}",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,"
            "SASL:SASL_SSL,MUTUAL:SSL",
            "controller.quorum.voters": f"1@127.0.0.1:{controller}",
            "ssl.keystore.type": "PEM",
            "ssl.keystore.location": str(store),
            "ssl.truststore.type": "PEM",
            "ssl.truststore.location": str(authority.certificate),
            "listener.name.mutual.ssl.client.auth": "required",
            "listener.name.sasl.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-512",
            "listener.name.sasl.plain.sasl.jaas.config": "org.apache.kafka.common.security.plain."
            f"PlainLoginModule required {users};",
            "listener.name.sasl.scram-sha-512.sasl.jaas.config": "org.apache.kafka.common.security."
            "scram.ScramLoginModule required;",
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
        },
    )
    yield SecureBroker(f"127.0.0.1:{plain}", f"127.0.0.1:{sasl}", f"127.0.0.1:{mutual}", authority)
    broker.remove()
