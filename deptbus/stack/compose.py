"""The stack in containers: ``kafka`` and ``registry`` of ``compose.yaml``, on the ports of the settings."""

import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence

from deptbus.errors import StackError
from deptbus.settings import Settings
from deptbus.stack.part import PARTS, PartStatus, Report
from deptbus.stack.probe import kafka_answers, registry_answers

_POLL_S = 0.2


class ComposeStack:
    """Containers of Docker Compose, old (``docker-compose``) or new (``docker compose``)."""

    kind = "compose"

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._registry_url = f"http://127.0.0.1:{settings.registry_port}/apis/ccompat/v7"

    def up(self, report: Report) -> None:
        """See ``Stack.up``. Pulling images is not counted in the start's limit."""
        report("starting containers")
        self._compose("up", "-d", *PARTS)
        limit = time.monotonic() + self._settings.start_timeout_s
        while waiting := [part for part in PARTS if not self._answers(part)]:
            report(f"waiting for {' and '.join(waiting)}")
            if time.monotonic() > limit:
                raise StackError(
                    f"{' and '.join(waiting)} did not answer within {self._settings.start_timeout_s:g} s: "
                    f"see `deptbus logs {waiting[0]}`, or raise BUS_START_TIMEOUT_S."
                )
            time.sleep(_POLL_S)

    def down(self, report: Report) -> None:
        """See ``Stack.down``; volumes stay."""
        report("stopping containers")
        self._compose("down")

    def status(self) -> list[PartStatus]:
        """See ``Stack.status``."""
        return [self._status(part) for part in PARTS]

    def logs(self, parts: Sequence[str], lines: int, follow: bool) -> Iterator[tuple[str, str]]:
        """See ``Stack.logs``."""
        command = [
            *self._command(),
            "logs",
            "--no-color",
            f"--tail={lines}",
            *(["-f"] if follow else []),
            *parts,
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for text in process.stdout:
                service, bar, line = text.rstrip("\n").partition("|")
                part = next((one for one in parts if service.startswith(one)), None)
                if bar and part:
                    yield part, line.removeprefix(" ")

    def _answers(self, part: str) -> bool:
        if part == "kafka":
            return kafka_answers("127.0.0.1", self._settings.kafka_port)
        return registry_answers(self._registry_url)

    def _status(self, part: str) -> PartStatus:
        address = f"127.0.0.1:{self._settings.kafka_port}" if part == "kafka" else self._registry_url
        container = self._compose("ps", "-q", part).strip()
        if not container:
            return PartStatus(part, False, False, address)
        said = _run("docker", "inspect", "-f", "{{.State.Running}} {{.State.Pid}}", container).split()
        running = said[0] == "true"
        return PartStatus(part, running, running and self._answers(part), address, int(said[1]) if running else None)

    def _compose(self, *arguments: str) -> str:
        return _run(*self._command(), *arguments)

    def _command(self) -> list[str]:
        settings = self._settings
        ports = [f"BUS_KAFKA_PORT={settings.kafka_port}", f"BUS_REGISTRY_PORT={settings.registry_port}"]
        return ["env", *ports, *compose_command(), "-f", str(settings.root / "compose.yaml")]


def compose_command() -> list[str]:
    """How Compose is called here; ``StackError`` where it is not installed."""
    if shutil.which("docker"):
        known = subprocess.run(["docker", "compose", "version"], capture_output=True, check=False)
        if known.returncode == 0:
            return ["docker", "compose"]
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    raise StackError(
        "Docker Compose is not installed: install it, or install Maven and set BUS_STACK=local, "
        "or set BUS_STACK=external with BUS_BOOTSTRAP_SERVERS and BUS_SCHEMA_REGISTRY_URL."
    )


def _run(*command: str) -> str:
    """The output of a Docker command; ``StackError`` with its last words where it fails."""
    answer = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if answer.returncode != 0:
        said = answer.stderr.strip().splitlines()
        raise StackError(
            f"Docker Compose failed ({said[-1].strip()[:300].rstrip('. ') if said else 'no reason given'}): "
            "check that the Docker Engine runs (`docker info`) and that the ports are free."
        )
    return answer.stdout
