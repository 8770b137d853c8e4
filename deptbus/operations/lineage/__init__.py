"""Lineage: what an event follows from, what follows from it, by what right, who handled it and where it failed."""
