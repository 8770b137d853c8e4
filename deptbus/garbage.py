"""When Python looks for garbage in a process that lives on events.

A batch is thousands of small objects that all go when it is handled. By default Python looks at every one of them
several times meanwhile: that was half of reading a record, and a seventh of a tick with 100,000 deadlines.
"""

import gc

AFTER = (50_000, 20, 100)
"""New objects after which it looks at these; and how often at those that stayed."""


def look_seldom() -> None:
    """For the whole process: for whoever owns it to call."""
    gc.set_threshold(*AFTER)
