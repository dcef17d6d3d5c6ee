"""How Kafka is reached: its addresses, TLS and SASL, in the words of the three client libraries."""

import ssl
from pathlib import Path
from typing import Any

from faust.auth import Credentials, SASLCredentials, SSLCredentials

from streamwatch.domain.settings import KafkaSettings
from streamwatch.errors import ConfigurationError

Broker = KafkaSettings | str
"""The settings of a broker; or only its address, where it asks for neither TLS nor SASL."""


def address_of(broker: Broker) -> str:
    """``host:port``, several joined by commas."""
    return broker if isinstance(broker, str) else broker.bootstrap


def client_options(broker: Broker) -> dict[str, Any]:
    """What kafka-python and aiokafka, which share the names, are made with.

    >>> client_options("localhost:9092")
    {'bootstrap_servers': ['localhost:9092']}

    Raises:
        ConfigurationError: a file cannot be read or used; secrets are never part of the text.
    """
    options: dict[str, Any] = {"bootstrap_servers": address_of(broker).split(",")}
    if isinstance(broker, str) or not (broker.tls or broker.sasl):
        return options
    names = ["SASL"] * bool(broker.sasl) + ["SSL" if broker.tls else "PLAINTEXT"]
    options["security_protocol"] = "_".join(names)
    if broker.tls:
        options["ssl_context"] = tls_context(broker)
    if broker.sasl:
        options["sasl_mechanism"] = broker.sasl
        options["sasl_plain_username"] = broker.user
        options["sasl_plain_password"] = _password(broker)
    return options


def faust_credentials(kafka: KafkaSettings) -> Credentials | None:
    """What Faust is made with; ``None`` for a plain connection.

    Raises:
        ConfigurationError: a file cannot be read or used.
    """
    context = tls_context(kafka) if kafka.tls else None
    if kafka.sasl:
        return SASLCredentials(
            username=kafka.user,
            password=_password(kafka),
            ssl_context=context,
            mechanism=kafka.sasl,
        )
    return None if context is None else SSLCredentials(context)


def tls_context(kafka: KafkaSettings) -> ssl.SSLContext:
    """TLS 1.2 or newer; the broker's certificate and name are always checked.

    Raises:
        ConfigurationError: a file cannot be read or holds no certificate or key.
    """
    try:
        context = ssl.create_default_context(cafile=kafka.ca_file or None)
    except (OSError, ssl.SSLError) as error:
        raise _unusable("ca_file", kafka.ca_file, error) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if kafka.certificate_file:
        try:
            context.load_cert_chain(kafka.certificate_file, kafka.key_file or None)
        except (OSError, ssl.SSLError) as error:
            names = f"{kafka.certificate_file} and {kafka.key_file or 'its key'}"
            raise _unusable("certificate_file", names, error) from error
    return context


def _password(kafka: KafkaSettings) -> str:
    try:
        return Path(kafka.password_file).read_text(encoding="utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        raise _unusable("password_file", kafka.password_file, error) from None


def _unusable(key: str, file: str, error: Exception) -> ConfigurationError:
    why = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return ConfigurationError(f"kafka.{key}: {file or 'the name of a file'} cannot be used: {why}")
