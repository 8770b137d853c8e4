"""Typed events of the bus's own owners, written by `deptbus schemas generate`."""
