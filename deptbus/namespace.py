"""A namespace separates worlds: actual life has the empty one; an exercise, a test or a demo has its own.

The names in ``topics/`` are logical; Kafka sees ``ns.<namespace>.<topic>`` outside actual life. Groups and
transactional ids carry the same prefix, so a whole world can be dropped by it.
"""

import re
from dataclasses import dataclass

from deptbus.errors import SettingsError

_NAME = re.compile(r"[a-z][a-z0-9-]{0,39}")


@dataclass(frozen=True, slots=True)
class Namespace:
    """One world. ``name`` is empty for actual life, else lower-case letters, digits and hyphens (at most 40)."""

    name: str = ""

    def __post_init__(self) -> None:
        if self.name and not _NAME.fullmatch(self.name):
            raise SettingsError(
                f"The namespace {self.name!r} is not usable: it starts with a lower-case letter and holds at most "
                "40 lower-case letters, digits and hyphens. Set BUS_NAMESPACE accordingly."
            )

    @property
    def prefix(self) -> str:
        """What Kafka names of this world begin with."""
        return f"ns.{self.name}." if self.name else ""

    @property
    def mode(self) -> str:
        """The only ``ce_mode`` that may be written here by default: ``actual`` or ``exercise``."""
        return "exercise" if self.name else "actual"

    def physical(self, name: str) -> str:
        """The name that Kafka knows (topic, group or transactional id)."""
        return self.prefix + name

    def logical(self, physical: str) -> str:
        """The name in ``topics/`` of a topic of this world."""
        return physical.removeprefix(self.prefix)

    def owns(self, physical: str) -> bool:
        """Whether a Kafka name belongs to this world."""
        return physical.startswith(self.prefix) if self.name else not physical.startswith("ns.")
