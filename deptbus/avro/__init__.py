"""Avro binary at the speed of the project: every schema becomes a function that writes it and one that reads it."""
