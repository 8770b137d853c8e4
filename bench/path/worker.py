"""Workers of ours as processes, and what processes cost."""

import os
import subprocess
import sys
from pathlib import Path
from types import TracebackType

from bench.suite.processes import ROOT, MeasurementFailed
from deptbus.clock import system_clock
from deptbus.health import health_path, read_health
from deptbus.settings import Settings
from deptbus.stack.probe import port_holder
from tests.waiting import wait_until

START_S = 60


class Worker:
    """``deptbus run workflow``, in a slot. A context manager; it works when it is entered."""

    def __init__(self, settings: Settings, slot: int = 0) -> None:
        self.name = f"workflow-{slot}"
        self._path = health_path(settings, self.name)
        self._path.unlink(missing_ok=True)
        self._log = settings.run_path / "bench" / f"{self.name}.log"
        self._log.parent.mkdir(parents=True, exist_ok=True)
        command = [sys.executable, "-m", "deptbus", "run", "workflow", "--worker", str(slot)]
        environment = {**os.environ, **settings.environment(), "PYTHONPATH": str(ROOT)}
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT, cwd=ROOT)

    @property
    def works(self) -> bool:
        """Whether both of its processors belong to their groups, and it has restored what is its own."""
        return bool(read_health(self._path, system_clock())[1]["state"] == "working")

    @property
    def partitions(self) -> int:
        """How many of the journal's partitions it has restored; 0 while it is at it."""
        told = read_health(self._path, system_clock())[1]
        counts: dict[str, int] = told["counts"]
        return counts["advance.partitions"] if told["state"] == "working" else 0

    def check(self) -> None:
        """``MeasurementFailed`` where it has ended."""
        if self.process.poll() is not None:
            raise MeasurementFailed(f"{self.name} ended with {self.process.returncode}:\n{self._log.read_text()}")

    def __enter__(self) -> "Worker":
        def ready() -> bool:
            self.check()
            return self.works

        wait_until(ready, f"{self.name} to work", START_S)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def broker_pid(settings: Settings) -> int:
    """The process that listens where the settings' broker is, on this machine."""
    holder = port_holder(int(settings.bootstrap_servers.rpartition(":")[2]))
    return int(holder.rpartition("pid ")[2].rstrip(")"))


def cpu_s(pid: int) -> float:
    """The CPU time that a process has used so far, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
