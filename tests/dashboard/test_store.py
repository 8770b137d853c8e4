"""The dashboard's database does the same on SQLite and on PostgreSQL."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import docker
import pytest

from deptbus.errors import SettingsError
from services.dashboard.projection import tables
from services.dashboard.projection.store import KEPT_MS, Point, Store
from tests.broker import container_of
from tests.ports import free_ports
from tests.waiting import wait_until

IMAGE = "postgres:15"
PASSWORD = "only-for-this-test"


@pytest.fixture(scope="module")
def postgresql() -> Iterator[str]:
    """The address of a PostgreSQL in a container; without an engine or the image these tests are skipped."""
    try:
        docker.from_env().images.get(IMAGE)
    except Exception as error:
        pytest.skip(f"{IMAGE} is not to be had here: {error}")
    (port,) = free_ports(1)
    with container_of(IMAGE, {5432: port}).with_env("POSTGRES_PASSWORD", PASSWORD):
        url = f"postgresql+psycopg://postgres:{PASSWORD}@127.0.0.1:{port}/postgres"

        def answers() -> bool:
            try:
                Store(url).close()
            except SettingsError:
                return False
            return True

        wait_until(answers, "PostgreSQL to answer", 60)
        yield url


@pytest.fixture(params=["sqlite", "postgresql"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """An empty database of each kind."""
    url = f"sqlite:///{tmp_path}/store.db" if request.param == "sqlite" else request.getfixturevalue("postgresql")
    with closing(Store(url)) as made:
        with made.writing() as connection:
            made.empty(connection)
            connection.execute(tables.series.delete())
        yield made


def instance(name: str, changed: int, **other: Any) -> dict[str, Any]:
    return {
        "instance": name, "pack": "p", "kind": "incident", "status": "open", "changed": changed,
        "line": f'{{"instance":"{name}"}}'.encode(), "value": name.encode(),
    } | other  # fmt: skip


def record(position: int, name: str | None, event: str = "e", topic: str = "workflow.timeline") -> dict[str, Any]:
    return {
        "topic": topic, "partition": 0, "position": position, "instance": name, "event": event, "arrived": 5,
        "value": b"v", "headers": b'[["ce_id","%s"],["ce_type","a.B"],["ce_source","/departments/a"],["ce_time",'
        b'"2020-01-20T00:00:00Z"],["ce_specversion","1.0"]]' % event.encode(),
    }  # fmt: skip


def test_the_newest_state_of_an_instance_stands_and_lists_are_by_change(store: Store) -> None:
    with store.writing() as connection:
        store.put(connection, tables.instances, [instance("a", 1), instance("b", 2)])
        store.put(connection, tables.instances, [instance("a", 3, status="closed"), instance("c", 0, kind="case")])
    assert store.lines() == [b'{"instance":"a"}', b'{"instance":"b"}', b'{"instance":"c"}']
    assert store.lines("open") == [b'{"instance":"b"}', b'{"instance":"c"}']
    assert store.lines("all", "case") == [b'{"instance":"c"}']
    found = store.instance("a")
    assert found is not None
    assert found.value == b"a"
    assert store.instance("z") is None


def test_open_tasks_are_those_of_the_newest_state(store: Store) -> None:
    with store.writing() as connection:
        store.put(connection, tables.instances, [instance("a", 1), instance("b", 2)])
        tasks = [("t1", "a", "health"), ("t2", "a", "police"), ("u1", "b", "health")]
        rows = [dict(zip(("task", "instance", "department"), one, strict=True)) for one in tasks]
        store.replace_tasks(connection, ["a", "b"], rows)
    assert sorted(store.of_department("health")) == [b"a", b"b"]
    assert store.of_department("police") == [b"a"]
    assert store.of_task("u") == [b"b"]
    assert store.of_task("%") == store.of_task("_") == []
    with store.writing() as connection:
        store.replace_tasks(connection, ["a"], [])
    assert store.of_department("health") == [b"b"]


def test_what_was_told_comes_in_its_order_and_events_by_their_ids(store: Store) -> None:
    with store.writing() as connection:
        rows = [record(9, "a"), record(2, "a", "f"), record(3, "b"), record(1, None, "g", "health.cases")]
        store.add(connection, tables.records, rows)
    assert [one.record.offset for one in store.told("workflow.timeline", ["a"])] == [2, 9]
    assert [one.record.offset for one in store.told("workflow.timeline", ["a", "b"])] == [2, 3, 9]
    assert store.told("workflow.tasks", ["a"]) == []
    assert store.asked("workflow.timeline", "f") == ["a"]
    assert store.asked("workflow.timeline", "g") == store.asked("workflow.tasks", "f") == []
    (found,) = store.events({"g", "e"})
    assert (found.record.topic, found.envelope.id, found.envelope.type) == ("health.cases", "g", "a.B")
    assert len(store.events({f"x{number}" for number in range(1_200)} | {"g"})) == 1


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    def write() -> None:
        with store.writing() as connection:
            store.add(connection, tables.records, [record(1, "a")])
            store.put(connection, tables.positions, [{"topic": "t", "partition": 0, "next": 2}])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write()
    assert store.positions() == {}
    assert store.count()["records"] == 0


def test_positions_move_and_everything_can_be_forgotten(store: Store) -> None:
    with store.writing() as connection:
        store.put(connection, tables.positions, [{"topic": "t", "partition": 0, "next": 2}])
        store.put(connection, tables.positions, [{"topic": "t", "partition": 0, "next": 7}])
        store.tell(connection, "source", "x")
    assert store.positions() == {("t", 0): 7}
    with store.writing() as connection:
        store.empty(connection)
    assert (store.positions(), store.about("source"), store.about("layout")) == ({}, None, tables.LAYOUT)


def test_figures_are_kept_for_hours(store: Store) -> None:
    store.add_series([Point("rate", "health", 1_000, 1.5), Point("rate", "police", 1_000, 2.5)])
    store.add_series([Point("rate", "health", 1_000 + KEPT_MS + 1, 3.0)])
    assert store.series(0) == [Point("rate", "health", 1_000 + KEPT_MS + 1, 3.0)]


def test_a_database_of_another_layout_is_made_anew(store: Store) -> None:
    with store.writing() as connection:
        store.put(connection, tables.instances, [instance("a", 1)])
        store.tell(connection, "layout", "0")
    with closing(Store(store.engine.url.render_as_string(hide_password=False))) as again:
        assert again.lines() == []
        assert again.about("layout") == tables.LAYOUT


@pytest.mark.parametrize("url", ["", "nonsense", "sqlite:////no/such/folder/x.db", "oracle+none://x/y"])
def test_a_database_that_cannot_be_used_is_told(url: str) -> None:
    with pytest.raises(SettingsError, match=r"dashboard|BUS_DASHBOARD_DATABASE"):
        Store(url)


def test_a_password_is_not_told() -> None:
    with pytest.raises(SettingsError) as told:
        Store("postgresql+psycopg://me:secret@127.0.0.1:1/x")
    assert "secret" not in str(told.value)
