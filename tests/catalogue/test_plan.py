"""The plan of topic changes: what it names, what it refuses, and that doing it leaves nothing to do."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deptbus.catalogue import Topic
from deptbus.errors import TopicError
from deptbus.topics.plan import Action, Plan, TopicState, plan, wanted

CASES = Topic(
    name="health.cases",
    owner="health",
    key="subject",
    partitions=4,
    replication=-1,
    retention_ms=-1,
    cleanup="delete",
    message_bytes_max=4_000_000,
    timestamp_type="LogAppendTime",
    event_types=("health.CaseReported",),
    compatibility="BACKWARD_TRANSITIVE",
    classification="internal",
    sharing="conditional",
    file="topics/health.yaml, line 3",
)
PRESENT = replace(wanted(CASES), replication=1)


def test_what_is_missing_is_created() -> None:
    (change,) = plan([CASES], []).changes
    assert (change.action, change.topic, change.target) == (Action.CREATE, "health.cases", wanted(CASES))


def test_what_agrees_is_left_alone() -> None:
    assert plan([CASES], [PRESENT]) == Plan(())


def test_retention_and_size_are_altered() -> None:
    changed = replace(CASES, retention_ms=86_400_000, message_bytes_max=1_000_000)
    found = plan([changed], [PRESENT])
    assert [change.detail for change in found.changes] == [
        "max.message.bytes: 4000000 → 1000000",
        "retention.ms: -1 → 86400000",
    ]
    assert found.drift


def test_the_order_of_a_list_of_cleanups_does_not_matter() -> None:
    both = replace(CASES, cleanup="compact,delete")
    present = replace(PRESENT, configs={**PRESENT.configs, "cleanup.policy": "delete,compact"})
    assert plan([both], [present]).changes == ()


@pytest.mark.parametrize("partitions", [3, 5])
def test_a_keyed_topic_keeps_its_partitions(partitions: int) -> None:
    found = plan([replace(CASES, partitions=partitions)], [PRESENT])
    with pytest.raises(TopicError) as raised:
        found.refuse()
    assert str(raised.value) == (
        f"health.cases has 4 partitions, topics/health.yaml, line 3 says {partitions}; keyed topics keep their number, "
        "else a key's history is split: declare 4, or make a new topic."
    )


def test_a_topic_without_keys_may_grow_but_not_shrink() -> None:
    (change,) = plan([replace(CASES, key="none", partitions=5)], [PRESENT]).changes
    assert (change.action, change.detail) == (Action.ALTER, "partitions: 4 → 5")
    (change,) = plan([replace(CASES, key="none", partitions=3)], [PRESENT]).changes
    assert change.action is Action.REFUSED


def test_replication_is_only_compared_where_it_is_declared() -> None:
    assert not plan([CASES], [PRESENT]).drift
    assert plan([replace(CASES, replication=3)], [PRESENT]).of(Action.REFUSED)
    assert plan([replace(CASES, replication=3)], [PRESENT], replication=1).changes == ()


def test_unknown_topics_are_shown_and_deleted_only_when_that_is_allowed() -> None:
    old = replace(PRESENT, name="health.old")
    found = plan([CASES], [PRESENT, old])
    assert [(change.action, change.topic) for change in found.changes] == [(Action.UNKNOWN, "health.old")]
    assert not found.drift
    found = plan([CASES], [PRESENT, old], allow_delete=True)
    assert [(change.action, change.topic) for change in found.changes] == [(Action.DELETE, "health.old")]


def test_what_is_not_named_as_the_bus_names_topics_is_never_deleted() -> None:
    foreign = replace(PRESENT, name="other_app-__assignor-__leader")
    (change,) = plan([CASES], [PRESENT, foreign], allow_delete=True).changes
    assert change.action is Action.UNKNOWN


_NAMES = st.sampled_from(["health.a", "health.b", "cdc.c", "bus.d"])
_TOPICS = st.lists(
    st.builds(
        lambda name, partitions, retention, cleanup, key: replace(
            CASES, name=name, partitions=partitions, retention_ms=retention, cleanup=cleanup, key=key
        ),
        _NAMES,
        st.integers(1, 4),
        st.sampled_from([-1, 1000, 2000]),
        st.sampled_from(["delete", "compact", "compact,delete"]),
        st.sampled_from(["subject", "none"]),
    ),
    unique_by=lambda topic: topic.name,
)
_STATES = _TOPICS.map(lambda topics: [replace(wanted(topic), replication=1) for topic in topics])


def _done(found: Plan, present: list[TopicState]) -> list[TopicState]:
    """The cluster after a plan was carried out, what it refuses aside."""
    states = {state.name: state for state in present}
    for change in found.changes:
        if change.action is Action.DELETE:
            del states[change.topic]
        elif change.action is Action.CREATE and change.target:
            states[change.topic] = replace(change.target, replication=1)
        elif change.action is Action.ALTER and change.target:
            state = states[change.topic]
            if change.setting == "partitions":
                states[change.topic] = replace(state, partitions=change.target.partitions)
            else:
                value = change.target.configs[change.setting]
                states[change.topic] = replace(state, configs={**state.configs, change.setting: value})
    return list(states.values())


@given(_TOPICS, _STATES, st.booleans())
def test_doing_the_plan_leaves_nothing_to_do(
    topics: list[Topic], present: list[TopicState], allow_delete: bool
) -> None:
    found = plan(topics, present, allow_delete=allow_delete)
    again = plan(topics, _done(found, present), allow_delete=allow_delete)
    assert {change.action for change in again.changes} <= {Action.REFUSED, Action.UNKNOWN}
    assert again.of(Action.REFUSED) == found.of(Action.REFUSED)


@given(_TOPICS, _STATES)
def test_nothing_is_ever_lost_without_leave(topics: list[Topic], present: list[TopicState]) -> None:
    after = {state.name: state for state in _done(plan(topics, present), present)}
    for state in present:
        assert after[state.name].partitions >= state.partitions


@given(_TOPICS, _STATES)
def test_the_order_of_files_and_topics_does_not_matter(topics: list[Topic], present: list[TopicState]) -> None:
    assert plan(topics, present) == plan(topics[::-1], present[::-1])
