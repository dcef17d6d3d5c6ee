"""Kafka: the Faust worker, the slice driver, topics."""
