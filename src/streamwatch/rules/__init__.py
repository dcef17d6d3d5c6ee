"""From the settings to the files of Prometheus, Alertmanager and Grafana; nothing is written."""
