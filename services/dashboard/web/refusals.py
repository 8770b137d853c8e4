"""Why something that was asked for on a page is not done, with the field it is about or as nobody's right."""

from deptbus.desk.refused import Refused
from deptbus.workflow.said import Said


class FieldRefused(Refused):
    """What was filled in does not fit; nothing is published."""

    def __init__(self, field: str, said: Said) -> None:
        super().__init__(said)
        self.field = field
        """The path of the field, such as ``sites[0].region``."""


class NotEntitled(Refused):
    """Somebody may look, but not do this."""
