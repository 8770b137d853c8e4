"""How much a partition holds, kept up as its states change, so that to tell costs nothing. Pure.

A restored instance is not decoded before something touches it, so what is asked in it is not known: it is uncounted
until then, or until somebody has the time to count it (``States.count``).
"""

from collections.abc import Mapping

from deptbus.workflow.output import Snapshot
from deptbus.workflow.state import Instance, KeyState

Asked = tuple[int, int]
"""How many tasks of an instance are open, and how many of these were escalated for a deadline that passed."""

_DEADLINES = ("acknowledge_by", "complete_by")


class Tally:
    """See the module. By workflow; read from any thread."""

    def __init__(self) -> None:
        self.instances: dict[str, int] = {}
        """Open ones."""
        self.tasks: dict[str, int] = {}
        """Of open instances, as far as they are counted."""
        self.overdue: dict[str, int] = {}
        """Of these tasks those with a deadline that passed."""
        self.bytes = 0
        """Of all snapshots."""
        self.uncounted: set[str] = set()
        """Names of open instances of which only that is known."""
        self._asked: dict[str, Asked] = {}
        """By name, of what is counted."""
        self._unsized: list[Snapshot] = []

    def restored(self, instances: Mapping[str, bytes | Snapshot], keys: Mapping[str, bytes | Snapshot]) -> None:
        """These stand, by name; none is looked into."""
        for name in instances:
            _add(self.instances, name, 1)
        self.uncounted = set(instances)
        self.bytes = sum(len(_value(one)) for held in (instances, keys) for one in held.values())

    def put(self, name: str, state: KeyState, replaced: bytes | Snapshot | None, snapshot: Snapshot | None) -> None:
        """The instance of a key has another snapshot, or where there is none and no instance, none any more."""
        if snapshot is None:
            if replaced is not None and state.instance is None:
                self.bytes -= len(_value(replaced))
                _add(self.instances, name, -1)
                self._count(name, (0, 0))
                del self._asked[name]
            return
        if replaced is None:
            _add(self.instances, name, 1)
        self.resized(replaced, snapshot)
        if state.instance is not None:
            self.count(name, state.instance)

    def resized(self, replaced: bytes | Snapshot | None, snapshot: Snapshot) -> None:
        """One snapshot stands in place of another; its size is known once it is written, see ``written``."""
        if replaced is not None:
            self.bytes -= len(_value(replaced))
        self._unsized.append(snapshot)

    def written(self) -> None:
        """The snapshots of all that changed were written."""
        self.bytes += sum(len(snapshot.value) for snapshot in self._unsized)
        self._unsized.clear()

    def count(self, name: str, instance: Instance) -> None:
        """Look into the open instance of a key."""
        tasks = instance["tasks"]
        overdue = 0
        for task in tasks:
            for escalation in task["escalations"]:
                if escalation["missed"] in _DEADLINES:
                    overdue += 1
                    break
        self._count(name, (len(tasks), overdue))

    def _count(self, name: str, asked: Asked) -> None:
        before = self._asked.get(name, (0, 0))
        self.uncounted.discard(name)
        self._asked[name] = asked
        if asked[0] != before[0]:
            _add(self.tasks, name, asked[0] - before[0])
        if asked[1] != before[1]:
            _add(self.overdue, name, asked[1] - before[1])


def _add(counts: dict[str, int], name: str, number: int) -> None:
    workflow = name.partition("/")[0]
    counts[workflow] = counts.get(workflow, 0) + number


def _value(snapshot: bytes | Snapshot) -> bytes:
    return snapshot if isinstance(snapshot, bytes) else snapshot.value
