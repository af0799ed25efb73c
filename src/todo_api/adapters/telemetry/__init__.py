"""Driven adapter: metrics and traces, for OpenTelemetry and for Prometheus."""
