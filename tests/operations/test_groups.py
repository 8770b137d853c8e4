"""What setting a group's offsets would change, before it is done; and who is in the way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deptbus.errors import ActRefused, NotFound, SettingsError
from deptbus.operations.groups import Group, Member, Move, plan_reset, read_target, refuse_active
from deptbus.operations.points import BEGINNING, END, Kind, Point
from tests.operations.test_stretch import ID, LOG, NOW, ListedLog

CASES = "health.cases"
COMMITTED = {(CASES, 0): 12, (CASES, 1): 1}


def news(moves: list[Move]) -> dict[int, int]:
    return {move.partition: move.new for move in moves}


class TestPlan:
    def test_all_partitions_go_to_the_beginning_or_the_end(self) -> None:
        moves = plan_reset("lab", COMMITTED, LOG, NOW, to=BEGINNING)
        assert [(m.partition, m.old, m.new, m.again, m.skipped) for m in moves] == [(0, 12, 10, 2, 0), (1, 1, 0, 1, 0)]
        moves = plan_reset("lab", COMMITTED, LOG, NOW, to=END)
        assert [(m.partition, m.new, m.again, m.skipped) for m in moves] == [(0, 13, 0, 1), (1, 2, 0, 1)]

    def test_a_time_means_what_was_stamped_then_or_later(self) -> None:
        assert news(plan_reset("lab", COMMITTED, LOG, NOW, to=Point(Kind.TIME, 150))) == {0: 11, 1: 0}

    def test_an_event_is_read_again_and_elsewhere_what_came_no_earlier(self) -> None:
        assert news(plan_reset("lab", COMMITTED, LOG, NOW, to=Point(Kind.EVENT, event_id=ID))) == {0: 11}

    def test_an_event_stands_on_one_topic_and_on_others_what_came_no_earlier_counts(self) -> None:
        class TwoTopics(ListedLog):
            def find(self, topic: str, event_id: str) -> tuple[int, int, int] | None:
                return super().find(topic, event_id) if topic == CASES else None

        log = TwoTopics(LOG.partitions)
        committed = {(CASES, 0): 13, ("fire.calls", 0): 13, ("fire.calls", 1): 2}
        moves = plan_reset("lab", committed, log, NOW, to=Point(Kind.EVENT, event_id=ID))
        assert {(move.topic, move.partition): move.new for move in moves} == {
            (CASES, 0): 11, (CASES, 1): 1, ("fire.calls", 0): 11, ("fire.calls", 1): 1,
        }  # fmt: skip
        with pytest.raises(NotFound, match=r"no event .* on fire\.calls, health\.cases"):
            plan_reset("lab", committed, log, NOW, to=Point(Kind.EVENT, event_id=ID[:-1] + "9"))

    def test_single_partitions_go_where_they_are_told_and_others_stay(self) -> None:
        moves = plan_reset("lab", COMMITTED, LOG, NOW, targets=[read_target("health.cases:0=@13")])
        assert news(moves) == {0: 13}
        moves = plan_reset("lab", COMMITTED, LOG, NOW, to=BEGINNING, targets=[read_target("health.cases:0=end")])
        assert news(moves) == {0: 13, 1: 0}

    def test_a_partition_without_an_offset_gets_one(self) -> None:
        (move,) = plan_reset("lab", {(CASES, 1): 2}, LOG, NOW, to=END)
        assert (move.partition, move.old, move.new, move.skipped) == (0, None, 13, 3)

    def test_what_is_so_already_is_no_move(self) -> None:
        assert plan_reset("lab", {(CASES, 0): 13, (CASES, 1): 2}, LOG, NOW, to=END) == []

    def test_wrong_points_are_refused_in_a_sentence(self) -> None:
        cases = [
            ({"to": Point(Kind.TIME, NOW + 1)}, SettingsError, r"^2020-\S+ lies in the future"),
            (
                {"to": Point(Kind.OFFSET, 99)},
                SettingsError,
                r"health.cases\[0\] goes from @10 to @13; @99 lies outside",
            ),
            ({"targets": [read_target("health.cases:0=@9")]}, SettingsError, "@9 lies outside"),
            ({"targets": [read_target("health.cases:7=end")]}, NotFound, "has no partition 7; it has 2"),
            ({"targets": [read_target("fire.calls:0=end")]}, NotFound, "has no offsets in fire.calls; it reads health"),
            ({"to": END, "topics": ["fire.calls"]}, NotFound, "has no offsets in fire.calls"),
            ({"to": Point(Kind.EVENT, event_id=ID[:-1] + "9")}, NotFound, "There is no event"),
            ({}, SettingsError, "Say where to"),
        ]
        for arguments, error, sentence in cases:
            with pytest.raises(error, match=sentence):
                plan_reset("lab", COMMITTED, LOG, NOW, **arguments)

    def test_the_journals_reader_is_not_moved_from_outside(self) -> None:
        with pytest.raises(ActRefused, match="goes by its snapshots"):
            plan_reset("advance", COMMITTED, LOG, NOW, to=END)

    @pytest.mark.parametrize(
        "text", ["health.cases", "health.cases:0", "health.cases=end", "health.cases:x=end", ":0=end"]
    )
    def test_a_target_names_topic_partition_and_point(self, text: str) -> None:
        with pytest.raises(SettingsError, match="--partition is TOPIC:N=POINT"):
            read_target(text)

    def test_a_targets_point_is_checked_as_any_other(self) -> None:
        with pytest.raises(SettingsError, match=r"--partition health\.cases:0= is beginning, end"):
            read_target("health.cases:0=soon")

    @given(st.integers(0, 13) | st.none(), st.integers(10, 13))
    def test_what_is_read_again_and_what_is_skipped_add_up(self, old: int | None, new: int) -> None:
        move = Move(CASES, 0, old, new, 10, 13)
        assert move.skipped - move.again == new - max(10, old or 0)
        assert not (move.skipped and move.again)


class TestInUse:
    def test_members_are_named_with_their_hosts(self) -> None:
        members = tuple(Member(f"desk-{n}", "desk-0" if n == 0 else None, "/10.0.0.7", ()) for n in range(7))
        with pytest.raises(ActRefused) as refused:
            refuse_active(Group("lab", "stable", "classic", members))
        said = str(refused.value)
        assert "The group lab is in use: desk-0 (desk-0) on 10.0.0.7, desk-1 on 10.0.0.7" in said
        assert "and 2 more." in said

    def test_a_group_that_is_being_shared_out_is_in_use(self) -> None:
        with pytest.raises(ActRefused, match="it is preparing rebalancing"):
            refuse_active(Group("lab", "preparing_rebalancing", "classic", ()))

    def test_an_empty_group_is_not(self) -> None:
        refuse_active(Group("lab", "empty", "classic", ()))
