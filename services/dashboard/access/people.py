"""People and what they may do: the only place that knows which role includes which. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal, get_args

Role = Literal["viewer", "officer", "commander", "operator"]
ROLES: tuple[Role, ...] = get_args(Role)

_INCLUDED: dict[Role, Role] = {"officer": "viewer", "commander": "viewer", "operator": "viewer"}
"""Whoever has the first may do what the second may."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who is signed on."""

    name: str
    """Kept with every act as its actor."""
    roles: frozenset[Role]
    """A viewer sees, an officer answers tasks, a commander orders, an operator sees how the bus is."""
    departments: frozenset[str] | None
    """Whose incidents may be seen and for which an officer acts; None: all."""

    def has(self, role: Role) -> bool:
        """Whether the person may do what this role may; every role includes viewer."""
        return any(role in (own, _INCLUDED.get(own)) for own in self.roles)

    def sees(self, departments: Collection[str]) -> bool:
        """Whether an instance that concerns these departments may be shown."""
        return self.has("viewer") and (self.departments is None or not self.departments.isdisjoint(departments))

    def acts_for(self, department: str) -> bool:
        """Whether the person may answer this department's tasks."""
        return self.has("officer") and (self.departments is None or department in self.departments)


LOCAL = Person("local", frozenset(ROLES), None)
"""Who works on this machine where no sign-on is set up; the guard gives it the operator's name."""
