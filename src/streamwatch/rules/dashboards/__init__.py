"""Grafana dashboards, one a file, made of panels."""
