"""correlate and advance as processes on a real broker: killed at every point, several of them, with poison."""

import pytest

from deptbus.envelope import Envelope, to_headers
from deptbus.health import health_path
from deptbus.settings import Settings
from tests.streams.world import CASES, LIMIT_S, REGIONS, Workers, World, counting
from tests.waiting import wait_until
from tests.workflow.world import START

pytestmark = pytest.mark.kafka


def test_events_become_tasks_once(world: World, workers: Workers) -> None:
    world.activate(counting())
    workers.start("correlate")
    workers.start("advance")
    world.publish(REGIONS * 3)
    world.wait_for_entries(120)
    world.tick(0)
    world.wait_for_step(0)
    world.wait_for_cases(3)
    requested = [data["instance"] for _, kind, data in world.read("workflow.tasks") if kind == "workflow.TaskRequested"]
    assert sorted(requested) == sorted(f"counting/{region}/1" for region in REGIONS)
    report = world.reports("advance")[-1]
    assert set(report["outputs"]) >= {report_of.replace("journal", "tasks") for report_of in report["positions"]}
    assert sum(data["asked"] for data in world.reports("advance")) == len(REGIONS)
    assert workers.stop("correlate-0") == 0
    assert workers.stop("advance-0") == 0


@pytest.mark.parametrize("failpoint", ["after-poll:2", "after-append:2"])
def test_a_killed_correlate_loses_nothing(world: World, workers: Workers, failpoint: str) -> None:
    world.activate(counting())
    name = workers.start("correlate", failpoint=failpoint)
    process = workers.running[name]

    def published() -> bool:
        world.publish(REGIONS[:3])
        return process.poll() is not None

    wait_until(published, f"{name} to be killed", LIMIT_S)
    assert workers.dies(name) == -9
    workers.start("correlate")
    world.wait_for_entries(world.published)


def test_what_cannot_be_decoded_is_a_dead_letter_and_its_neighbours_flow(world: World, workers: Workers) -> None:
    world.activate(counting())
    envelope = Envelope(id="x", type=CASES, source="/departments/health", time_ms=START, mode="exercise")
    whole = world.codec.encode(CASES, {**_data(), "region": "440100"})
    poison = {
        "bad_magic": b"\x07" + whole[1:],
        "unknown_schema": b"\x00\x7f\xff\xff\xff" + whole[5:],
        "undecodable": whole[:-6],
        "too_large": whole + bytes(2_000_000),
    }
    for value in poison.values():
        world.send_raw("health.cases", value, to_headers(envelope))
    world.send_raw("health.cases", whole, [*to_headers(envelope)[:-1], ("ce_subject", b"\xff\xfe")])
    world.publish(REGIONS)
    world.publish(REGIONS[:1], mode="actual")
    workers.start("correlate")
    world.wait_for_entries(40)
    wait_until(lambda: len(world.read("bus.deadletters")) == 5, "five dead letters", LIMIT_S)
    letters = [data for _, _, data in world.read("bus.deadletters")]
    assert sorted(data["reason"] for data in letters) == sorted([*poison, "headers"])
    assert {data["reason"]: data["value"] for data in letters}["undecodable"] == poison["undecodable"]
    assert set(world.journalled().values()) == {1}
    assert len(world.journalled()) == 40


def _data() -> dict[str, object]:
    return {
        "region": "", "province": "", "city": "", "count": 1, "total": 1, "date": "", "source_reference": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    "failpoint", ["after-poll:4", "after-outputs:4", "inside-transaction", "after-commit", "while-restoring:2"]
)
def test_a_killed_advance_goes_on_exactly(world: World, workers: Workers, failpoint: str) -> None:
    world.activate(counting())
    workers.start("correlate")
    name = workers.start("advance", failpoint=failpoint)
    for step in range(3):
        world.publish(REGIONS, time_ms=START + step * 3_600_000)
        world.wait_for_entries(40 * (step + 1))
        world.tick(step)
        if step == 0:
            assert workers.dies(name) == -9
            workers.start("advance")
        world.wait_for_step(step)
    world.wait_for_cases(3)
    for topic in ("workflow.tasks", "workflow.timeline", "workflow.events"):
        assert world.repeated(topic) == []


def test_partitions_move_between_workers(world: World, workers: Workers) -> None:
    world.activate(counting())
    workers.start("correlate")
    workers.start("advance", 0)
    world.publish(REGIONS)
    world.wait_for_entries(40)
    world.tick(0)
    world.wait_for_step(0)
    workers.start("advance", 1)
    wait_until(lambda: "restored" in workers.log("advance-1"), "advance-1 to own partitions", LIMIT_S)
    world.publish(REGIONS, time_ms=START + 3_600_000)
    world.wait_for_entries(80)
    world.tick(1)
    world.wait_for_step(1)
    assert {data["worker"] for data in world.reports("advance") if data["step"] == 1} == {"advance-0", "advance-1"}
    assert workers.stop("advance-0") == 0
    world.publish(REGIONS, time_ms=START + 7_200_000)
    world.wait_for_entries(120)
    world.tick(2)
    world.wait_for_step(2)
    world.wait_for_cases(3)
    assert world.repeated("workflow.tasks") == []


def test_of_two_processes_in_one_slot_one_ends(world: World, workers: Workers) -> None:
    world.activate(counting())
    workers.start("correlate")
    workers.start("advance")
    world.publish(REGIONS)
    world.wait_for_entries(40)
    world.tick(0)
    world.wait_for_step(0)
    workers.running["first"] = workers.running.pop("advance-0")
    workers.start("advance")
    pair = {name: workers.running[name] for name in ("first", "advance-0")}
    wait_until(lambda: any(process.poll() is not None for process in pair.values()), "one to end", LIMIT_S)
    assert "another process runs as advance-0" in workers.log("advance-0")
    world.publish(REGIONS, time_ms=START + 3_600_000)
    world.wait_for_entries(80)
    world.tick(1)
    world.wait_for_step(1)
    world.wait_for_cases(2)
    assert world.repeated("workflow.tasks") == []


def test_a_pack_with_new_topics_starts_the_worker_again(world: World, workers: Workers, settings: Settings) -> None:
    name = workers.start("correlate")
    path = health_path(settings.model_copy(update={"run_dir": workers.directory}), name)
    wait_until(path.exists, "the worker to wait for a pack", LIMIT_S)
    world.activate(counting())
    world.publish(REGIONS[:3])
    world.wait_for_entries(3)
    more = {"rule": "shortage", "on": "hospitals.ResourceShort", "key": "event.region", "window": "1d", "basis": "x"}
    world.activate(counting(2, [more]))
    assert workers.dies(name) == 75
    workers.start("correlate")
    wait_until(lambda: workers.log(name).count("assigned") == 2, "the worker to be back", LIMIT_S)
