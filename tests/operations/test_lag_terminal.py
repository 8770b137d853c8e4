"""``deptbus lag --watch`` on a terminal: in place, within 80 columns, and no colour where none is wanted."""

import os
import pty
import re
import signal
import struct
import sys
import termios
import time
from contextlib import suppress
from fcntl import ioctl

import pytest

from deptbus.settings import Settings
from tests.interrupting import interruptible
from tests.operations.reading import ROOT, commit, make, put

pytestmark = pytest.mark.kafka
CASES = "health.cases"


def test_it_shows_each_look_in_place_within_80_columns_until_it_is_interrupted(settings: Settings) -> None:
    make(settings, health_cases=1)
    put(settings, CASES, 3)
    commit(settings, "lab", {(CASES, 0): 1})
    ours, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = settings.environment() | {
        "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "TERM": "xterm", "NO_COLOR": "1",
    }  # fmt: skip
    watching = interruptible(
        [sys.executable, "-m", "deptbus", "lag", "--watch", "--every", "0.2", "--over", "2"],
        env=environment, stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    os.close(theirs)
    shown, more_came = "", False
    limit = time.monotonic() + 60
    try:
        while "has 4 unread events" not in shown and time.monotonic() < limit:
            shown += os.read(ours, 65_536).decode()
            if "│ lab" in shown and not more_came:
                put(settings, CASES, 2)
                more_came = True
    finally:
        watching.send_signal(signal.SIGINT)
    assert "has 4 unread events" in shown
    assert re.search(r"\x1b\[\d*[AF]|\x1b\[2K", shown), "each look replaces the one before"
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", shown), "no colour"
    plain = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown)
    assert max(len(line) for line in plain.replace("\r", "\n").split("\n")) <= 80
    with suppress(OSError):  # which is how a terminal says that nobody writes to it any more
        while os.read(ours, 65_536):
            pass
    assert watching.wait(20) == 3
    os.close(ours)
