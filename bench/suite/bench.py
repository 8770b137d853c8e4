"""What a measurement is given: whether to be quick, the peers' interpreter, a broker of its own."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import cached_property
from pathlib import Path
from typing import Protocol

from rich.console import Console

from bench.suite import peers
from bench.suite.bounds import Bound, Result
from tests.broker import SharedStack, shared_stack

KAFKAS_OWN = {
    "kafka_heap": "1G",
    "kafka_jvm": "-Xms1G -server -XX:+UseG1GC -XX:MaxGCPauseMillis=20 -XX:InitiatingHeapOccupancyPercent=35 "
    "-XX:+ExplicitGCInvokesConcurrent",
}
"""The broker's JVM as Kafka's own scripts start it."""


class Measurement(Protocol):
    """A module of ``bench.measurements``."""

    BOUNDS: tuple[Bound, ...]
    measure: Callable[["Bench"], Iterable[Result]]
    """Answers a result for each bound. Without bounds it says its figures and is measured only when it is named."""


class Bench:
    """One run of the suite. Its broker and registry run as processes, are started once and end with it."""

    def __init__(self, *, quick: bool = False) -> None:
        self.quick = quick
        self.console = Console(stderr=True)
        self._ends = ExitStack()
        self._leftovers = ExitStack()

    @cached_property
    def stack(self) -> SharedStack:
        """A broker and a registry that nobody else uses."""
        return self._ends.enter_context(shared_stack("local", **KAFKAS_OWN))

    @property
    def python(self) -> Path:
        """Our interpreter."""
        return Path(sys.executable)

    @property
    def peers_python(self) -> Path:
        """The peers'."""
        return peers.python()

    def of(self, full: int, quick: int) -> int:
        """A count: of a full run, or of a quick one."""
        return quick if self.quick else full

    def say(self, text: str) -> None:
        """Tell the person who waits what goes on."""
        self.console.print(f"  {text}", markup=False, highlight=False, soft_wrap=True)

    def leave(self, drop: Callable[[], None]) -> None:
        """Have what a measurement makes on the broker dropped when it has ended: thousands of topics slow others."""
        self._leftovers.callback(drop)

    @contextmanager
    def measurement(self) -> Iterator[None]:
        """One measurement: however it ends, what it has left is dropped."""
        with self._leftovers:
            yield

    def close(self) -> None:
        """End the broker and the registry."""
        self._ends.close()
