"""What is done with the past stands back behind actual life on the same machine."""

import contextlib
import os
from collections.abc import Iterator


@contextlib.contextmanager
def in_background() -> Iterator[None]:
    """This thread, and what it starts meanwhile, get the processor only while nobody else wants it.

    Then it is as before, where that is allowed. By niceness alone it would still keep others waiting: at its lowest a
    process may finish its slice of time before one that wakes up has its turn (sched(7), "SCHED_IDLE").
    """
    before = os.sched_getscheduler(0)
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    try:
        yield
    finally:
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(0, before, os.sched_param(0))
