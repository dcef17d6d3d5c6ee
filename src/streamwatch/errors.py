"""Every error that streamwatch raises on purpose.

    StreamwatchError
    ├── ConfigurationError     a file that people wrote is wrong          exit code 2
    ├── ServiceError           something outside does not answer          exit code 3
    │   ├── BrokerError        Kafka: not reachable, topic missing
    │   ├── DatabaseError      SQL: not reachable, not migrated
    │   └── RegistryError      the schema registry: not reachable
    ├── FenceLostError         another worker owns the partition now
    └── StateError             a stored state cannot be read

What is wrong with a *record* is not an error but data: see `domain.refusals`.
"""


class StreamwatchError(Exception):
    """Root of the tree; its text says what is wrong, where, and what to do."""

    exit_code = 3


class ConfigurationError(StreamwatchError):
    """A configuration file is wrong; the text begins with ``file:line:``."""

    exit_code = 2


class ServiceError(StreamwatchError):
    """A service that streamwatch depends on does not answer as it should."""


class BrokerError(ServiceError):
    """Kafka cannot be reached, or lacks a topic or a right."""


class DatabaseError(ServiceError):
    """The SQL database cannot be reached, is not migrated or refuses a write."""


class RegistryError(ServiceError):
    """The schema registry does not answer as it should; asking again may help."""


class FenceLostError(StreamwatchError):
    """The partition's fence moved under us: another worker owns it, so drop and reload."""


class StateError(StreamwatchError):
    """A stored state row is damaged or was written by a newer version."""
