"""OpenTelemetry traces, when they are asked for."""
