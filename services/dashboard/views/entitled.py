"""Who may look at what concerns nobody's incidents but the bus itself."""

from deptbus.errors import NotFound
from services.dashboard.access.people import Person


def require_operator(person: Person) -> None:
    """``NotFound`` for who is no operator: to others it is not there."""
    if not person.has("operator"):
        raise NotFound("Only operators see how the bus is.")
