"""The supervisor with small Python programs as workers: restart, bounds, failpoints, order at the end."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deptbus.errors import BusError
from deptbus.exercise import supervisor as supervising
from deptbus.exercise.supervisor import Supervisor
from tests.waiting import wait_until

SLEEPER = "import os, sys, time; print('up', os.environ.get('BUS_FAILPOINT', '-'), flush=True); time.sleep(600)"


@pytest.fixture
def workers(tmp_path: Path) -> Iterator[Supervisor]:
    with Supervisor(tmp_path, {"BUS_NAMESPACE": "test"}, (sys.executable, "-c")) as supervisor:
        yield supervisor


def log(directory: Path, name: str) -> list[str]:
    path = directory / "logs" / f"{name}.log"
    return path.read_text().splitlines() if path.exists() else []


def test_a_killed_worker_is_started_again(workers: Supervisor, tmp_path: Path) -> None:
    workers.add("sleeper", SLEEPER)
    first = workers.pid("sleeper")
    workers.kill("sleeper")
    wait_until(lambda: workers.starts("sleeper") == 2 and len(log(tmp_path, "sleeper")) >= 1, "the worker to start")
    assert workers.pid("sleeper") not in (None, first)
    assert workers.names() == ["sleeper"]


def test_a_failpoint_counts_for_one_start(workers: Supervisor, tmp_path: Path) -> None:
    workers.add("sleeper", SLEEPER, failpoint="after-poll")
    wait_until(lambda: log(tmp_path, "sleeper") == ["up after-poll"], "the worker to start")
    workers.arm("sleeper", "after-commit:3")
    workers.kill("sleeper")
    wait_until(lambda: len(log(tmp_path, "sleeper")) == 2, "the worker to start")
    workers.kill("sleeper")
    wait_until(lambda: len(log(tmp_path, "sleeper")) == 3, "the worker to start")
    assert log(tmp_path, "sleeper") == ["up after-poll", "up after-commit:3", "up -"]


def test_a_worker_that_ends_well_is_not_started_again(workers: Supervisor) -> None:
    workers.add("short", "pass")
    assert workers.wait("short", 20) == 0
    assert workers.starts("short") == 1
    assert workers.names() == []
    workers.check()


def test_a_worker_that_keeps_dying_is_given_up(workers: Supervisor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervising, "RESTARTS_PER_MINUTE_MAX", 2)
    workers.add("broken", "raise SystemExit(3)")
    assert workers.wait("broken", 20) == 3
    assert workers.starts("broken") == 3
    with pytest.raises(BusError, match=r"broken died 3 times within a minute \(last with 3\)"):
        workers.check()


def test_restarting_and_stopping_in_good_order(workers: Supervisor, tmp_path: Path) -> None:
    workers.add("one", SLEEPER)
    workers.add("two", SLEEPER)
    workers.restart("one")
    assert workers.starts("one") == 2
    workers.stop("two")
    assert workers.pid("two") is None
    assert workers.names() == ["one"]
    workers.stop_all()
    assert workers.pid("one") is None
    assert list(tmp_path.glob("*.pid")) == []


def test_what_a_killed_run_left_is_ended(workers: Supervisor, tmp_path: Path) -> None:
    workers.add("sleeper", SLEEPER)
    wait_until(lambda: len(log(tmp_path, "sleeper")) == 1, "the worker to start")
    later = Supervisor(tmp_path, {}, (sys.executable, "-c"))
    assert later.end_leftovers() == 1
    wait_until(lambda: workers.starts("sleeper") == 2, "the worker to start")


def test_workers_share_the_session_of_whoever_starts_them_and_not_the_ctrl_c(workers: Supervisor) -> None:
    # Linux may share the processor out by sessions first: many of one each would leave little to the broker.
    workers.add("one", SLEEPER)
    pid = workers.pid("one")
    assert pid is not None
    assert os.getsid(pid) == os.getsid(0)
    assert os.getpgid(pid) == pid


def test_every_worker_serves_its_metrics_at_a_port_of_its_own(
    workers: Supervisor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = "import os; print(os.environ.get('BUS_METRICS_PORT', '-'), flush=True)"
    for given, wanted in (("9464", ["9464", "9465", "9464"]), ("0", ["0", "0", "0"])):
        monkeypatch.setenv("BUS_METRICS_PORT", given)
        for name in ("one", "two", "one"):
            workers.add(name, port)
            assert workers.wait(name, 20) == 0
        told = [*log(tmp_path, "one")[-2:], log(tmp_path, "two")[-1]]
        assert told == [wanted[0], wanted[2], wanted[1]]
