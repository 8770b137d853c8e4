"""The peers' side of measurements, each a process in the peers' own environment: imports nothing of ours but
``bench.suite.child`` and, where both sides must do the very same, the pure core."""
