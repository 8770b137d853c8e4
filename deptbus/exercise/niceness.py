"""Processes that stand back behind the others of a machine."""

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

_TRIES = 20
_PAUSE_S = 0.1


def stand_back(pid: int, niceness: int) -> None:
    """Have the first process of a session, just started, stand back behind all other processes.

    Linux shares the processor out by sessions first, and within one by niceness (sched(7), "The autogroup feature"):
    there the session is to stand back too. Where it may not be told, or there are no such shares, nothing is lost.
    """
    with contextlib.suppress(ProcessLookupError):
        os.setpriority(os.PRIO_PROCESS, pid, niceness)
    for _ in range(_TRIES):
        try:
            Path(f"/proc/{pid}/autogroup").write_text(str(niceness))
        except BlockingIOError:  # one user may tell so much ten times a second
            time.sleep(_PAUSE_S)
        except OSError:
            return
        else:
            return


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
