"""The dashboard's database: what the topics say, however it was filled, and again after anything."""

from functools import partial

import orjson
import pytest
from confluent_kafka import TopicPartition
from confluent_kafka.admin import AdminClient

from deptbus.desk.reading import TASKS, TIMELINE, Reading
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from deptbus.settings import Settings
from services.dashboard.access.people import LOCAL
from services.dashboard.projection.store import Store
from services.dashboard.projection.taking import Change
from services.dashboard.views.incident import incident
from tests.command.engine import Engine
from tests.command.projecting import INSTANCE, REGION
from tests.dashboard.conftest import Followed, Following
from tests.streams.world import World as Broker
from tests.waiting import wait_until

pytestmark = pytest.mark.kafka


def lines(store: Store) -> dict[str, dict[str, object]]:
    return {line["instance"]: line for line in map(orjson.loads, store.lines())}


def report(broker: Broker, engine: Engine, *regions: str, count: int = 10) -> None:
    """Cases are reported and applied."""
    broker.publish(list(regions), count=count)
    applied = []
    wait_until(lambda: applied.append(engine.pump()) or sum(applied) >= len(regions), "the cases to be applied")


def changes(one: Followed, instance: str) -> list[Change]:
    """What was told of an instance since the database was filled."""
    told = [change for batch in one.told if batch for change in batch]
    return [change for change in told if change.data["instance"] == instance]


def kept(one: Followed) -> list[object]:
    """All that is in the database."""
    told = [one.store.told(topic, [INSTANCE]) for topic in (TASKS, TIMELINE)]
    return [lines(one.store), told, one.store.packs(), one.store.count()]


def test_what_happened_before_and_what_happens_then_is_there(
    broker: Broker, engine: Engine, followed: Following
) -> None:
    report(broker, engine, REGION)
    one = followed().start()
    assert lines(one.store)[INSTANCE]["status"] == "open"
    assert one.told == [None]
    report(broker, engine, "330100")
    told = partial(changes, one, "small/330100/1")
    wait_until(lambda: {change.kind for change in told()} >= {"incident", "line"}, "the second incident's changes")
    assert "small/330100/1" in lines(one.store)
    assert {change.kind for change in told()} == {"incident", "line"}
    assert all(change.departments for change in told() if change.kind == "incident")


def test_a_line_says_what_the_command_line_says(
    settings: Settings, broker: Broker, engine: Engine, followed: Following
) -> None:
    report(broker, engine, REGION)
    one = followed().start()
    with Reading(settings) as reading:
        record = reading.record(INSTANCE)
    shown = incident(one.look, LOCAL, INSTANCE)
    assert shown["level"] == record.level
    told = [{name: line[name] for name in line if name not in ("why", "because")} for line in shown["timeline"]]
    assert told == record.timeline
    assert [task["task"] for task in shown["tasks"]] == [task.task for task in record.tasks]
    assert [task["acknowledge_by"] for task in shown["tasks"]] == [task.acknowledge_by for task in record.tasks]
    assert lines(one.store)[INSTANCE]["open"] == len(record.open_tasks)
    assert shown["moments"] == sorted({line["at"] for line in record.timeline})


def test_the_past_is_shown_as_it_was(broker: Broker, engine: Engine, followed: Following) -> None:
    report(broker, engine, REGION)
    one = followed().start()
    shown = incident(one.look, LOCAL, INSTANCE)
    first = shown["moments"][0]
    past = incident(one.look, LOCAL, INSTANCE, first)
    assert past["past"] is True
    assert past["timeline"] == [line for line in shown["timeline"] if line["at"] <= first]


def test_a_database_filled_anew_holds_the_same(broker: Broker, engine: Engine, followed: Following) -> None:
    one = followed().start()
    report(broker, engine, REGION, "330100")
    other = followed("other")
    standing = other.follower.fill()
    assert standing.read == standing.total > 0
    assert len(lines(other.store)) == 2
    wait_until(lambda: kept(one) == kept(other), "the one that follows to hold what the other was filled with")
    other.follower.fill()
    assert kept(one) == kept(other)


def test_whoever_starts_again_goes_on_where_it_stood(broker: Broker, engine: Engine, followed: Following) -> None:
    report(broker, engine, REGION)
    one = followed().start()
    one.follower.close()
    one._following = False
    report(broker, engine, "330100")
    again = followed().start()
    assert len(lines(again.store)) == 2
    fresh = followed("fresh")
    fresh.follower.fill()
    assert kept(again) == kept(fresh)


def test_topics_that_were_made_again_are_read_from_their_beginning(
    settings: Settings, broker: Broker, engine: Engine, followed: Following
) -> None:
    report(broker, engine, REGION)
    one = followed().start()
    assert lines(one.store)
    admin = Admin(client_configuration(settings))
    admin.delete(settings.world, [topic.name for topic in broker.catalogue.topics.values()])
    wait_until(lambda: one.follower.standing.state == "waiting", "the dashboard to see that the topics are gone")
    admin.create_namespace_topics(settings.world, broker.catalogue.topics.values())
    wait_until(lambda: one.follower.standing.state == "following", "the dashboard to follow the new ones")
    assert lines(one.store) == {}
    assert one.told.count(None) == 2


def test_what_has_passed_the_topics_retention_is_forgotten(
    settings: Settings, broker: Broker, engine: Engine, followed: Following
) -> None:
    report(broker, engine, REGION)
    one = followed().start()
    assert one.store.told(TIMELINE, [INSTANCE])
    one.follower.close()
    one._following = False
    admin, world = Admin(client_configuration(settings)), settings.world
    ends = admin.end_offsets(world, [TIMELINE])
    cleaning = AdminClient(client_configuration(settings))
    gone = [TopicPartition(world.physical(TIMELINE), number, end) for (_, number), end in ends.items()]
    for answer in cleaning.delete_records(gone).values():
        answer.result()
    again, fresh = followed().start(), followed("fresh")
    assert again.store.told(TIMELINE, [INSTANCE]) == []
    fresh.follower.fill()
    assert kept(again) == kept(fresh)
