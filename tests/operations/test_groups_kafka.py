"""``deptbus groups`` against a broker: who is in a group, and setting its offsets exactly."""

import pytest

from deptbus import bootstrap
from deptbus.clock import iso
from deptbus.errors import ActRefused
from deptbus.kafka.admin import Admin
from deptbus.kafka.configuration import client_configuration, reader_configuration
from deptbus.kafka.consumer import read_topic
from deptbus.kafka.groups import Groups
from deptbus.operations.acts import Audited
from deptbus.schemas.registration import register_schemas
from deptbus.schemas.store import SchemaStore, load_schemas
from deptbus.settings import Settings
from deptbus.transport import Partition
from tests.operations.reading import commit, make, member, put, run, run_json, stand

pytestmark = pytest.mark.kafka
CASES = "health.cases"
ID = "0190a5c0-0000-7000-8000-00000000000a"
BY = ("--yes", "--reason", "a handler was mended")


def committed(settings: Settings, group: str = "lab") -> dict[Partition, int]:
    """What the broker says that a group has committed."""
    return Groups(client_configuration(settings), settings.world).committed([group])[group]


@pytest.fixture
def read(settings: Settings) -> Settings:
    """A world in which lab has read some of two partitions."""
    make(settings, health_cases=2, bus_audit=1)
    with bootstrap.open_registry(settings) as registry:
        acts = load_schemas(settings.root).versions("bus.ActAudited")
        register_schemas(registry, SchemaStore(acts), {})
    put(settings, CASES, 6)
    put(settings, CASES, 4, partition=1)
    commit(settings, "lab", {(CASES, 0): 5, (CASES, 1): 4})
    return settings


def test_groups_are_listed_with_state_topics_and_unread_events(read: Settings) -> None:
    (lab,) = run_json(read, "groups", "list")
    assert (lab["group"], lab["state"], lab["kind"], lab["members"]) == ("lab", "empty", "classic", 0)
    assert (lab["topics"], lab["unread"], lab["exact"]) == ([CASES], 1, True)
    shown = run(read, "groups", "list", BUS_LANG="zh")
    assert "无成员" in shown.stdout


def test_members_are_described_with_host_and_partitions(read: Settings) -> None:
    with member(read, "lab", CASES, **{"client.id": "desk-7", "group.instance.id": "desk-7-a"}) as consumer:
        stand(read, consumer, CASES, 6)
        lab = run_json(read, "groups", "describe", "lab")
        (desk,) = lab["members"]
        assert (lab["state"], desk["client_id"], desk["instance_id"]) == ("stable", "desk-7", "desk-7-a")
        assert desk["host"]
        assert desk["partitions"] == [{"topic": CASES, "partition": 0}, {"topic": CASES, "partition": 1}]
        assert [(one["partition"], one["offset"], one["unread"]) for one in lab["offsets"]] == [(0, 6, 0), (1, 4, 0)]
        shown = run(read, "groups", "describe", "lab").stdout
        assert "health.cases 0-1" in shown


class TestReset:
    def test_without_yes_nothing_is_changed_and_counts_are_told(self, read: Settings) -> None:
        before = committed(read)
        plan = run_json(read, "groups", "reset", "lab", "--to", "beginning")
        assert plan["done"] is False
        assert [(m["partition"], m["old"], m["new"], m["again"]) for m in plan["moves"]] == [(0, 5, 0, 5), (1, 4, 0, 4)]
        shown = run(read, "groups", "reset", "lab", "--to", "end")
        assert "Nothing is changed yet" in shown.stderr
        assert committed(read) == before

    def test_every_kind_of_point_is_set_exactly(self, read: Settings) -> None:
        put(read, CASES, 1, headers=[("ce_id", ID.encode())])
        at = {
            record.offset: record.timestamp_ms
            for record in read_topic(reader_configuration(read), read.world.physical(CASES))
            if record.partition == 0
        }
        later = next(offset for offset in sorted(at) if at[offset] == at[6])
        for arguments, offsets in [
            (("--to", "beginning"), (0, 0)),
            (("--to", "end"), (7, 4)),
            (("--to", "-2"), (5, 2)),
            (("--to", "@3"), (3, 3)),
            (("--to", iso(at[6])), (later, 4)),
            (("--to", ID), (6, 4)),
            (("--partition", f"{CASES}:1=@1"), (6, 1)),
            (("--to", "end", "--partition", f"{CASES}:1=beginning"), (7, 0)),
        ]:
            done = run_json(read, "groups", "reset", "lab", *arguments, *BY)
            assert done["done"] is True, arguments
            assert committed(read) == {(CASES, 0): offsets[0], (CASES, 1): offsets[1]}, arguments

    def test_it_goes_on_record_who_set_what_and_why(self, read: Settings) -> None:
        run_json(read, "groups", "reset", "lab", "--to", "@3", *BY, "--operator", "Li Wei")
        with bootstrap.open_auditor(read) as auditor:
            began, ended = [act.data for act in auditor.acts() if isinstance(act, Audited)]
        assert (began["act"], began["target"], began["operator"]) == ("groups.reset", "lab", "Li Wei")
        assert (began["reason"], began["outcome"], ended["outcome"]) == ("a handler was mended", "started", "done")
        assert began["detail"] == {"health.cases[0]": "5 → 3", "health.cases[1]": "4 → 3"}

    def test_what_cannot_go_on_record_is_not_done(self, read: Settings) -> None:
        Admin(client_configuration(read)).delete(read.world, ["bus.audit"])
        result = run(read, "groups", "reset", "lab", "--to", "@3", *BY)
        assert (result.returncode, result.stdout) == (2, "")
        assert "bus.audit" in result.stderr
        assert committed(read) == {(CASES, 0): 5, (CASES, 1): 4}

    def test_what_is_read_back_otherwise_than_it_was_set_is_an_error(
        self, read: Settings, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Groups, "commit", lambda self, name, offsets: dict.fromkeys(offsets, 99))
        result = run(read, "groups", "reset", "lab", "--to", "@3", *BY)
        assert result.returncode == 1
        assert "health.cases[0] stands at 99 and not at 3" in result.stderr
        with bootstrap.open_auditor(read) as auditor:
            *_, ended = [act.data for act in auditor.acts() if isinstance(act, Audited)]
        assert ended["outcome"] == "failed"

    def test_what_is_so_already_is_done(self, read: Settings) -> None:
        run_json(read, "groups", "reset", "lab", "--to", "end", *BY)
        again = run(read, "groups", "reset", "lab", "--to", "end", *BY)
        assert again.returncode == 0
        assert "nothing to set" in again.stderr

    def test_a_group_in_use_is_refused_and_its_members_are_named(self, read: Settings) -> None:
        with member(read, "lab", CASES, **{"client.id": "desk-7"}):
            result = run(read, "groups", "reset", "lab", "--to", "beginning", *BY)
            assert result.returncode == 2
            assert "The group lab is in use: desk-7 on " in result.stderr
            assert len(result.stderr.splitlines()) == 1
        assert committed(read) == {(CASES, 0): 5, (CASES, 1): 4}

    def test_who_comes_between_the_look_and_the_act_is_not_overruled(self, read: Settings) -> None:
        with member(read, "lab", CASES), pytest.raises(ActRefused, match="somebody is in the group now"):
            Groups(client_configuration(read), read.world).commit("lab", {(CASES, 0): 0})
        assert committed(read)[CASES, 0] == 5

    def test_mistakes_are_one_sentence_and_change_nothing(self, read: Settings) -> None:
        before = committed(read)
        for arguments, sentence in [
            (("zoo", "--to", "end", *BY), "There is no group zoo; there are lab."),
            (("lab", "--to", "end", "--yes"), "--yes needs --reason"),
            (("lab", *BY), "Say where to"),
            (("lab", "--to", "soon", *BY), "--to is beginning, end, -N"),
            (("lab", "--to", "2999-01-01T00:00Z", *BY), "lies in the future"),
            (("lab", "--to", "@99", *BY), "@99 lies outside"),
            (("lab", "--to", "end", "--topic", "fire.calls", *BY), "has no offsets in fire.calls"),
            (("lab", "--partition", f"{CASES}:9=end", *BY), "has no partition 9"),
            (("lab", "--to", ID, *BY), f"There is no event {ID}"),
        ]:
            result = run(read, "groups", "reset", *arguments)
            assert (result.returncode, result.stdout) == (2, ""), arguments
            assert sentence in result.stderr
            assert "Traceback" not in result.stderr
        assert committed(read) == before
