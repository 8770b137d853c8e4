"""Processes that stand back behind the others of a machine."""

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def standing_back(niceness: int) -> Iterator[None]:
    """This thread and those that it starts meanwhile stand back; then it is as before, where that is allowed."""
    before = os.getpriority(os.PRIO_PROCESS, 0)
    os.setpriority(os.PRIO_PROCESS, 0, max(before, niceness))
    try:
        yield
    finally:
        with contextlib.suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, 0, before)
