"""What a batch makes of a key's instance: copied once, then altered in place until it stands.

A batch brings many entries to one key, and nobody sees the states between them: so the instance, and each of its lists
and maps, is copied when the batch first alters it, and not at every entry. Whoever applies entries without a draft of
their own finds each state as it was before.
"""

from typing import Any

from deptbus.workflow.applied import Applied
from deptbus.workflow.state import Instance, KeyState


class Draft:
    """See the module. What stands within the lists and maps of an instance is never altered, but replaced."""

    __slots__ = ("_own", "index", "instance", "silent")

    def __init__(self, *, silent: bool = False) -> None:
        self.silent = silent
        """Whether only the state is wanted: the events that tell of it are counted and not made."""
        self.instance: Instance = {}
        """What was made here."""
        self._own: set[str] = set()
        """Names of its lists and maps that were made here as well."""
        self.index: Applied | None = None
        """Of what it has applied, where that was asked about."""

    def of(self, state: KeyState, instance: Instance) -> Instance:
        """The open instance of a state as it may be altered: a copy, unless it was made here."""
        if instance is not self.instance:
            self.instance = instance.copy()
            self._own.clear()
            self.index = state.index
        return self.instance

    def begin(self, instance: Instance) -> Instance:
        """A new instance, with nothing in it that was anywhere else."""
        self.instance = instance
        self._own.update(instance)
        return instance

    def own(self, name: str) -> Any:
        """A list or map of the instance that may be altered."""
        instance = self.instance
        if name not in self._own:
            self._own.add(name)
            instance[name] = instance[name].copy()
        return instance[name]

    @property
    def applied(self) -> Applied:
        """The index of what the instance has applied, which may be added to."""
        index = self.index
        if index is None or index.known is not self.instance["applied"]:
            index = self.index = Applied(self.instance["applied"])
        index.known = self.own("applied")
        return index
