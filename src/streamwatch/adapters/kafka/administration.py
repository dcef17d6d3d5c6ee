"""A connection to Kafka for questions and orders, whose errors are clear sentences."""

import logging
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from kafka import KafkaAdminClient
from kafka.errors import AuthorizationError, KafkaError

from streamwatch.adapters.kafka.security import Broker, address_of, client_options
from streamwatch.errors import BrokerError, ConfigurationError

PATIENCE_S = 10
"""How long an answer is waited for."""


@contextmanager
def administration(broker: Broker) -> Iterator[Any]:
    """kafka-python's admin client; its errors come out in one clear sentence.

    Raises:
        BrokerError: Kafka does not answer within `PATIENCE_S`, or refuses.
        ConfigurationError: the address is not ``host:port``, or a file cannot be used.
    """
    bootstrap = address_of(broker)
    options = client_options(broker)
    check_listening(bootstrap, options.get("ssl_context"))
    milliseconds = int(PATIENCE_S * 1000)
    refused = refused_user(broker)
    with silent("kafka"), translated(bootstrap, refused):
        admin = KafkaAdminClient(
            **options,
            bootstrap_timeout_ms=milliseconds,
            request_timeout_ms=milliseconds,
        )
        try:
            yield admin
        finally:
            admin.close()


@contextmanager
def translated(bootstrap: str, refused: str = "") -> Iterator[None]:
    """Turn kafka-python's errors into `BrokerError`.

    Args:
        bootstrap: the broker's addresses.
        refused: what is added where no answer may be a refusal.
    """
    try:
        yield
    except AuthorizationError as error:
        raise BrokerError(
            f"Kafka at {bootstrap} refuses: {error}: grant this user the right"
        ) from error
    except KafkaError as error:
        retriable = getattr(error, "retriable", False)
        raise BrokerError(
            no_answer(bootstrap) + refused if retriable else f"Kafka at {bootstrap}: {error}"
        ) from error


def refused_user(broker: Broker) -> str:
    """Kafka says nothing to a user whom it does not let in, so that is told as well."""
    if isinstance(broker, str) or not broker.sasl:
        return ""
    return (
        f"; or it refuses the user {broker.user} ({broker.sasl}): check kafka.sasl, kafka.user and "
        "the file kafka.password_file"
    )


def no_answer(bootstrap: str) -> str:
    """What is said when Kafka cannot be reached."""
    return f"Kafka at {bootstrap} does not answer: start it, or set STREAMWATCH_KAFKA_BOOTSTRAP"


@contextmanager
def silent(name: str) -> Iterator[None]:
    """Keep a client library's own log quiet: its errors are told once, in our words."""
    log = logging.getLogger(name)
    before = log.level
    log.setLevel(logging.CRITICAL + 1)
    try:
        yield
    finally:
        log.setLevel(before)


def check_listening(bootstrap: str, context: ssl.SSLContext | None = None) -> None:
    """Nothing, when anybody listens; else it is told at once, where clients try for seconds.

    Args:
        bootstrap: the addresses.
        context: how TLS is spoken; ``None`` where it is not.

    Raises:
        BrokerError: nobody listens at any of the addresses, or the certificate is not right.
        ConfigurationError: an address is not ``host:port``.
    """
    for address in bootstrap.split(","):
        host, colon, port = address.strip().rpartition(":")
        if not (colon and host and port.isdecimal()):
            raise ConfigurationError(f"kafka.bootstrap: {address!r} is not host:port")
        try:
            _connect(host.strip("[]"), int(port), context)
        except ssl.SSLCertVerificationError as error:
            raise BrokerError(
                f"the certificate of Kafka at {address.strip()} is not trusted "
                f"({error.verify_message}): set kafka.ca_file, or correct the broker's name"
            ) from error
        except ssl.SSLError as error:
            raise BrokerError(
                f"Kafka at {address.strip()} does not speak TLS as we do ({error.reason}): check "
                "the port, kafka.tls and kafka.certificate_file"
            ) from error
        except (OSError, OverflowError):
            continue
        return
    raise BrokerError(no_answer(bootstrap))


def _connect(host: str, port: int, context: ssl.SSLContext | None) -> None:
    with socket.create_connection((host, port), PATIENCE_S / 2) as plain:
        if context is not None:
            context.wrap_socket(plain, server_hostname=host).close()
