"""Prometheus: the metrics of a worker."""
