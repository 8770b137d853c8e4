"""Our side of measurements, each a process."""
