"""Why something that was asked for on a page is not done, in the reader's language and with the field it is about."""

from deptbus.errors import ActRefused
from deptbus.workflow.said import Said


class FieldRefused(ActRefused):
    """What was filled in does not fit; nothing is published."""

    def __init__(self, field: str, said: Said) -> None:
        super().__init__(said.en)
        self.field = field
        """The path of the field, such as ``sites[0].region``."""
        self.said = said


class NotEntitled(ActRefused):
    """Somebody may look, but not do this."""

    def __init__(self, said: Said) -> None:
        super().__init__(said.en)
        self.said = said
