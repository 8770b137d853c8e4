"""The dashboard as a process, as operations run it."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import httpx

from services.dashboard.web.app import STATIC
from tests.waiting import wait_until

START_S = 60
ROOT = Path(__file__).parents[2]


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Served:
    """``deptbus-dashboard serve`` on a port of its own, which it has again after a restart. A context manager."""

    def __init__(self, environment: Mapping[str, str], folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = {
            **os.environ, **environment, "BUS_DASHBOARD_PORT": str(self.port),
            "BUS_DASHBOARD_DATABASE": f"sqlite:///{folder}/dashboard.db", "PYTHONPATH": str(ROOT),
        }  # fmt: skip
        self._log = folder / "dashboard.log"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it follows the bus."""
        command = [sys.executable, "-m", "services.dashboard.cli", "serve"]
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(command, env=self._environment, stdout=log, stderr=subprocess.STDOUT)
        wait_until(self._follows, f"the dashboard to follow the bus:\n{self._log.read_text()}", START_S)

    def kill(self) -> None:
        """As a crash would."""
        if self.process is not None and self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(10)

    def _follows(self) -> bool:
        assert self.process is not None
        if self.process.poll() is not None:
            raise AssertionError(f"the dashboard ended with {self.process.returncode}:\n{self._log.read_text()}")
        try:
            return bool(httpx.get(f"{self.url}/api/ready", timeout=2).status_code == httpx.codes.OK)
        except httpx.HTTPError:
            return False

    def __enter__(self) -> "Served":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.kill()


def page_is_built() -> bool:
    """Whether ``make page`` was run."""
    return (STATIC / "index.html").is_file()
