"""What tests of services use: the bus in memory, and ways to wait."""

from deptbus.testing.audit import memory_auditor
from deptbus.testing.memory import MemoryBroker
from deptbus.testing.waiting import run_until, running, together, wait_until

__all__ = ["MemoryBroker", "memory_auditor", "run_until", "running", "together", "wait_until"]
