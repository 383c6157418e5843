"""Observing calls: statistics, tracing, health, metrics. Knows nothing of managers and services."""
