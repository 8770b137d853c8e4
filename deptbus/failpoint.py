"""Failpoints: places where a process kills itself when a test of crash safety tells it to.

``BUS_FAILPOINT=after-commit:3`` is the third passing of ``after-commit``. Unset, a point costs one comparison.
"""

import os
import signal

from deptbus.errors import SettingsError

POINTS = (
    "after-poll",
    "after-append",
    "after-outputs",
    "inside-transaction",
    "after-commit",
    "while-restoring",
    "after-delivery",
    "after-block",
    "after-file",
    "before-manifest",
    "after-records",
    "inside-gap",
    "after-gap",
    "before-settings",
)
"""In the order of the work. Records at hand; journal entries flushed (correlate), answers flushed (desks); outputs
computed, and those of correlate and desks handed over; records of the transaction handed over; committed and not
acknowledged; a partition's state half restored; a notification delivered and not committed. Of an archive: a block
written; a file finished and its index not; everything but the manifest. Of its restore: records handed over; offsets
that nobody sees half used up, and used up; everything read back and the settings still to come."""

_armed = ""
_left = 0


def arm(failpoint: str | None) -> None:
    """Set the one failpoint of this process: ``NAME`` or ``NAME:N``; ``SettingsError`` for anything else."""
    global _armed, _left  # one per process, read on hot paths
    name, _, times = (failpoint or "").partition(":")
    if name and (name not in POINTS or not (times or "1").isdigit() or int(times or 1) < 1):
        raise SettingsError(
            f"BUS_FAILPOINT is not usable: {failpoint!r}; it is NAME or NAME:N with one of {', '.join(POINTS)}."
        )
    _armed, _left = name, int(times or 1)


def armed(name: str) -> bool:
    """Whether a point is the armed one, for those who would rather not pass it very many times in vain."""
    return name == _armed


def hit(name: str) -> None:
    """Pass a point; the process ends here, as by kill -9, if it is the armed one for the Nth time."""
    global _left  # noqa: PLW0603  # one count per process, read on hot paths
    if name == _armed:
        _left -= 1
        if _left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
