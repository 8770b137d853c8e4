"""Measures the bus beside its peers: `make bench`."""
