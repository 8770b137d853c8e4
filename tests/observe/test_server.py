"""The HTTP server of a process: what it answers, and to whom."""

import threading
import urllib.request
from collections.abc import Iterator

import pytest

from deptbus.errors import SettingsError
from deptbus.observe import names, process
from deptbus.observe.counting import BOUNDS, PROCESS, Counts, Measure
from deptbus.observe.exposing import Exposed
from deptbus.observe.process import Observed, observing
from deptbus.settings import Settings
from tests.observe.scraping import Scrape, get, health
from tests.waiting import wait_until

NOBODY = "127.0.0.1:1"
"""Where no broker answers."""


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> None:
    """A broker answers."""
    monkeypatch.setattr("deptbus.kafka.reach.Reach.away", lambda self: None)


@pytest.fixture
def observed(reached: None) -> Iterator[Observed]:
    """A process with a server."""
    with observing(Settings.load(metrics_port=0), "advance-0") as one:
        yield one


def test_there_are_metrics_and_health_and_nothing_else(observed: Observed) -> None:
    assert observed.url is not None
    scrape = Scrape(observed.url)
    assert scrape.value("deptbus_ready") == 1
    assert scrape.value("deptbus_worker_info", worker="advance-0", namespace="") == 1
    assert scrape.value("process_resident_memory_bytes")
    assert health(observed.url, "live") == (200, [])
    assert health(observed.url, "ready") == (200, [])
    for path in ("/", "/metrics/../etc/passwd", "/health"):
        assert get(observed.url + path)[0] == 404
    request = urllib.request.Request(f"{observed.url}/metrics", data=b"x", method="POST")
    with pytest.raises(urllib.error.HTTPError, match="501"):
        urllib.request.urlopen(request, timeout=5)


def test_openmetrics_is_served_to_who_asks_for_it(observed: Observed) -> None:
    request = urllib.request.Request(f"{observed.url}/metrics", headers={"Accept": "application/openmetrics-text"})
    with urllib.request.urlopen(request, timeout=5) as answer:
        assert answer.headers["Content-Type"].startswith("application/openmetrics-text")
        assert answer.read().endswith(b"# EOF\n")


def test_only_this_machine_is_answered_unless_it_is_said_otherwise(observed: Observed) -> None:
    assert observed.url is not None
    assert observed.url.startswith("http://127.0.0.1:")
    with observing(Settings.load(metrics_port=0, metrics_host="0.0.0.0"), "advance-1") as wide:
        assert wide.url is not None
        assert wide.url.startswith("http://0.0.0.0:")


def test_without_a_port_nothing_listens() -> None:
    before = threading.active_count()
    with observing(Settings.load(), "advance-0") as one:
        assert one.url is None
        assert threading.active_count() == before


def test_a_port_that_is_taken_is_told_in_a_sentence(observed: Observed) -> None:
    assert observed.url is not None
    port = observed.url.rpartition(":")[2]
    with pytest.raises(SettingsError, match=rf"^BUS_METRICS_PORT: 127\.0\.0\.1:{port} cannot be listened on \(.*\)\. "):
        observing(Settings.load(metrics_port=int(port)), "advance-1").__enter__()


def test_what_keeps_a_process_from_working_is_told(reached: None) -> None:
    problems = ["partition 3 is being restored"]
    with observing(Settings.load(metrics_port=0), "advance-0", lambda: problems) as one:
        assert one.url is not None
        assert health(one.url, "ready") == (503, problems)
        assert health(one.url, "live") == (200, [])
        assert Scrape(one.url).value("deptbus_ready") == 0
        problems.clear()
        assert health(one.url, "ready") == (200, [])


def test_a_loop_that_stands_still_is_not_alive(observed: Observed, monkeypatch: pytest.MonkeyPatch) -> None:
    assert observed.url is not None
    monkeypatch.setattr(process, "STALE_S", 0.0)
    status, problems = health(observed.url, "live")
    assert status == 503
    assert "advance-0 has stood still for" in problems[0]


def test_a_process_is_not_ready_while_no_broker_answers() -> None:
    with observing(Settings.load(metrics_port=0, bootstrap_servers=NOBODY), "advance-0") as one:
        assert one.url is not None
        assert health(one.url, "ready") == (503, [f"no broker answers at {NOBODY}"])
        assert health(one.url, "live") == (200, [])


def test_buckets_add_up_and_sources_are_summed() -> None:
    counts = Counts()
    timing = counts.timing(names.HANDLE, "cdc", "health.CaseReported")
    for seconds in (0.0, BOUNDS[0], 0.3, 1_000.0):
        timing.add(seconds)
    forget = counts.ask(lambda: [Measure(names.TASKS, ("epidemic",), 2), Measure(names.TASKS, ("epidemic",), 3)])
    text = Exposed(counts).text("")[0].decode()
    labels = 'service="cdc",type="health.CaseReported"'
    assert f'deptbus_handle_duration_seconds_bucket{{le="0.0001",{labels}}} 2.0' in text
    assert f'deptbus_handle_duration_seconds_bucket{{le="0.5",{labels}}} 3.0' in text
    assert f'deptbus_handle_duration_seconds_bucket{{le="+Inf",{labels}}} 4.0' in text
    assert f"deptbus_handle_duration_seconds_count{{{labels}}} 4.0" in text
    assert 'deptbus_open_tasks{workflow="epidemic"} 5.0' in text
    forget()
    assert "deptbus_open_tasks" not in Exposed(counts).text("")[0].decode()


def test_counts_of_several_threads_are_all_there() -> None:
    count = PROCESS.count(names.PUBLISHED, "test.Threads")

    def add() -> None:
        for _ in range(50_000):
            count.value += 1

    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    wait_until(lambda: not any(thread.is_alive() for thread in threads), "the threads", 30)
    assert count.value == 200_000
