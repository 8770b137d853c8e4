"""Who may look at what concerns nobody's incidents but the bus itself."""

from deptbus.desk.refused import Missing
from deptbus.workflow.said import Said
from services.dashboard.access.people import Person


def require_operator(person: Person) -> None:
    """``Missing`` for who is no operator: to others it is not there."""
    if not person.has("operator"):
        raise Missing(Said("只有运维人员可以查看总线的运行状况。", "Only operators see how the bus is."))
