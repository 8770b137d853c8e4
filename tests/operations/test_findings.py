"""What is found of the bus's parts, how grave it is, and that there is something to do about it."""

import pytest

from deptbus.operations.findings import bus, cluster
from deptbus.operations.findings.cluster import Node, Replica, Standing, Volume
from deptbus.operations.findings.finding import Finding, Severity
from deptbus.operations.lag import Lag, State
from deptbus.topics.plan import Action, Change, Plan
from deptbus.workflow.said import Said

GB = 1_000_000_000


def kinds(found: list[Finding]) -> dict[str, Severity]:
    return {one.kind: one.severity for one in found}


def behind(state: State, **changes: int) -> Lag:
    given = {"events": 5, "waiting_ms": 90_000, "lost": 0, "ahead": 0} | changes
    return Lag(
        "lab", "ward.cases", (2,), state, given["events"], True, given["waiting_ms"], 0, None, 0.0, 0.0,
        given["lost"], given["ahead"], "desk-7", 17,
    )  # fmt: skip


def test_a_cluster_of_one_works_and_is_told_of() -> None:
    found = cluster.brokers([Node(1, "a", 9092)], 1, "c")
    assert kinds(found) == {"fine": Severity.FINE, "single": Severity.NOTE}
    assert not any(one.calls for one in found)
    assert "no_controller" in kinds(cluster.brokers([Node(1, "a", 9092)], None, "c"))


def test_a_quorum_without_a_leader_and_a_voter_that_is_behind_are_found() -> None:
    assert kinds(cluster.quorum(-1, 3, [])) == {"no_leader": Severity.ERROR}
    voters = [Standing(1, 0, 0), Standing(2, 40, 60_000), Standing(3, 3, 100), Standing(4, 9, None)]
    found = cluster.quorum(1, 3, voters)
    assert [one.text.en for one in found if one.calls] == ["voter 2 is 40 entries behind, for 60 s"]


def test_partitions_that_are_offline_or_lack_replicas_are_named() -> None:
    parts = [Replica("a[0]", 1, 3, 3), Replica("a[1]", 1, 3, 2), Replica("b[0]", -1, 3, 0)]
    found = {one.kind: one for one in cluster.partitions(parts)}
    assert found["offline"].severity is Severity.ERROR
    assert found["offline"].text.en == "1 are offline: b[0]"
    assert found["under_replicated"].text.en == "1 lack replicas: a[1]"
    assert kinds(cluster.partitions(parts[:1])) == {"fine": Severity.FINE}
    many = [Replica(f"a[{number}]", -1, 1, 0) for number in range(9)]
    assert cluster.partitions(many)[0].text.en == "9 are offline: a[0], a[1], a[2], … (9)"


def test_only_a_transaction_that_is_open_for_long_is_found() -> None:
    found = cluster.held([("a[0]", 5, 59_000), ("a[1]", 7, 61_000)])
    assert [one.text.en for one in found] == ["what follows a[1]@7 is held back by a transaction that is open for 61 s"]


def test_schemas_that_are_missing_or_break_readers_are_errors_and_foreign_ones_are_not() -> None:
    assert kinds(bus.registry("u", 3, [], [], ["x.Y"])) == {"fine": Severity.FINE, "others": Severity.NOTE}
    found = bus.registry("u", 3, ["a.B v1"], ["it breaks"], [])
    assert kinds(found) == {"missing": Severity.ERROR, "incompatible": Severity.ERROR}


def test_drift_of_topics_is_told_by_what_is_to_be_done() -> None:
    changes = (Change(Action.CREATE, "a.b", ""), Change(Action.ALTER, "a.c", ""), Change(Action.UNKNOWN, "x", ""))
    found = kinds(bus.topics(Plan(changes), 3, ["the grant has lapsed"]))
    assert found == {
        "drift_create": Severity.ERROR, "drift_alter": Severity.WARNING, "drift_unknown": Severity.NOTE,
        "grant_lapsed": Severity.WARNING,
    }  # fmt: skip
    assert "fine" in kinds(bus.topics(Plan(changes[2:]), 3, []))


@pytest.mark.parametrize(
    ("lag", "kind"),
    [
        (behind(State.STUCK), "stuck"),
        (behind(State.UNREADABLE), "unreadable"),
        (behind(State.STOPPED), "empty"),
        (behind(State.CURRENT, events=0, lost=3), "lost"),
        (behind(State.CURRENT, events=0, ahead=3), "ahead"),
    ],
)
def test_readers_that_do_not_read_are_found(lag: Lag, kind: str) -> None:
    (found,) = bus.groups([lag], ["lab"], [])
    assert found.kind == kind
    assert found.calls
    assert "lab" in found.text.en
    assert "lab" in found.text.zh


def test_readers_that_read_are_fine_however_far_behind() -> None:
    lags = [behind(State.FALLING_BEHIND), behind(State.STOPPED, waiting_ms=59_000), behind(State.CURRENT, events=0)]
    assert kinds(bus.groups(lags, ["lab", "zoo"], ["zoo"])) == {"fine": Severity.FINE, "unknown": Severity.NOTE}


@pytest.mark.parametrize(
    ("offset", "uncertain", "severity"),
    [
        (0, 3, Severity.FINE),
        (-900, 3, Severity.FINE),
        (1_003, 3, Severity.WARNING),
        (-1_500, 600, Severity.FINE),  # it may be 900
        (-2_000, 3, Severity.WARNING),
        (60_000, 3, Severity.ERROR),
    ],
)
def test_a_clock_is_off_only_beyond_what_is_uncertain(offset: int, uncertain: int, severity: Severity) -> None:
    (found,) = cluster.clock(offset, uncertain)
    assert found.severity is severity
    assert ("ahead of" in found.text.en) == (offset >= 0)


def test_volumes_that_fill_up_are_found() -> None:
    volumes = [
        Volume("a", False, GB, 100 * GB, 50 * GB),
        Volume("b", False, GB, 100 * GB, 9 * GB),
        Volume("c", False, GB, 100 * GB, 2 * GB),
        Volume("d", True, 0, 100 * GB, 0),
        Volume("e", False, GB, -1, -1),
    ]
    found = [(one.kind, one.severity) for one in cluster.disk(volumes)]
    assert found == [
        ("fine", Severity.FINE), ("low", Severity.WARNING), ("low", Severity.ERROR), ("offline", Severity.ERROR),
        ("fine", Severity.FINE),
    ]  # fmt: skip


def test_a_library_that_is_known_to_be_broken_is_an_error() -> None:
    assert kinds(cluster.versions({"librdkafka": "2.12.1"}))["bad_librdkafka"] is Severity.ERROR
    assert kinds(cluster.versions({"librdkafka": "2.16.0"})) == {"fine": Severity.FINE}


def test_an_audit_that_is_not_whole_is_an_error() -> None:
    assert kinds(bus.audit(7, [Said("缺", "a gap")])) == {"broken": Severity.ERROR}
    assert kinds(bus.audit(7, [])) == {"fine": Severity.FINE}


def test_dead_letters_are_told_by_topic_most_first() -> None:
    (found,) = bus.deadletters({"a.b": 1, "a.c": 5, "a.d": 2, "a.e": 1}, 0, 0)
    assert found.text.en == "9 of the last day are open: a.c 5, a.d 2, a.b 1"
    assert not bus.deadletters({}, 0, 0)[0].calls


def test_dead_letters_that_were_not_looked_at_or_cannot_be_read_are_told_of() -> None:
    (found,) = bus.deadletters({}, 7, 0)
    assert found.calls
    assert found.text.en == "0 of the last day are open; 7 earlier records not looked at"
    (found,) = bus.deadletters({}, 0, 2)
    assert found.calls
    assert found.text.en == "0 of the last day are open; 2 records cannot be read"
