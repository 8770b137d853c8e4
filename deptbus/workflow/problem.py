"""One thing that is wrong with a workflow definition, and where in its file. Pure."""

from collections.abc import Collection
from difflib import get_close_matches
from typing import NamedTuple

Path = tuple[str | int, ...]
"""The way to a part of ``workflow.yaml``; what begins with ``responsibilities`` stands in ``responsibilities.yaml``."""


class Problem(NamedTuple):
    """``message`` says what is wrong and what to do, in one sentence without its full stop."""

    path: Path
    message: str


def unknown(kind: str, name: str, known: Collection[str], remedy: str) -> str:
    """Says that there is nothing of a name, and what was perhaps meant."""
    close = get_close_matches(name, known, 1)
    meant = f"; did you mean {close[0]}?" if close else f"; {remedy}"
    return f"there is no {kind} {name}{meant}"
