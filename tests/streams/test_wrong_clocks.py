"""Actual life with wrong clocks: what producers and workers take for the time decides nothing, the broker's does."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from deptbus.clock import Clock, system_clock
from deptbus.health import health_path, read_health
from deptbus.ids import random_id
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from deptbus.namespace import Namespace
from deptbus.packs import Packs
from deptbus.publishing import Publisher
from deptbus.record import Record
from deptbus.settings import Settings
from deptbus.workflow.activation import Ordered
from deptbus.workflow.pack import Pack
from tests.broker import SharedStack
from tests.streams.world import CASES, LIMIT_S, Workers, World
from tests.waiting import wait_until
from tests.workflow.definitions import rule, small, step
from tests.workflow.world import HOUR, sample

pytestmark = pytest.mark.kafka

AHEAD, BEHIND = 2 * HOUR, -2 * HOUR
FOLDER = Path(__file__).parent / "wrong_clock"
LADDER = [{"at": "acknowledge_by", "to": "command_post"}, {"at": "complete_by", "to": "upper_government"}]


def watched(version: int = 1) -> Pack:
    """Asks twice: for what is due at once, and for what is due in an hour."""
    return small(
        workflow="watched", version=version, escalate=LADDER,
        rules=[rule("cases", CASES, opens=True, set={"cases": "facts.cases + event.count"})],
        steps=[
            step("now", acknowledge_by="0m", complete_by="1h"),
            step("soon", acknowledge_by="1h", complete_by="90m" if version == 1 else "3h"),
        ],
    )  # fmt: skip


def wrong(by_ms: int) -> Clock:
    """A clock that is wrong."""
    return lambda: system_clock() + by_ms


@pytest.fixture
def namespace(stack: SharedStack) -> Iterator[Namespace]:
    """Actual life itself; the tests' broker has nothing else in it."""
    yield Namespace()
    admin = Admin(client_configuration(stack.settings()))
    admin.delete(Namespace(), admin.names(Namespace()))


@pytest.fixture
def settings(stack: SharedStack, namespace: Namespace) -> Settings:
    return stack.settings(namespace=namespace.name)


class Departments:
    """Publish by clocks of their own."""

    def __init__(self, world: World) -> None:
        self.world = world

    def _publisher(self, owner: str, by_ms: int) -> Publisher:
        world = self.world
        return Publisher(
            owner, world.catalogue, world.codec, world.sender,
            namespace=world.settings.world, clock=wrong(by_ms), ids=random_id, process="test",
        )  # fmt: skip

    def report(self, region: str, by_ms: int) -> None:
        """A case, which opens an instance."""
        publisher = self._publisher("health", by_ms)
        data = sample(CASES, region=region, count=1)
        publisher.send(publisher.prepare(CASES, data, subject=region, region=region)).result().require()

    def acknowledge(self, region: str, name: str, by_ms: int) -> None:
        """The answer to the task of a step."""
        wait_until(lambda: (region, name) in self.requested(), f"the task {name} of {region}", LIMIT_S)
        task = self.requested()[region, name]
        publisher = self._publisher("health", by_ms)
        data = {"task": task["task"], "disposition": "acknowledged", "note": None}
        about = {"subject": task["task"], "correlation_id": task["instance"]}
        publisher.send(publisher.prepare("health.TaskAnswered", data, **about)).result().require()

    def requested(self) -> dict[tuple[str, str], dict[str, object]]:
        """The tasks by region and step."""
        return {
            (str(data["instance"]).split("/")[1], data["step"]): data
            for _, kind, data in self.world.read("workflow.tasks")
            if kind == "workflow.TaskRequested"
        }

    def opened(self) -> dict[str, Record]:
        """What the broker has recorded of each region's case."""
        return {data["region"]: record for record, _, data in self.world.read("health.cases")}

    def escalated(self) -> list[tuple[str, str, int]]:
        """Region, step and due time of every escalation, in order."""
        return sorted(
            (data["instance"].split("/")[1], data["step"], data["due"])
            for _, kind, data in self.world.read("workflow.tasks")
            if kind == "workflow.TaskEscalated"
        )

    def verdicts(self) -> list[tuple[str, str, str]]:
        """Region, step and how each answer was taken, in order."""
        return sorted(
            (data["instance"].split("/")[1], data["rule"], data["kind"])
            for _, _, data in self.world.read("workflow.timeline")
            if data["kind"].startswith("acknowledged")
        )

    def ticks(self) -> list[tuple[int, int]]:
        """What each tick says, and when the broker recorded it."""
        return [
            (data["entry"]["at"], record.timestamp_ms)
            for record, _, data in self.world.read("workflow.journal")
            if data["entry"]["kind"] == "tick"
        ]

    def check(self) -> None:
        """Every request and escalation is dated by the broker, and no tick by anything else."""
        opened = self.opened()
        for (region, _), task in self.requested().items():
            assert task["requested_at"] == opened[region].timestamp_ms
        assert self.escalated() == [(region, "now", opened[region].timestamp_ms) for region in sorted(opened)]
        first = min(record.timestamp_ms for record in opened.values())
        for at, recorded_ms in self.ticks():
            assert first <= at <= recorded_ms


@pytest.fixture
def departments(world: World) -> Departments:
    world.activate(watched())
    return Departments(world)


def start(workers: Workers, role: str, slot: int, by_ms: int) -> str:
    """Start a worker on a machine whose clock is wrong."""
    path = os.pathsep.join([str(FOLDER), workers.environment["PYTHONPATH"]])
    kept = dict(workers.environment)
    workers.environment |= {"PYTHONPATH": path, "WRONG_BY_S": str(by_ms // 1000)}
    try:
        return workers.start(role, slot)
    finally:
        workers.environment.clear()
        workers.environment |= kept


def wrong_by(workers: Workers, name: str) -> int:
    """By how many hours a worker's clock is wrong, by what it writes of its health."""
    path = health_path(workers.settings.model_copy(update={"run_dir": workers.directory}), name)
    wait_until(path.exists, f"the health of {name}", LIMIT_S)
    return round((read_health(path, 0)[1]["at_ms"] - system_clock()) / HOUR)


@pytest.mark.parametrize(
    ("correlate", "advance"),
    [(0, 0), (AHEAD, BEHIND), (BEHIND, AHEAD)],
    ids=["right clocks", "correlate ahead, advance behind", "correlate behind, advance ahead"],
)
def test_verdicts_and_escalations_are_the_same_whatever_the_clocks_say(
    departments: Departments, workers: Workers, correlate: int, advance: int
) -> None:
    start(workers, "correlate", 0, correlate)
    start(workers, "advance", 0, advance)
    assert [wrong_by(workers, name) * HOUR for name in ("correlate-0", "advance-0")] == [correlate, advance]
    for region, by_ms in (("440100", 0), ("440300", AHEAD), ("440500", BEHIND)):
        departments.report(region, by_ms)
        departments.acknowledge(region, "soon", -by_ms)
    wait_until(lambda: len(departments.escalated()) == 3, "the escalations", LIMIT_S)
    for region, by_ms in (("440100", 0), ("440300", BEHIND), ("440500", AHEAD)):
        departments.acknowledge(region, "now", by_ms)
    wait_until(lambda: len(departments.verdicts()) == 6, "the answers to be taken", LIMIT_S)
    assert departments.verdicts() == [
        (region, name, kind)
        for region in ("440100", "440300", "440500")
        for name, kind in (("now", "acknowledged_late"), ("soon", "acknowledged"))
    ]
    departments.check()


def test_partitions_pass_between_workers_whose_clocks_are_four_hours_apart(
    departments: Departments, workers: Workers
) -> None:
    start(workers, "correlate", 0, BEHIND)
    start(workers, "advance", 0, AHEAD)
    regions = [f"4401{number:02}" for number in range(8)]
    for region in regions[:4]:
        departments.report(region, 0)
    wait_until(lambda: len(departments.escalated()) == 4, "the first escalations", LIMIT_S)
    start(workers, "advance", 1, BEHIND)
    wait_until(lambda: "restored" in workers.log("advance-1"), "advance-1 to own partitions", LIMIT_S)
    workers.kill("advance-0")
    for region in regions[4:6]:
        departments.report(region, 0)
    wait_until(lambda: len(departments.escalated()) == 6, "those that follow", LIMIT_S)
    start(workers, "advance", 0, AHEAD)
    wait_until(lambda: workers.log("advance-0").count("assigned") == 3, "advance-0 to be back", LIMIT_S)
    assert workers.stop("advance-1") == 0
    for region in regions[6:]:
        departments.report(region, 0)
    wait_until(lambda: len(departments.escalated()) == 8, "the last escalations", LIMIT_S)
    departments.check()


def test_an_order_to_move_instances_is_dated_by_the_broker(
    departments: Departments, workers: Workers, settings: Settings
) -> None:
    """The officer's clock is two hours ahead: deadlines that follow from the move do not."""
    world = departments.world
    start(workers, "correlate", 0, 0)
    start(workers, "advance", 0, 0)
    departments.report("440100", 0)
    wait_until(departments.escalated, "the instance to stand still", LIMIT_S)
    world.activate(watched(2))
    with Packs(settings, world.catalogue, world.codec) as packs:
        act = packs.migrate(watched(2), packs.running("watched"), Ordered("Chen", "law 9", "more time"), wrong(AHEAD)())
    acts = [(data["act"], data["outcome"], record) for record, _, data in world.read("bus.audit")]
    assert [act[:2] for act in acts[-2:]] == [("packs.migrate", "started"), ("packs.migrate", "done")]
    audited = acts[-2][2]
    entries = [data["entry"] for _, _, data in world.read("workflow.journal")]
    [move] = [entry for entry in entries if entry["kind"] == "migration"]
    assert (move["at"], move["event"]["id"]) == (audited.timestamp_ms, act)
