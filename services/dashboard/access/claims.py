"""From what a provider claims of somebody to a person: name, roles, departments. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.dashboard.access import sentences
from services.dashboard.access.people import ROLES, Person, Role
from services.dashboard.access.sentences import AccessRefused
from services.dashboard.access.users import NAME_MAX, same_name

ALL = "*"
"""Claimed as a department: all of them."""


@dataclass(frozen=True, slots=True)
class ClaimNames:
    """Which claims are read. A name with dots leads into objects (``realm_access.roles``), unless a claim has it."""

    name: str = "name"
    roles: str = "roles"
    departments: str = "departments"

    def missing(self, claims: Mapping[str, Any]) -> bool:
        """Whether a claim is not there, so that it is worth asking further."""
        return any(_find(claims, name) is None for name in (self.name, self.roles, self.departments))


def person_of(claims: Mapping[str, Any], names: ClaimNames) -> Person:
    """Who signs on; ``AccessRefused`` without a name, a role, or departments where the roles need some.

    Roles that are not the dashboard's are passed over: they are for other systems.
    """
    name = _find(claims, names.name)
    if not isinstance(name, str) or not (kept := _printable(name)):
        raise AccessRefused(403, sentences.NO_NAME)
    claimed = _words(_find(claims, names.roles))
    roles: frozenset[Role] = frozenset(role for role in ROLES if role in claimed)
    if not roles:
        raise AccessRefused(403, sentences.NO_ROLE)
    departments = _words(_find(claims, names.departments))
    if not departments and roles != {"operator"}:  # how the bus is concerns no department
        raise AccessRefused(403, sentences.NO_DEPARTMENT)
    return Person(kept, roles, None if ALL in departments else departments)


def _find(claims: Mapping[str, Any], name: str) -> Any:
    if name in claims:
        return claims[name]
    found: Any = claims
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def _words(value: Any) -> frozenset[str]:
    """A list of strings, or one string with spaces between them; anything else claims nothing."""
    if isinstance(value, str):
        return frozenset(value.split())
    if isinstance(value, list):
        return frozenset(item for item in value if isinstance(item, str))
    return frozenset()


def _printable(name: str) -> str:
    shown = "".join(character if character.isprintable() else " " for character in name)
    return same_name(" ".join(shown.split()))[:NAME_MAX]
