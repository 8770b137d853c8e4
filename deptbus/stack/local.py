"""The local stack: broker and registry as processes of this machine, everything they keep below ``run_dir``.

.run/data/kafka, data/registry   what they store      .run/kafka.pid, registry.pid
.run/logs/kafka.log, …           what they say        .run/kafka.properties
"""

import contextlib
import fcntl
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from deptbus.errors import StackError
from deptbus.settings import Settings
from deptbus.stack.commands import (
    KAFKA_JAVA_MIN,
    REGISTRY_JAVA_MIN,
    format_arguments,
    kafka_arguments,
    kafka_properties,
    properties_text,
    registry_arguments,
)
from deptbus.stack.jars import fetch_jars
from deptbus.stack.java import find_java
from deptbus.stack.part import PARTS, PartStatus, Report
from deptbus.stack.probe import kafka_answers, port_holder, port_is_taken, registry_answers
from deptbus.stack.process import DetachedProcess
from deptbus.stack.tail import last_lines, tail

_POLL_S = 0.03


class LocalStack:
    """Processes of this machine. ``broker_properties`` add to the broker's configuration, for tests."""

    kind = "local"

    def __init__(self, settings: Settings, broker_properties: Mapping[str, str] | None = None) -> None:
        self._settings = settings
        self._run_path = settings.run_path
        self._data = {part: self._run_path / "data" / part for part in PARTS}
        self._processes = {part: DetachedProcess(part, self._run_path) for part in PARTS}
        self._ports = {"kafka": settings.kafka_port, "registry": settings.registry_port}
        self._registry_url = f"http://127.0.0.1:{settings.registry_port}/apis/ccompat/v7"
        self._broker_properties = broker_properties or {}

    def up(self, report: Report) -> None:
        """See ``Stack.up``."""
        limit = time.monotonic() + self._settings.start_timeout_s
        with self._locked():
            missing = [part for part in PARTS if not self._runs(part)]
            if missing:
                for part in missing:
                    self._processes[part].await_end(self._settings.stop_timeout_s)
                self._check_ports(missing)
                java = {
                    "kafka": find_java(KAFKA_JAVA_MIN, "Kafka"),
                    "registry": find_java(REGISTRY_JAVA_MIN, "The registry"),
                }
                jars = fetch_jars(self._settings, report)
                limit = time.monotonic() + self._settings.start_timeout_s  # fetching has its own
                for part in reversed(missing):  # the registry first: preparing the broker's data takes a second
                    self._start(part, java[part], jars)
            self._wait_healthy(limit, report)

    def down(self, report: Report) -> None:
        """See ``Stack.down``."""
        with self._locked():
            for part in reversed(PARTS):
                report(f"stopping {part}")
                self._processes[part].stop(self._settings.stop_timeout_s)

    def status(self) -> list[PartStatus]:
        """See ``Stack.status``."""
        return [self._status(part) for part in PARTS]

    def logs(self, parts: Sequence[str], lines: int, follow: bool) -> Iterator[tuple[str, str]]:
        """See ``Stack.logs``."""
        return tail({part: self._processes[part].log_path for part in parts}, lines, follow)

    def pid(self, part: str) -> int | None:
        """The process of ``part``; None where it does not run."""
        return self._processes[part].pid()

    @contextlib.contextmanager
    def _locked(self) -> Iterator[None]:
        """One command at a time starts or stops; the lock ends with its process."""
        self._run_path.mkdir(parents=True, exist_ok=True)
        with (self._run_path / "stack.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _runs(self, part: str) -> bool:
        """Whether ``part`` runs; on another port than the settings say is an error."""
        process = self._processes[part]
        if process.pid() is None:
            return False
        if process.port() != self._ports[part]:
            raise StackError(
                f"{part} runs already, on port {process.port()} and not {self._ports[part]}: "
                f"set {_port_setting(part)}={process.port()}, or run `deptbus down` first."
            )
        return True

    def _check_ports(self, parts: Sequence[str]) -> None:
        """Every port that is about to be opened is free."""
        wanted = {_port_setting(part): self._ports[part] for part in parts}
        if "kafka" in parts:
            wanted["BUS_KAFKA_CONTROLLER_PORT"] = self._settings.kafka_controller_port
        if len(set(wanted.values())) < len(wanted):
            raise StackError(f"Two parts cannot share a port: give {' and '.join(wanted)} different values.")
        for setting, port in wanted.items():
            if port_is_taken(port):
                raise StackError(
                    f"Port {port} is taken by {port_holder(port)}: stop that, or set {setting} to a free port."
                )

    def _start(self, part: str, java: Path, jars: Path) -> None:
        """Start one part; it is not ready when this returns."""
        data_path = self._data[part]
        data_path.mkdir(parents=True, exist_ok=True)
        if part == "registry":
            arguments = registry_arguments(self._settings, jars, data_path)
        else:
            properties_path = self._run_path / "kafka.properties"
            properties = kafka_properties(self._settings, data_path) | dict(self._broker_properties)
            properties_path.write_text(properties_text(properties))
            if not (data_path / "meta.properties").exists():
                self._format(java, jars, properties_path)
            arguments = kafka_arguments(self._settings, jars, properties_path)
        self._processes[part].start(java, arguments, self._ports[part])

    def _format(self, java: Path, jars: Path, properties_path: Path) -> None:
        """Prepare the broker's empty data directory."""
        answer = subprocess.run(
            [str(java), *format_arguments(jars, properties_path)], capture_output=True, text=True, check=False
        )
        if answer.returncode != 0:
            said = (answer.stderr or answer.stdout).strip().splitlines()
            raise StackError(
                f"Kafka's data directory {self._data['kafka']} cannot be prepared "
                f"({said[0] if said else 'no reason given'}): "
                "check that it is writable and that the disk has room."
            )

    def _wait_healthy(self, limit: float, report: Report) -> None:
        """Wait until both parts answer; an ended process ends the wait at once."""
        waiting = list(PARTS)
        while True:
            waiting = [part for part in waiting if not self._answers(part)]
            if not waiting:
                return
            report(f"waiting for {' and '.join(waiting)}")
            for part in waiting:
                process = self._processes[part]
                if process.pid() is None:
                    raise StackError(
                        f"{part} ended while starting ({_last_error(process.log_path)}): "
                        f"see `deptbus logs {part}`, then run `deptbus up` again."
                    )
            if time.monotonic() > limit:
                raise StackError(
                    f"{' and '.join(waiting)} did not answer within {self._settings.start_timeout_s:g} s: "
                    f"see `deptbus logs {waiting[0]}`, or raise BUS_START_TIMEOUT_S."
                )
            time.sleep(_POLL_S)

    def _answers(self, part: str) -> bool:
        if part == "kafka":
            return kafka_answers("127.0.0.1", self._settings.kafka_port)
        return registry_answers(self._registry_url)

    def _status(self, part: str) -> PartStatus:
        pid = self._processes[part].pid()
        address = f"127.0.0.1:{self._settings.kafka_port}" if part == "kafka" else self._registry_url
        return PartStatus(
            part,
            pid is not None,
            pid is not None and self._answers(part),
            address,
            pid,
            _size(self._data[part]),
        )


def _port_setting(part: str) -> str:
    return f"BUS_{part.upper()}_PORT"


def _size(path: Path) -> int:
    """Bytes on disk below ``path``; Kafka's index files are sparse, so blocks count, not lengths."""
    total = 0
    for file in path.rglob("*"):
        with contextlib.suppress(FileNotFoundError):  # segments come and go
            total += file.stat().st_blocks * 512
    return total


def _last_error(log_path: Path) -> str:
    """What the log says of an end, short enough for a sentence."""
    lines = last_lines(log_path, 100)
    for line in reversed(lines):
        if any(word in line for word in ("ERROR", "FATAL", "Exception", "Error")):
            return line.strip()[:200].rstrip(". ")
    return lines[-1].strip()[:200] if lines else "its log is empty"
