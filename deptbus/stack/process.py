"""A process that outlives the command that started it, found again by its pid file and its command line.

Each carries a marker on its command line that names its part and its run directory. A pid alone proves
nothing: after a crash another program may have it.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import orjson

from deptbus.errors import StackError

_POLL_S = 0.02
_LOG_BYTES_MAX = 20_000_000
"""A longer log is put aside at the next start; one older file is kept."""


class DetachedProcess:
    """One part's process; ``run_path`` holds its pid file and log.

    ``flag``: before which word on its command line its program takes a marker: ``-D`` of Java, ``-X`` of Python.
    """

    def __init__(self, part: str, run_path: Path, flag: str = "-D") -> None:
        self.part = part
        self.marker = f"{flag}deptbus.part={run_path}/{part}"
        self.log_path = run_path / "logs" / f"{part}.log"
        self._pid_path = run_path / f"{part}.pid"
        self._child: subprocess.Popen[bytes] | None = None

    def start(
        self, program: Path, arguments: Sequence[str], port: int, environment: Mapping[str, str] | None = None
    ) -> None:
        """Start ``program`` with the marker and ``arguments``, in a process group and an ``environment`` of its own."""
        self.log_path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileNotFoundError):
            if self.log_path.stat().st_size > _LOG_BYTES_MAX:
                self.log_path.replace(self.log_path.with_suffix(".log.1"))
        with self.log_path.open("ab") as log:
            try:
                self._child = subprocess.Popen(
                    [str(program), self.marker, *arguments],
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    process_group=0,  # Ctrl-C is not for it
                )
            except OSError as error:
                raise StackError(f"{program} cannot be run: {error.strerror}; install it anew.") from None
        unfinished = self._pid_path.with_suffix(".pid.new")
        unfinished.write_bytes(orjson.dumps({"pid": self._child.pid, "port": port}))
        unfinished.replace(self._pid_path)

    def pid(self) -> int | None:
        """The pid where the process runs; None after its end, however it ended."""
        if self._child is not None and self._child.poll() is None:  # which reaps it
            return self._child.pid  # just begun, its command line may not be there yet
        noted = self._noted()
        return noted["pid"] if noted and self.marker in _command_line(noted["pid"]) else None

    def port(self) -> int | None:
        """The port that the process was started with."""
        noted = self._noted()
        return noted["port"] if noted else None

    def stop(self, timeout_s: float) -> None:
        """Ask it to end, wait, then kill it."""
        for signal_number in (signal.SIGTERM, signal.SIGKILL):
            pid = self.pid()
            if pid is None:
                break
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal_number)
            limit = time.monotonic() + timeout_s
            while self.pid() == pid and time.monotonic() < limit:
                time.sleep(_POLL_S)
            self.await_end(timeout_s)
        if (pid := self.pid()) is not None:
            raise StackError(f"{self.part} (pid {pid}) does not end: look at it with `ps -p {pid}`, then kill it.")
        self._pid_path.unlink(missing_ok=True)

    def await_end(self, timeout_s: float) -> None:
        """Wait until an ending process has let go of its ports and files.

        After kill -9 its command line is gone at once, while threads that end later still hold them.
        """
        limit = time.monotonic() + timeout_s
        while (noted := self._noted()) and _is_ending(noted["pid"]) and time.monotonic() < limit:
            time.sleep(_POLL_S)

    def _noted(self) -> dict[str, int] | None:
        """What the pid file says; None where it is missing or broken."""
        try:
            noted = orjson.loads(self._pid_path.read_bytes())
            return {"pid": int(noted["pid"]), "port": int(noted["port"])}
        except (OSError, ValueError, KeyError, TypeError):
            return None


def _command_line(pid: int) -> list[str]:
    """The arguments of a running process; empty where it is gone or a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        return []


def _is_ending(pid: int) -> bool:
    """Whether a process has given up its memory, and with it its command line, and not yet everything else."""
    try:
        status = Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    over = fields["State"].startswith("Z") and int(fields["Threads"]) == 1
    return not over and not any(_command_line(pid))
