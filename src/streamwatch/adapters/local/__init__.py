"""Kafka and PostgreSQL on this machine, for the demo, the tests and development.

Docker Compose carries them where a Docker engine answers; otherwise they run as plain processes
of the user. All data lies under one folder, and only processes started from here are stopped.
"""
