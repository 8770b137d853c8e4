"""What the linter finds: something that is allowed, and yet will not do what its author meant."""

from typing import NamedTuple

from deptbus.workflow.problem import Path
from deptbus.workflow.said import Said


class Finding(NamedTuple):
    """``message`` says what will not come about and why, without its full stop."""

    path: Path
    code: str
    message: Said
    remark: bool = False
    """Whether it may well be meant: then it is told and is no reason to refuse anything."""
