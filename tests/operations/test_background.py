"""What is done with the past has the processor only while nobody else wants it."""

import os
import sys
from pathlib import Path

from deptbus.exercise.supervisor import Supervisor
from deptbus.operations.background import in_background


def test_workers_that_are_started_in_the_background_are_there_too_and_nobody_else(tmp_path: Path) -> None:
    before = os.sched_getscheduler(0)
    with Supervisor(tmp_path, {}, (sys.executable, "-c")) as workers:
        with in_background():
            assert os.sched_getscheduler(0) == os.SCHED_IDLE
            workers.add("one", "import time; time.sleep(600)")
        pid = workers.pid("one")
        assert pid is not None
        assert os.sched_getscheduler(pid) == os.SCHED_IDLE
    assert os.sched_getscheduler(0) == before or os.geteuid() != 0, "whoever may not come back stays there"
