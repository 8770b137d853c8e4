"""Event ids: random ones for what is new, derived ones for what follows from something.

A derived id is a UUIDv5 of its cause, so that doing the same work twice names the same event (I2).
"""

from collections.abc import Callable

import uuid_utils

IdSource = Callable[[], str]
"""Answers a new unique id."""

_NAMESPACE = uuid_utils.uuid5(uuid_utils.NAMESPACE_DNS, "deptbus")


def random_id() -> str:
    """A UUIDv7: unique, and sorting by the time of its making."""
    return str(uuid_utils.uuid7())


def derived_id(cause: str, producer: str, event_type: str, subject: str, ordinal: int = 0) -> str:
    """The UUIDv5 of what an event follows from.

    ``cause`` is the id of the causing event, or a source reference such as ``2020-01-24.csv:14``; ``ordinal``
    tells apart several events of one type and subject from one cause.
    """
    return str(uuid_utils.uuid5(_NAMESPACE, f"{cause}\x1f{producer}\x1f{event_type}\x1f{subject}\x1f{ordinal}"))
