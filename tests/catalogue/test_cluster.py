"""Topics on a real cluster: planned, applied, read back, dropped."""

from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

import pytest

from deptbus.catalogue import Catalogue, load_catalogue
from deptbus.errors import BusError, ClusterUnreachable, TopicError
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration
from deptbus.namespace import Namespace
from deptbus.settings import Settings
from deptbus.topics.apply import apply_topics, plan_topics
from deptbus.topics.plan import Action

pytestmark = pytest.mark.kafka


@pytest.fixture
def admin(settings: Settings) -> Admin:
    """The session's cluster."""
    return Admin(client_configuration(settings))


@pytest.fixture
def catalogue(root: Path) -> Catalogue:
    """The small catalogue."""
    return load_catalogue(root, 0)


def _with(catalogue: Catalogue, **changes: object) -> Catalogue:
    topic = replace(catalogue.topics["health.cases"], **changes)  # type: ignore[arg-type]  # of the fields' own types
    return replace(catalogue, topics=MappingProxyType({topic.name: topic}))


def test_after_apply_there_is_nothing_to_plan(admin: Admin, namespace: Namespace, catalogue: Catalogue) -> None:
    assert plan_topics(admin, namespace, catalogue).of(Action.CREATE)
    done = apply_topics(admin, namespace, catalogue)
    assert [change.topic for change in done.of(Action.CREATE)] == ["health.cases"]
    assert plan_topics(admin, namespace, catalogue).changes == ()
    assert apply_topics(admin, namespace, catalogue).changes == ()


def test_every_topic_of_the_project_is_created_as_declared(
    admin: Admin, namespace: Namespace, settings: Settings
) -> None:
    catalogue = load_catalogue(settings.root, 0)
    admin.create_namespace_topics(namespace, catalogue.topics.values(), replication=1)
    assert plan_topics(admin, namespace, catalogue, replication=1).changes == ()
    sizes = {state.name: state.configs["max.message.bytes"] for state in admin.topics(namespace)}
    assert sizes["bus.deadletters"] == "5000000"
    assert sizes["health.cases"] == "4000000"


def test_altered_settings_are_applied_and_others_left_alone(
    admin: Admin, namespace: Namespace, catalogue: Catalogue
) -> None:
    apply_topics(admin, namespace, catalogue)
    done = apply_topics(admin, namespace, _with(catalogue, retention_ms=-1))
    assert [change.detail for change in done.changes] == ["retention.ms: 31536000000 → -1"]
    (state,) = admin.topics(namespace)
    assert state.configs["retention.ms"] == "-1"
    assert state.configs["message.timestamp.type"] == "LogAppendTime"


def test_partitions_of_a_keyed_topic_are_refused_and_nothing_else_is_done(
    admin: Admin, namespace: Namespace, catalogue: Catalogue
) -> None:
    apply_topics(admin, namespace, catalogue)
    with pytest.raises(TopicError, match="keyed topics keep their number"):
        apply_topics(admin, namespace, _with(catalogue, partitions=5, retention_ms=-1))
    (state,) = admin.topics(namespace)
    assert (state.partitions, state.configs["retention.ms"]) == (4, "31536000000")


def test_partitions_of_a_topic_without_keys_are_added(admin: Admin, namespace: Namespace, catalogue: Catalogue) -> None:
    apply_topics(admin, namespace, _with(catalogue, key="none"))
    apply_topics(admin, namespace, _with(catalogue, key="none", partitions=6))
    assert admin.names(namespace) == {"health.cases": 6}


def test_an_unknown_topic_stays_until_deletion_is_allowed(
    admin: Admin, namespace: Namespace, catalogue: Catalogue
) -> None:
    apply_topics(admin, namespace, catalogue)
    admin.create(namespace, [replace(admin.topics(namespace)[0], name="health.old")])
    assert [change.topic for change in apply_topics(admin, namespace, catalogue).of(Action.UNKNOWN)] == ["health.old"]
    assert "health.old" in admin.names(namespace)
    apply_topics(admin, namespace, catalogue, allow_delete=True)
    assert admin.names(namespace) == {"health.cases": 4}


def test_what_the_cluster_cannot_do_is_one_sentence(admin: Admin, namespace: Namespace, catalogue: Catalogue) -> None:
    with pytest.raises(TopicError, match=r"refuses to create .*health\.cases"):
        apply_topics(admin, namespace, _with(catalogue, replication=5))


def test_a_lapsed_grant_stops_planning(admin: Admin, namespace: Namespace, root: Path) -> None:
    with pytest.raises(TopicError, match="lapsed after 2030-06-30"):
        plan_topics(admin, namespace, load_catalogue(root, 2_000_000_000_000))


def test_namespaces_do_not_see_each_other(admin: Admin, namespace: Namespace, catalogue: Catalogue) -> None:
    apply_topics(admin, namespace, catalogue)
    other = Namespace(f"{namespace.name}-other")
    assert admin.names(other) == {}
    assert not any(name.startswith("ns.") for name in admin.names(Namespace()))


def test_a_namespace_is_dropped_whole_and_actual_life_never(
    admin: Admin, namespace: Namespace, catalogue: Catalogue
) -> None:
    apply_topics(admin, namespace, catalogue)
    admin.delete_namespace(namespace)
    assert admin.names(namespace) == {}
    admin.delete_namespace(namespace)
    apply_topics(admin, namespace, catalogue)
    assert admin.end_offsets(namespace, ["health.cases"]) == {("health.cases", number): 0 for number in range(4)}
    with pytest.raises(BusError, match="Actual life cannot be dropped"):
        admin.delete_namespace(Namespace())


def test_offsets_of_what_does_not_exist_are_none(admin: Admin, namespace: Namespace) -> None:
    assert admin.end_offsets(namespace, ["health.lost"]) == {}
    assert admin.start_offsets(namespace, []) == {}


def test_a_cluster_that_is_not_there_is_one_sentence(capfd: pytest.CaptureFixture[str]) -> None:
    admin = Admin({"bootstrap.servers": "127.0.0.1:1"}, connect_timeout_s=0.5)
    with pytest.raises(ClusterUnreachable, match=r"No broker answers at 127\.0\.0\.1:1 .*`deptbus up`"):
        admin.brokers()
    assert capfd.readouterr().err == ""
