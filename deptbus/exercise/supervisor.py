"""Starts the workers of a namespace as processes, starts again what dies, and stops all at the end.

Each worker has a name (``correlate-0``), a command, a log in ``.run/<namespace>/logs`` and a pid file beside it, by
which a later run finds and ends what a killed one has left behind.
"""

import contextlib
import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from deptbus.errors import BusError
from deptbus.settings import process_environment

RESTARTS_PER_MINUTE_MAX = 20
"""A worker that dies more often is not started again, and the exercise ends."""
STOP_TIMEOUT_S = 15.0
"""After this a worker that was asked to stop is killed."""
EXITS_MAX = 1_000
"""So many exit codes of a worker are remembered."""
_MINUTE_S = 60.0
_log = logging.getLogger("deptbus.exercise.supervisor")


@dataclass(slots=True)
class Worker:
    """One worker process. ``starts`` counts them; ``wanted`` is whether it is to run."""

    name: str
    arguments: tuple[str, ...]
    log_path: Path
    pid_path: Path
    number: int
    """The how many-th worker of the namespace it is, from 0: its metrics are served so many ports on."""
    wanted: bool = True
    starts: int = 0
    exits: deque[int] = field(default_factory=lambda: deque(maxlen=EXITS_MAX))
    """How its processes ended, the last of them."""
    process: subprocess.Popen[bytes] | None = None
    deaths: deque[float] = field(default_factory=deque)
    failpoints: deque[str] = field(default_factory=deque)
    ended: threading.Event = field(default_factory=threading.Event)
    """Set while no process runs and none is to be started."""


class Supervisor:
    """The workers of one namespace. A context manager: whatever happens, nothing is left running.

    ``environment`` is what every worker gets besides this process's own; ``command`` what runs ``deptbus``.
    Methods may be called from any thread.
    """

    def __init__(
        self,
        directory: Path,
        environment: Mapping[str, str],
        command: Iterable[str] = (sys.executable, "-m", "deptbus"),
    ) -> None:
        self._directory = directory
        self._environment = dict(environment)
        self._command = tuple(command)
        self._workers: dict[str, Worker] = {}
        self._lock = threading.RLock()
        self._failure: str | None = None
        (directory / "logs").mkdir(parents=True, exist_ok=True)

    def __enter__(self) -> "Supervisor":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop_all()

    def end_leftovers(self) -> int:
        """Kill workers of this namespace that a run which was itself killed has left; how many there were."""
        count = 0
        for path in sorted(self._directory.glob("*.pid")):
            with contextlib.suppress(OSError, ValueError):
                pid = int(path.read_text())
                if pid not in self._pids() and self._is_ours(pid):
                    os.kill(pid, signal.SIGKILL)
                    count += 1
            path.unlink(missing_ok=True)
        return count

    def add(self, name: str, *arguments: str, failpoint: str | None = None) -> None:
        """Start a worker. ``failpoint``: BUS_FAILPOINT of this first start only."""
        log_path, pid_path = self._directory / "logs" / f"{name}.log", self._directory / f"{name}.pid"
        known = self._workers.get(name)
        worker = Worker(name, arguments, log_path, pid_path, known.number if known else len(self._workers))
        if failpoint:
            worker.failpoints.append(failpoint)
        with self._lock:
            if name in self._workers and self._workers[name].wanted:
                raise BusError(f"The worker {name} runs already.")
            self._workers[name] = worker
            self._start(worker)

    def arm(self, name: str, failpoint: str) -> None:
        """Have the worker's next start run with this BUS_FAILPOINT, and the one after it with the next armed."""
        with self._lock:
            self._workers[name].failpoints.append(failpoint)

    def kill(self, name: str) -> None:
        """kill -9; the worker is started again at once."""
        self._signal(self._workers[name], signal.SIGKILL)

    def restart(self, name: str) -> None:
        """Stop a worker in good order and start it again; returns when the new process is started."""
        with self._lock:
            worker = self._workers[name]
            worker.wanted = False
        self._end(worker)
        with self._lock:
            worker.wanted = True
            self._start(worker)

    def stop(self, name: str) -> None:
        """Stop a worker in good order, for good."""
        with self._lock:
            worker = self._workers[name]
            worker.wanted = False
        self._end(worker)

    def stop_all(self) -> None:
        """Stop every worker, all at once."""
        with self._lock:
            workers = list(self._workers.values())
            for worker in workers:
                worker.wanted = False
        for worker in workers:
            self._signal(worker, signal.SIGTERM)
        for worker in workers:
            self._end(worker)

    def wait(self, name: str, timeout_s: float) -> int | None:
        """The exit code of a worker that ends by itself; None if it has not ended in time."""
        worker = self._workers[name]
        return worker.exits[-1] if worker.ended.wait(timeout_s) else None

    def starts(self, name: str) -> int:
        """How often a worker was started."""
        return self._workers[name].starts

    def exits(self, name: str) -> list[int]:
        """How a worker's processes have ended so far: their exit codes, -9 after kill -9."""
        return list(self._workers[name].exits)

    def names(self) -> list[str]:
        """The workers that are to run."""
        with self._lock:
            return [worker.name for worker in self._workers.values() if worker.wanted]

    def pid(self, name: str) -> int | None:
        """The present process of a worker."""
        process = self._workers[name].process
        return process.pid if process is not None and process.poll() is None else None

    def check(self) -> None:
        """``BusError`` when a worker has been given up."""
        if self._failure is not None:
            raise BusError(self._failure)

    def _start(self, worker: Worker) -> None:
        environment = process_environment(self._environment)
        environment.pop("BUS_FAILPOINT", None)
        if port := int(environment.get("BUS_METRICS_PORT") or 0):
            environment["BUS_METRICS_PORT"] = str(port + worker.number)
        if worker.failpoints:
            environment["BUS_FAILPOINT"] = worker.failpoints.popleft()
        with worker.log_path.open("ab") as log:
            process = subprocess.Popen(
                [*self._command, *worker.arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=environment,
                process_group=0,  # Ctrl-C is for the driver, which stops its workers in order
            )
        worker.process = process
        worker.starts += 1
        worker.ended.clear()
        worker.pid_path.write_text(str(process.pid))
        threading.Thread(target=self._watch, args=(worker, process), name=worker.name, daemon=True).start()

    def _watch(self, worker: Worker, process: "subprocess.Popen[bytes]") -> None:
        """Wait for one process; start the worker again if it is still wanted."""
        code = process.wait()
        with self._lock:
            if worker.process is not process:
                return
            worker.exits.append(code)
            again = worker.wanted and code != 0 and self._may_restart(worker)
            if again:
                _log.warning("%s ended with %d and is started again", worker.name, code)
                self._start(worker)
            else:
                worker.wanted = False
                worker.pid_path.unlink(missing_ok=True)
                worker.ended.set()

    def _may_restart(self, worker: Worker) -> bool:
        now = time.monotonic()
        worker.deaths.append(now)
        while worker.deaths[0] < now - _MINUTE_S:
            worker.deaths.popleft()
        if len(worker.deaths) <= RESTARTS_PER_MINUTE_MAX:
            return True
        self._failure = (
            f"The worker {worker.name} died {len(worker.deaths)} times within a minute (last with "
            f"{worker.exits[-1]}) and is given up; see {worker.log_path}."
        )
        return False

    def _end(self, worker: Worker) -> None:
        """Ask an unwanted worker to end, wait, then kill it."""
        self._signal(worker, signal.SIGTERM)
        if not worker.ended.wait(STOP_TIMEOUT_S):
            _log.warning("%s does not stop and is killed", worker.name)
            self._signal(worker, signal.SIGKILL)
            worker.ended.wait(STOP_TIMEOUT_S)

    @staticmethod
    def _signal(worker: Worker, number: signal.Signals) -> None:
        process = worker.process
        if process is not None and process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(number)

    def _pids(self) -> set[int]:
        return {worker.process.pid for worker in self._workers.values() if worker.process is not None}

    def _is_ours(self, pid: int) -> bool:
        """Whether a process is a worker: a pid alone proves nothing, another program may have it by now."""
        arguments = Path(f"/proc/{pid}/cmdline")
        return all(part.encode() in arguments.read_bytes().split(b"\0") for part in self._command)
