"""A broker that stands still for longer than a session, again and again, while events come: as on a machine that is
short of memory. Nothing is lost and nothing comes twice, no worker ends, and no department stops hearing."""

import asyncio
import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from deptbus.bootstrap import connect
from deptbus.folding import fold_namespace
from deptbus.health import health_path, read_health
from deptbus.record import Event
from deptbus.settings import Settings
from deptbus.stack.local import LocalStack
from deptbus.streams.correlate import PULSE_S
from deptbus.streams.process import STOP_S
from tests.faults.play import own_stack
from tests.streams.world import CASES, Workers, World, counting, environment
from tests.waiting import wait_until
from tests.workflow.world import START, sample

pytestmark = [pytest.mark.kafka, pytest.mark.faults, pytest.mark.timeout(400)]

TIMES, STANDS_S, GOES_S = 6, 6.5, 5.0
"""A session is 6 s."""
PER_S = 300
LIMIT_S = 90


@pytest.fixture
def standing(request: pytest.FixtureRequest) -> Iterator[tuple[Settings, LocalStack]]:
    with own_stack(lambda: bool(request.session.testsfailed)) as both:
        yield both


def test_a_broker_that_stands_still_loses_nothing(standing: tuple[Settings, LocalStack], tmp_path: Path) -> None:
    settings, stack = standing
    world = World(settings)
    world.activate(counting())
    workers = Workers(settings, environment(settings, settings.environment(), tmp_path), tmp_path)
    try:
        name = workers.start("workflow")
        broker = stack.pid("kafka")
        assert broker is not None
        with _hearing(settings) as heard:
            regions = _publish(world, broker)
            wait_until(lambda: len(heard) == len(regions), "every event heard by a department", LIMIT_S)
        assert heard == Counter(regions)

        def asked() -> Counter[str]:
            return Counter(data["instance"].split("/")[1] for _, kind, data in world.read("workflow.tasks")
                           if kind == "workflow.TaskRequested")  # fmt: skip

        wait_until(lambda: len(asked()) == len(regions), f"every task\n{workers.log(name)}", LIMIT_S)
        assert asked() == Counter(regions)
        assert workers.stop(name) == 0
    finally:
        workers.end()
        world.close()
    result = fold_namespace(settings, outputs=True)
    assert result.differences == ()
    assert result.instances == len(regions)


def test_a_worker_is_stopped_while_its_broker_stands_still(
    standing: tuple[Settings, LocalStack], tmp_path: Path
) -> None:
    """It has asked the broker, and waits for no answer: whoever stops it waits for ``STOP_S`` at most."""
    settings, stack = standing
    world = World(settings)
    world.activate(counting())
    workers = Workers(settings, environment(settings, settings.environment(), tmp_path), tmp_path)
    name = workers.start("workflow")
    process = workers.running[name]
    broker = stack.pid("kafka")
    assert broker is not None
    path = health_path(settings.model_copy(update={"run_dir": tmp_path}), name)

    def told() -> dict[str, Any]:
        return read_health(path, 0)[1]

    try:
        wait_until(lambda: told()["state"] == "working", f"a worker\n{workers.log(name)}", LIMIT_S)
        os.kill(broker, signal.SIGSTOP)
        before_ms = told()["at_ms"]
        wait_until(lambda: told()["at_ms"] > before_ms + 2_000 * PULSE_S, "its questions", LIMIT_S)
        process.terminate()
        assert process.wait(STOP_S + 5) == 0, workers.log(name)
    finally:
        os.kill(broker, signal.SIGCONT)
        workers.end()
        world.close()


@contextmanager
def _hearing(settings: Settings) -> Iterator[Counter[str]]:
    """A department that subscribes; the regions it has heard of, each time its handler was called."""
    heard: Counter[str] = Counter()
    cdc = connect(settings, "cdc")

    @cdc.subscribe(CASES)
    def hear(event: Event) -> None:
        heard[event.data["region"]] += 1

    with ThreadPoolExecutor(1) as pool:
        serving = pool.submit(asyncio.run, cdc.serve())
        try:
            yield heard
        finally:
            cdc.stop()
            serving.result()
            cdc.close()


def _publish(world: World, broker: int) -> list[str]:
    """Events at a rate, each of a region of its own, while the broker stands still now and then; the regions."""
    over = threading.Event()
    stopping = threading.Thread(target=_stand_still, args=(broker, over))
    stopping.start()
    publisher = world.publisher("health")
    regions: list[str] = []
    pending = []
    began = time.monotonic()
    while not over.wait(max(0.0, began + len(regions) / PER_S - time.monotonic())):
        region = f"44{len(regions):06}"
        data = sample(CASES, region=region, count=1)
        pending.append(publisher.send(publisher.prepare(CASES, data, subject=region, region=region, time_ms=START)))
        regions.append(region)
    stopping.join()
    world.sender.flush()
    for one in pending:
        one.result().require()
    return regions


def _stand_still(broker: int, over: threading.Event) -> None:
    try:
        for _ in range(TIMES):
            time.sleep(GOES_S)
            os.kill(broker, signal.SIGSTOP)
            time.sleep(STANDS_S)
            os.kill(broker, signal.SIGCONT)
    finally:
        os.kill(broker, signal.SIGCONT)
        over.set()
