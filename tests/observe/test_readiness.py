"""When a worker of ``advance`` says that it is ready."""

from dataclasses import dataclass

from deptbus.streams.advance import Advance
from deptbus.streams.owner import Done


@dataclass
class _Owner:
    restored: float


@dataclass
class _Lane:
    owner: _Owner
    done: Done | None = None


def test_a_partition_that_is_being_restored_is_not_ready() -> None:
    advance = Advance.__new__(Advance)
    fresh, again = _Lane(_Owner(0.4)), _Lane(_Owner(0.9), Done(7, None, 0))
    advance._lanes = {2: fresh, 3: again, 5: _Lane(_Owner(1.0), Done(7, None, 0))}  # type: ignore[dict-item]
    assert advance.unready() == ["partition 2 is being restored", "partition 3 is being restored"]
    fresh.owner.restored = again.owner.restored = 1.0
    assert advance.unready() == ["partition 2 is being restored"], "what was missed meanwhile is caught up first"
    fresh.done = Done(0, None, 0)
    assert advance.unready() == []
