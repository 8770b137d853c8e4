"""The process around one or several stream processors: signals, health, the first error, a graceful end."""

import asyncio
import os
import signal
import sys
import threading
import traceback
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import structlog

from deptbus.clock import system_clock
from deptbus.errors import BusError
from deptbus.health import WRITE_S, health_path, write_health
from deptbus.observe.counting import PROCESS, Measure
from deptbus.observe.process import Observed, observing
from deptbus.settings import Settings
from deptbus.streams.app import App, Processor, make_app
from deptbus.streams.turn import Turns

STOP_S = 10.0
"""A graceful end that takes longer is cut off."""

_log = structlog.get_logger("deptbus.streams")


@dataclass(frozen=True, slots=True)
class Member:
    """A processor's place in its group. ``worker`` names its slot: ``advance-0``."""

    group: str
    """The physical name."""
    worker: str
    make: Callable[[threading.Event], Processor | None]
    """Makes the processor, in a thread of its own, waiting for what it needs; None when the event is set first."""


def serve(settings: Settings, name: str, members: Sequence[Member]) -> None:
    """Run the members in one loop until a signal (returns) or the first error (ends the process, see ``_die``).

    ``name`` is under which the process's health is told.
    """
    process = _Process(settings, name, members)
    with observing(settings, name, process.unready) as observed:
        asyncio.run(process.run(observed))


class _Process:
    def __init__(self, settings: Settings, name: str, members: Sequence[Member]) -> None:
        self._settings = settings
        self._name = name
        self._members = members
        self._apps: dict[str, App] = {}
        """By worker, once its processor is made."""
        self._turns = Turns()
        self._tasks: list[asyncio.Task[None]] = []
        self._measured: list[Measure] = []
        """As of the latest pulse."""

    def unready(self) -> list[str]:
        """Which members do not work yet, and why."""
        problems = []
        for member in self._members:
            app = self._apps.get(member.worker)
            if app is None:
                problems.append(f"{member.worker} waits for a workflow to be activated")
            elif not app.joined:
                problems.append(f"{member.worker} has not joined the group {member.group}")
            else:
                problems += app.processor.unready()
        return problems

    async def run(self, observed: Observed) -> None:
        """Until a signal, or the first error."""
        loop = asyncio.get_running_loop()
        self._failure: asyncio.Future[None] = loop.create_future()
        self._ending = threading.Event()
        stopped = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stopped.set)
        making = [self._spawn(self._start(member), member.worker) for member in self._members]
        self._spawn(self._tell_health(health_path(self._settings, self._name), observed), "health")
        PROCESS.ask(lambda: self._measured)
        stopping = self._spawn(_until(stopped), "stop")
        await asyncio.wait([self._failure, stopping], return_when=asyncio.FIRST_COMPLETED)
        ended = asyncio.ensure_future(self._end(making))
        await asyncio.wait([ended], timeout=STOP_S)  # not wait_for: Faust may take a cancellation for something else
        if not ended.done():
            _log.warning("cut_off", after_s=STOP_S)
            os._exit(0)
        ended.result()
        for task in self._tasks:
            task.cancel()
        _log.info("stopped", worker=self._name)

    async def _end(self, making: "Sequence[asyncio.Task[None]]") -> None:
        """End the members; the process, where one of them has failed."""
        if not self._failure.done():
            self._ending.set()
            await asyncio.wait(
                [self._failure, asyncio.ensure_future(_all(making))], return_when=asyncio.FIRST_COMPLETED
            )
        if self._failure.done():
            _die(self._name, self._failure.exception())
        await asyncio.gather(*(_end(app) for app in self._apps.values()))

    def _spawn(self, work: Awaitable[None], name: str) -> "asyncio.Task[None]":
        """Run something beside the members; its error is the process's."""

        async def run() -> None:
            try:
                await work
            except Exception as error:
                if not self._failure.done():
                    self._failure.set_exception(error)

        task = asyncio.get_running_loop().create_task(run(), name=name)
        self._tasks.append(task)
        return task

    async def _start(self, member: Member) -> None:
        processor = await asyncio.get_running_loop().run_in_executor(None, member.make, self._ending)
        if processor is None or self._ending.is_set():
            return
        app = make_app(self._settings, member.group, member.worker, processor, self._failure, self._turns)
        self._apps[member.worker] = app
        processor.start(app)
        self._spawn(app.start(), f"faust-{member.worker}")
        self._spawn(_crash(app), f"crash-{member.worker}")
        _log.info("started", group=member.group, worker=member.worker, topics=list(processor.topics))

    async def _tell_health(self, path: Path, observed: Observed) -> None:
        while True:
            observed.beat()
            apps = list(self._apps.values())
            if observed.url is not None:
                self._measured = [measure for app in apps for measure in app.processor.measures()]
            if not all(app.joined for app in apps):
                state = "joining"
            elif len(apps) < len(self._members):
                state = "waiting"
            else:
                state = "restoring" if any(app.processor.unready() for app in apps) else "working"
            counts = {
                f"{role}.{name}": count
                for worker, app in self._apps.items()
                for name, count in app.processor.health().items()
                for role in [worker.partition("-")[0]]
            }
            write_health(path, state, system_clock(), counts, observed.url)
            await asyncio.sleep(WRITE_S)


async def _until(event: asyncio.Event) -> None:
    await event.wait()


async def _all(tasks: "Sequence[asyncio.Task[None]]") -> None:
    await asyncio.gather(*tasks)


def _die(name: str, error: BaseException | None) -> None:
    """End the process at once with the error's exit code, or 1: threads of Faust would keep an unwound one alive, and
    could still commit."""
    code = 1
    if isinstance(error, BusError):
        code = error.exit_code
    else:
        traceback.print_exception(error)
    _log.error("failed", worker=name, error=f"{type(error).__name__}: {error}", exit_code=code)
    sys.stderr.flush()
    os._exit(code)


async def _crash(app: App) -> None:
    """Wait for Faust to say that something in it crashed, and make that the process's error."""
    await app._crashed.wait()
    app.fail(app.crash_reason or RuntimeError("Faust crashed without a reason"))


async def _end(app: App) -> None:
    """Finish the batches under way, commit, leave the group."""
    consumer = app.bus_consumer
    consumer.stop_flow()
    await app.processor.revoked()
    await consumer.commit()
    await app.processor.close()
    await app.stop()
