"""What a process tells of itself: metrics for Prometheus, health over HTTP, traces by OpenTelemetry."""
