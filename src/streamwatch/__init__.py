"""streamwatch: every shop's normal on a Kafka stream, and the stage where a shift came in."""

__version__ = "0.1.0"
