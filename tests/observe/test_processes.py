"""What real processes tell of themselves, scraped over HTTP."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deptbus.envelope import Envelope, from_headers, to_headers
from deptbus.observe.names import ALL
from deptbus.settings import Settings
from tests.broker import SharedStack
from tests.observe.collecting import collecting
from tests.observe.scraping import Scrape, get, health, scraped, url_of
from tests.ports import free_ports
from tests.streams.world import CASES, REGIONS, Workers, World, counting, environment
from tests.waiting import wait_until
from tests.workflow.world import START, sample

pytestmark = pytest.mark.kafka

KNOWN = {
    name
    for metric in ALL
    for name in (
        [f"{metric.name}{end}" for end in ("_bucket", "_sum", "_count")]
        if metric.kind == "histogram"
        else [metric.name, metric.name.replace("_total", "_created")]
    )
}


@pytest.fixture
def workers(stack: SharedStack, settings: Settings, tmp_path: Path) -> Iterator[Workers]:
    """Worker processes that serve metrics on any free port."""
    variables = environment(settings, stack.environment(), tmp_path) | {"BUS_METRICS_PORT": "0"}
    started = Workers(settings, variables, tmp_path)
    yield started
    started.end()


@pytest.fixture
def world(settings: Settings, workers: Workers) -> Iterator[World]:
    made = World(settings)
    yield made
    made.close()
    workers.end()


def _url(workers: Workers, name: str) -> str:
    return url_of(workers.directory / "health" / f"{workers.settings.world.physical(name)}.json")


def _state_bytes(world: World) -> int:
    """The newest snapshots, by key."""
    newest = {
        record.key: len(record.value or b"")
        for record, kind, _ in world.read("workflow.instances")
        if kind in ("workflow.InstanceChanged", "workflow.KeyChanged")
    }
    return sum(newest.values())


def test_workers_tell_what_they_read_wrote_and_hold(world: World, workers: Workers) -> None:
    world.activate(counting())
    correlate = _url(workers, workers.start("correlate"))
    advance = _url(workers, workers.start("advance"))
    world.publish(REGIONS * 3)
    world.send_raw("health.cases", b"\x07no", to_headers(Envelope("x", CASES, "/departments/health", START)))
    seen = scraped(correlate, "deptbus_events_received_total", 121, type=CASES)
    assert seen.value("deptbus_dead_letters_total", reason="bad_magic") is None, "it is of another mode"
    scraped(correlate, "deptbus_foreign_mode_total", 1, service="correlate")
    scraped(correlate, "deptbus_events_published_total", 120, type="workflow.EntryAppended")
    world.tick(0)
    scraped(advance, "deptbus_open_tasks", 40, workflow="counting")
    scraped(advance, "deptbus_consumer_lag", 0, group="advance", topic="workflow.journal")
    scraped(correlate, "deptbus_consumer_lag", 0, group="correlate", topic="health.cases")
    seen = Scrape(advance)
    assert seen.value("deptbus_open_instances", workflow="counting") == 40
    assert seen.value("deptbus_overdue_tasks", workflow="counting") == 0
    assert seen.value("deptbus_events_published_total", type="workflow.TaskRequested") == 40
    assert seen.value("deptbus_transactions_total", result="committed")
    assert seen.value("deptbus_batch_duration_seconds_count", role="advance")
    world.tick(1)
    scraped(advance, "deptbus_overdue_tasks", 40, workflow="counting")
    scraped(advance, "deptbus_state_bytes", _state_bytes(world))
    assert health(advance, "ready") == (200, [])
    assert (seen.names() | Scrape(correlate).names()) <= KNOWN


def test_a_worker_that_starts_again_counts_what_it_restored(world: World, workers: Workers) -> None:
    world.activate(counting())
    workers.start("correlate")
    workers.start("advance")
    world.publish(REGIONS)
    world.wait_for_entries(40)
    world.tick(0)
    world.tick(1)
    world.wait_for_step(1)
    workers.kill("advance-0")
    (workers.directory / "health" / f"{world.settings.world.physical('advance-0')}.json").unlink()
    advance = _url(workers, workers.start("advance"))
    seen = scraped(advance, "deptbus_overdue_tasks", 40, workflow="counting")
    assert seen.value("deptbus_open_tasks", workflow="counting") == 40
    assert seen.value("deptbus_open_instances", workflow="counting") == 40
    assert seen.value("deptbus_uncounted_instances") == 0
    assert seen.value("deptbus_state_bytes") == _state_bytes(world)
    partitions = world.catalogue.topic("workflow.journal").partitions
    assert seen.value("deptbus_restore_progress_ratio") == partitions
    world.publish(REGIONS, time_ms=START + 8_000_000)
    world.tick(2)
    world.wait_for_step(2)
    scraped(advance, "deptbus_state_bytes", _state_bytes(world))
    assert Scrape(advance).value("deptbus_open_tasks") == 40


def test_a_worker_is_ready_once_it_has_its_partitions_and_a_workflow(world: World, workers: Workers) -> None:
    url = _url(workers, workers.start("workflow"))
    waits = "correlate-0 waits for a workflow to be activated"
    wait_until(lambda: health(url, "ready") == (503, [waits]), "only the workflow to be missing")
    assert health(url, "live") == (200, [])
    world.activate(counting())
    wait_until(lambda: health(url, "ready") == (200, []), "readiness")
    assert Scrape(url).value("deptbus_ready") == 1


def test_a_service_tells_what_became_of_its_events(world: World, workers: Workers, settings: Settings) -> None:
    [port] = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    with (workers.directory / "reader.log").open("wb") as log:
        reader = subprocess.Popen(
            [sys.executable, "-m", "tests.observe.reader"],
            env=workers.environment | {"BUS_METRICS_PORT": str(port), "BUS_HANDLER_BACKOFF_MS": "1"},
            stdout=log, stderr=log, cwd=settings.root,
        )  # fmt: skip
    try:
        world.publish(REGIONS)
        publisher = world.publisher("health")
        for city in ("again", "never"):
            data = sample(CASES, region="440100", count=1) | {"city": city}
            publisher.send(publisher.prepare(CASES, data, subject="440100", region="440100", time_ms=START))
        world.sender.flush()

        def handled() -> bool:
            assert reader.poll() is None, (workers.directory / "reader.log").read_text()
            return _answers(url) and Scrape(url).value("deptbus_handle_duration_seconds_count") == 42

        wait_until(handled, "every event to be handled")
        seen = scraped(url, "deptbus_dead_letters_total", 1, group="cdc", reason="handler")
        assert seen.value("deptbus_events_received_total", type=CASES) == 42
        assert seen.value("deptbus_retries_total", service="cdc") == 3, "one once, the other twice"
        assert seen.value("deptbus_events_published_total", type="bus.DeadLettered") == 1
        assert seen.value("deptbus_handle_duration_seconds_bucket", service="cdc", type=CASES, le="+Inf") == 42
        scraped(url, "deptbus_consumer_lag", 0, group="cdc", topic="health.cases")
        assert health(url, "ready") == (200, [])
        assert seen.names() <= KNOWN
        reader.send_signal(signal.SIGTERM)
        assert reader.wait(20) == 0
    finally:
        if reader.poll() is None:
            reader.kill()
            reader.wait(10)


def _answers(url: str) -> bool:
    try:
        return get(f"{url}/health/live")[0] == 200
    except OSError:
        return False


def test_a_trace_goes_on_through_workers_and_is_sent_to_a_collector(world: World, workers: Workers) -> None:
    with collecting() as collector:
        workers.environment |= {"BUS_OTLP_ENDPOINT": collector.url, "BUS_TRACE_RATIO": "1"}
        world.activate(counting())
        workers.start("workflow")
        world.publish(REGIONS[:1])
        world.wait_for_entries(1)
        world.tick(0)
        world.wait_for_step(0)
        [case] = [from_headers(record.headers) for record, _, _ in world.read("health.cases")]
        [task] = [from_headers(one.headers) for one, _, _ in world.read("workflow.tasks")]
        assert case.traceparent is not None
        assert task.traceparent is not None
        trace = case.traceparent.split("-")[1]
        assert task.traceparent.split("-")[1] == trace, "the task belongs to the case's trace"
        wait_until(lambda: collector.named("send workflow.tasks"), "the span of the request")
        [entry], [request] = collector.named("send workflow.journal"), collector.named("send workflow.tasks")
        assert {entry.trace_id.hex(), request.trace_id.hex()} == {trace}
        assert entry.parent_span_id.hex() == case.traceparent.split("-")[2]
        assert request.parent_span_id == entry.span_id
        assert request.span_id.hex() == task.traceparent.split("-")[2]
        wait_until(lambda: collector.named("advance workflow.journal"), "the span of the batch")
        linked = {link.span_id for span in collector.named("advance workflow.journal") for link in span.links}
        assert entry.span_id in linked
        assert any(
            link.trace_id.hex() == trace for span in collector.named("correlate health.cases") for link in span.links
        )
        assert workers.stop("workflow-0") == 0
