"""Why something that an officer or commander asks for is not done or not shown, in both languages. Pure.

A page shows the sentences as they stand: they name no option of a command.
"""

from deptbus.errors import ActRefused, BusError, NotFound
from deptbus.workflow.said import Said


class Refusal(BusError):
    """The root of these; as text it is the English sentence."""

    def __init__(self, said: Said, *, see: str = "") -> None:
        super().__init__(said.en)
        self.said = said
        self.see = see
        """The option or command that helps; only a command line names it."""


class Refused(Refusal, ActRefused):
    """What is asked for cannot be done as asked."""


class Missing(Refusal, NotFound):
    """There is nothing of that name, or the person may not see it."""
