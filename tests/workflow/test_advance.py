"""What an event and a tick do to an instance, in actual life."""

from typing import Any

from tests.workflow.definitions import CASES, line, rule, small, step
from tests.workflow.world import HOUR, START, World, encoded, sample

DAY = 24 * HOUR


def cases(world: World, count: int, at: int, **about: Any) -> list[Any]:
    """Health confirms cases in Guangzhou."""
    region = about.pop("region", "440100")
    data = sample("health.CasesConfirmed", region=region, count=count)
    return world.publish("health.CasesConfirmed", data, at=at, region=region, **about)


def instance(world: World, key: str = "440100") -> dict[str, Any]:
    """The open instance of a key."""
    found = world.partition.states[f"small/{key}"].open
    assert found is not None
    return found


def test_the_first_event_opens_and_later_ones_join() -> None:
    world = World(small())
    cases(world, 2, START)
    cases(world, 3, START + HOUR)
    assert instance(world)["instance"] == "small/440100/1"
    assert instance(world)["facts"]["cases"] == 5
    assert world.kinds().count("opened") == 1
    assert world.kinds().count("joined") == 1


def test_a_task_names_who_by_when_on_what_basis_and_from_what_cause() -> None:
    world = World(small())
    cases(world, 1, START, id="first")
    (task,) = world.of_type("workflow.TaskRequested")
    assert task["department"] == "health"
    assert task["basis"] == "law 1"
    assert task["cause"] == "first"
    assert (task["acknowledge_by"], task["complete_by"]) == (START + HOUR, START + 4 * HOUR)
    (requested,) = [output for output in world.outputs if output.type == "workflow.TaskRequested"]
    assert requested.id == task["task"]
    assert requested.causationid == "first"
    assert requested.legalbasis == "law 1"


def test_the_same_event_published_twice_counts_once_and_is_recorded() -> None:
    world = World(small())
    cases(world, 2, START, id="same")
    cases(world, 2, START, id="same")
    assert instance(world)["facts"]["cases"] == 2
    assert world.kinds().count("duplicate") == 1
    assert instance(world)["counts"]["duplicates"] == 1


def test_an_entry_that_correlate_appended_again_after_a_crash_changes_nothing() -> None:
    world = World(small())
    cases(world, 2, START, id="same", offset=7)
    before = world.snapshots()
    assert cases(world, 2, START, id="same", offset=7) == []
    assert world.snapshots() == before


def test_an_event_older_than_its_window_is_late_and_has_no_effect() -> None:
    world = World(small())
    cases(world, 2, START)
    cases(world, 1, START + 3 * DAY)
    cases(world, 5, START + HOUR)
    assert instance(world)["facts"]["cases"] == 3
    assert "late" in world.kinds()


def test_an_event_out_of_order_within_its_window_counts_and_says_so() -> None:
    world = World(small())
    cases(world, 2, START + 2 * HOUR)
    outputs = cases(world, 5, START + HOUR)
    assert instance(world)["facts"]["cases"] == 7
    (joined,) = world.of_type("workflow.TimelineRecorded", outputs)
    assert joined["detail"]["out_of_order"] == "true"
    assert instance(world)["clock"] == START + 2 * HOUR


def test_what_cannot_join_waits_for_its_window_and_then_is_unmatched() -> None:
    objections = rule("objection", "data.ObjectionRaised", window="2h")
    world = World(small(rules=[CASES, objections]))
    data = sample("data.ObjectionRaised", region="440100")
    assert world.kinds(world.publish("data.ObjectionRaised", data, at=START, region="440100")) == ["parked"]
    assert world.partition.next_due == START + 2 * HOUR
    assert world.kinds(world.tick(START + HOUR)) == []
    assert world.kinds(world.tick(START + 2 * HOUR)) == ["unmatched"]
    assert world.partition.next_due is None


def test_what_waited_joins_when_the_instance_opens() -> None:
    objections = rule("objection", "data.ObjectionRaised", set={"quiet": "true"})
    world = World(small(rules=[CASES, objections]))
    data = sample("data.ObjectionRaised", region="440100")
    world.publish("data.ObjectionRaised", data, at=START, region="440100")
    outputs = cases(world, 1, START + HOUR)
    assert instance(world)["facts"] == {"cases": 1, "quiet": True}
    assert world.kinds(outputs).count("joined") == 1
    assert world.partition.states["small/440100"].parked == ()


def test_no_more_wait_than_may() -> None:
    objections = rule("objection", "data.ObjectionRaised", park_max=1)
    world = World(small(rules=[CASES, objections]))
    data = sample("data.ObjectionRaised", region="440100")
    world.publish("data.ObjectionRaised", data, at=START, region="440100", id="older")
    outputs = world.publish("data.ObjectionRaised", data, at=START, region="440100", id="newer")
    assert world.kinds(outputs) == ["parked", "unmatched"]
    assert [entry["event"]["id"] for entry in world.partition.states["small/440100"].parked] == ["newer"]


def test_only_a_tick_lets_a_deadline_pass() -> None:
    world = World(small())
    cases(world, 1, START)
    cases(world, 1, START + 10 * HOUR)
    assert world.of_type("workflow.TaskEscalated") == []
    world.tick(START + HOUR - 1)
    assert world.of_type("workflow.TaskEscalated") == []
    world.tick(START + HOUR)
    (escalated,) = world.of_type("workflow.TaskEscalated")
    assert (escalated["missed"], escalated["to_department"]) == ("acknowledge_by", "command")


def test_one_tick_decides_all_that_is_due_and_names_the_request_as_its_cause() -> None:
    world = World(small())
    cases(world, 1, START)
    (task,) = world.of_type("workflow.TaskRequested")
    outputs = world.tick(START + DAY)
    assert [data["missed"] for data in world.of_type("workflow.TaskEscalated", outputs)] == [
        "acknowledge_by",
        "complete_by",
    ]
    causes = {output.causationid for output in outputs if output.type == "workflow.TaskEscalated"}
    assert causes == {task["task"]}
    assert world.tick(START + 2 * DAY) == []


def test_an_answer_in_time_needs_no_escalation_and_a_late_one_is_counted() -> None:
    world = World(small())
    cases(world, 1, START)
    (task,) = world.of_type("workflow.TaskRequested")
    world.answer(task, "acknowledged", at=START + HOUR)
    assert world.of_type("workflow.TaskEscalated", world.tick(START + 2 * HOUR)) == []
    outputs = world.answer(task, "completed", at=START + 5 * HOUR)
    assert world.kinds(outputs) == ["completed_late"]
    assert instance(world)["counts"] == {"completed_late": 1}
    assert instance(world)["tally"] == {"health": {"completed": 1}}


def test_an_answer_in_time_that_arrives_after_the_tick_withdraws_the_escalation() -> None:
    world = World(small())
    cases(world, 1, START)
    (task,) = world.of_type("workflow.TaskRequested")
    world.tick(START + 2 * HOUR)
    (escalation,) = [output for output in world.outputs if output.type == "workflow.TaskEscalated"]
    outputs = world.answer(task, "acknowledged", at=START + HOUR // 2)
    (withdrawn,) = world.of_type("workflow.EscalationWithdrawn", outputs)
    assert withdrawn["escalation"] == escalation.id
    assert withdrawn["department"] == task["department"]
    assert withdrawn["to_department"] == escalation.data["to_department"]
    assert instance(world)["counts"]["escalations"] == 0
    assert "acknowledged_late" not in instance(world)["counts"]


def test_an_escalation_says_the_level_in_force() -> None:
    world = World(small(level=LEVELS, steps=[step("confirm", "level")]))
    cases(world, 1, START)
    escalated = world.of_type("workflow.TaskEscalated", world.tick(START + 2 * HOUR))
    assert [data["level"] for data in escalated] == ["IV"]


def test_what_one_department_missed_is_not_withdrawn_by_the_next_one_being_in_time() -> None:
    world = World(small())
    cases(world, 1, START)
    (task,) = world.of_type("workflow.TaskRequested")
    world.tick(START + 2 * HOUR)
    directive(world, START + 2 * HOUR, act="reassign", task=task["task"], to_department="police")
    outputs = world.answer(task | {"department": "police"}, "acknowledged", at=START + 2 * HOUR + 1)
    assert world.kinds(outputs) == ["acknowledged"]
    assert instance(world)["counts"]["escalations"] == 1


def test_only_the_responsible_department_may_answer() -> None:
    world = World(small())
    cases(world, 1, START)
    (task,) = world.of_type("workflow.TaskRequested")
    outputs = world.answer(task | {"department": "police"}, "completed", at=START)
    assert world.kinds(outputs) == ["not_responsible"]
    assert instance(world)["tasks"][0]["state"] == "requested"


def test_a_declined_task_goes_up_the_ladder_to_another_department() -> None:
    ladder = [
        {"at": "acknowledge_by", "to": "command_post"},
        {"at": "complete_by", "to": "command_post"},
        {"at": "declined", "to": "police", "reassign": True},
    ]
    world = World(small(escalate=ladder))
    cases(world, 1, START)
    (task,) = world.of_type("workflow.TaskRequested")
    outputs = world.answer(task, "declined", at=START + 1)
    (again,) = world.of_type("workflow.TaskRequested", outputs)
    assert (again["task"], again["department"], again["attempt"]) == (task["task"], "police", 2)
    assert world.of_type("workflow.TaskReassigned", outputs)[0]["to_department"] == "police"
    outputs = world.answer(again, "declined", at=START + 2)
    assert world.kinds(outputs) == ["declined"]
    assert instance(world)["tasks"] == []
    assert instance(world)["tally"] == {"police": {"declined": 1}}


def test_a_gate_must_be_passed_before_the_task_is_asked_for() -> None:
    gate = {
        "role": "upper_government",
        "titles": {"zh": "批准", "en": "Approve"},
        "basis": "law 4",
        "acknowledge_by": "15m",
        "complete_by": "1h",
        "approved_by": "government.BanApproved",
        "rejected_by": "government.BanRejected",
    }
    ban = step("ban", role="police", completed_by=["police.BanIssued"], gate=gate)
    world = World(small(steps=[ban]))
    cases(world, 1, START)
    (approval,) = world.of_type("workflow.TaskRequested")
    assert (approval["step"], approval["department"]) == ("ban_approval", "government")
    about = {"cause": approval["task"], "instance": approval["instance"]}
    outputs = world.answer(approval, "completed", at=START + 1)
    assert world.kinds(outputs) == ["event_owed"]
    outputs = world.publish("government.BanApproved", sample("government.BanApproved"), at=START + 2, **about)
    (task,) = world.of_type("workflow.TaskRequested", outputs)
    assert (task["step"], task["department"]) == ("ban", "police")


def test_a_rejection_ends_the_gate_and_asks_for_nothing() -> None:
    gate = {
        "role": "upper_government",
        "titles": {"zh": "批准", "en": "Approve"},
        "basis": "law 4",
        "acknowledge_by": "15m",
        "complete_by": "1h",
        "approved_by": "government.BanApproved",
        "rejected_by": "government.BanRejected",
    }
    world = World(small(steps=[step("ban", role="police", gate=gate)]))
    cases(world, 1, START)
    (approval,) = world.of_type("workflow.TaskRequested")
    about = {"cause": approval["task"], "instance": approval["instance"]}
    outputs = world.publish("government.BanRejected", sample("government.BanRejected"), at=START + 2, **about)
    assert world.of_type("workflow.TaskRequested", outputs) == []
    assert instance(world)["tasks"] == []


def test_a_repeating_step_asks_again_while_its_guard_holds() -> None:
    repeating = step("report", every="4h", repeat_while="facts.cases < 5", only_one=False)
    world = World(small(steps=[repeating]))
    cases(world, 1, START)
    world.tick(START + 8 * HOUR)
    assert [data["requested_at"] for data in world.of_type("workflow.TaskRequested")] == [
        START,
        START + 4 * HOUR,
        START + 8 * HOUR,
    ]
    cases(world, 9, START + 9 * HOUR)
    assert world.of_type("workflow.TaskRequested", world.tick(START + 12 * HOUR)) == []
    assert not instance(world)["timers"]


def test_deadlines_wait_while_the_clock_stands() -> None:
    stops = [{"from": "cdc.CaseConfirmed", "until": "cdc.CaseDiscarded", "basis": "law 5"}]
    world = World(small(steps=[step("verify", stops=stops)]))
    cases(world, 1, START)
    about = {"instance": "small/440100/1"}
    world.publish("cdc.CaseConfirmed", sample("cdc.CaseConfirmed"), at=START + HOUR // 2, **about)
    assert world.of_type("workflow.TaskEscalated", world.tick(START + DAY)) == []
    outputs = world.publish("cdc.CaseDiscarded", sample("cdc.CaseDiscarded"), at=START + DAY + HOUR // 2, **about)
    (extended,) = world.of_type("workflow.TaskExtended", outputs)
    assert extended["acknowledge_by"] == START + DAY + HOUR
    assert len(world.of_type("workflow.TaskEscalated", world.tick(START + DAY + HOUR))) == 1


LEVELS = {
    "of": "facts.cases",
    "rows": [{"at_least": 1, "gives": "IV"}, {"at_least": 10, "gives": "III"}, {"at_least": 50, "gives": "II"}],
    "basis": "law 6",
}


def test_the_level_rises_at_once_over_several_steps_and_never_falls() -> None:
    world = World(small(level=LEVELS, steps=[step("confirm", "level")]))
    cases(world, 1, START)
    assert instance(world)["level"] == "IV"
    outputs = cases(world, 60, START + 1)
    assert instance(world)["level"] == "II"
    (raised,) = world.of_type("workflow.LevelRaised", outputs)
    assert (raised["from_level"], raised["to_level"]) == ("IV", "II")
    assert instance(world)["highest_level"] == "II"


def directive(world: World, at: int, **data: Any) -> list[Any]:
    """The command post orders something in the open instance."""
    order = sample("command.DirectiveIssued", reason="an order", **data)
    return world.publish("command.DirectiveIssued", order, at=at, instance="small/440100/1", actor="Zhang")


def test_commanders_reassign_extend_and_close_each_act_recorded_with_who() -> None:
    world = World(small())
    cases(world, 1, START)
    (task,) = world.of_type("workflow.TaskRequested")
    outputs = directive(world, START + 1, act="extend", task=task["task"], complete_by=START + DAY)
    assert world.of_type("workflow.TaskExtended", outputs)[0]["complete_by"] == START + DAY
    outputs = directive(world, START + 2, act="reassign", task=task["task"], to_department="police")
    assert world.of_type("workflow.TaskReassigned", outputs)[0]["to_department"] == "police"
    (again,) = world.of_type("workflow.TaskRequested", outputs)
    assert (again["acknowledge_by"], again["complete_by"]) == (START + 2 + HOUR, START + DAY)
    outputs = directive(world, START + 3, act="close")
    assert world.of_type("workflow.TaskCancelled", outputs)
    (closed,) = [data for data in world.of_type("workflow.TimelineRecorded", outputs) if data["kind"] == "closed"]
    assert closed["actor"] == "Zhang"
    assert world.partition.states["small/440100"].open is None


def test_commanders_open_an_instance_and_set_its_level() -> None:
    world = World(small(level=LEVELS, steps=[step("confirm", "level")]))
    order = sample("command.DirectiveIssued", act="open", workflow="small", key="440100", reason="an order")
    world.publish("command.DirectiveIssued", order, at=START, region="440100")
    assert instance(world)["region"] == "440100"
    directive(world, START + 1, act="level", level="III")
    assert instance(world)["level"] == "III"
    assert [data["step"] for data in world.of_type("workflow.TaskRequested")] == ["confirm"]


def test_an_order_for_a_task_that_is_not_open_is_recorded_as_void() -> None:
    world = World(small())
    cases(world, 1, START)
    assert "order_void" in world.kinds(directive(world, START, act="extend", task="none"))


def test_a_closed_instance_stays_and_the_next_opener_makes_the_next() -> None:
    world = World(small())
    cases(world, 1000, START)
    assert world.kinds()[-1] == "closed"
    cases(world, 1, START + HOUR)
    assert instance(world)["n"] == 2
    snapshots = encoded(world.outputs)
    assert {"small/440100/1", "small/440100/2"} <= snapshots.keys()


def test_an_opener_older_than_the_closed_instance_is_late() -> None:
    world = World(small())
    cases(world, 1000, START + HOUR)
    assert world.kinds(cases(world, 1, START)) == ["late"]
    assert world.partition.states["small/440100"].open is None


def test_an_event_applied_before_the_closing_does_not_open_anew() -> None:
    world = World(small())
    cases(world, 1000, START, id="same")
    assert world.kinds(cases(world, 1000, START, id="same")) == ["duplicate"]


def test_an_answer_to_a_closed_instance_is_late() -> None:
    world = World(small())
    cases(world, 1, START)
    (task,) = world.of_type("workflow.TaskRequested")
    cases(world, 1000, START + 1)
    assert world.kinds(world.answer(task, "completed", at=START + 2)) == ["late"]
    cases(world, 1, START + HOUR)
    assert world.kinds(world.answer(task, "completed", at=START + HOUR)) == ["late"]


def test_an_event_known_by_an_alias_reaches_the_instance() -> None:
    naming = rule("named", "cdc.CaseConfirmed", alias="event.case")
    by_case = rule("discarded", "cdc.CaseDiscarded", key="event.case", set={"quiet": "true"})
    world = World(small(rules=[CASES, naming, by_case]))
    cases(world, 1, START)
    about = {"at": START + 1, "region": "440100"}
    world.publish("cdc.CaseDiscarded", sample("cdc.CaseDiscarded", case="case 9"), **about)
    outputs = world.publish("cdc.CaseConfirmed", sample("cdc.CaseConfirmed", region="440100", case="case 9"), **about)
    (alias,) = world.of_type("workflow.EntryAppended", outputs)
    (forward,) = world.of_type("workflow.EntryAppended", world.append(alias["entry"]))
    world.append(forward["entry"])
    assert instance(world)["facts"]["quiet"] is True


def test_an_event_that_concerns_a_region_reaches_every_instance_in_it() -> None:
    by_region = rule("short", "hospitals.ResourceShort", key=None, match="region", set={"quiet": "true"})
    world = World(small(rules=[CASES, by_region]))
    for region in ("440100", "440300", "330100"):
        cases(world, 1, START, region=region)
    world.publish("hospitals.ResourceShort", sample("hospitals.ResourceShort"), at=START, region="440000")
    quiet = {key: instance(world, key)["facts"]["quiet"] for key in ("440100", "440300", "330100")}
    assert quiet == {"440100": True, "440300": True, "330100": False}


def test_a_guard_that_cannot_be_evaluated_does_not_hold_and_is_recorded() -> None:
    world = World(small(steps=[step("verify", when="10 / facts.cases > 1")]))
    cases(world, 0, START)
    assert world.of_type("workflow.TaskRequested") == []
    assert "guard_failed" in world.kinds()


def test_an_instance_keeps_the_pack_it_opened_with() -> None:
    old, new = small(), small(version=2, steps=[step("other")])
    world = World(old)
    cases(world, 1, START)
    world.append(activation(new))
    world.correlator = type(world.correlator)([old, new])
    cases(world, 1, START + 1)
    assert instance(world)["pack"] == old.hash
    assert instance(world)["facts"]["cases"] == 2
    cases(world, 1, START + 2, region="440300")
    assert instance(world, "440300")["pack"] == new.hash


def activation(pack: Any) -> dict[str, Any]:
    """The journal entry that puts a pack into force."""
    world = World(pack)
    return world.journal[0][1]


def test_the_longest_region_and_then_the_level_say_who_is_responsible() -> None:
    pack = small(
        responsibilities=[
            line("health_authority", "health"),
            line("health_authority", "cdc", region="4403"),
            line("health_authority", "hospitals", region="4403", level="II"),
            line("command_post", "command"),
            line("upper_government", "government"),
        ]
    )
    assert pack.responsible("health_authority", "440100", None).department == "health"
    assert pack.responsible("health_authority", "440300", None).department == "cdc"
    assert pack.responsible("health_authority", "440300", "II").department == "hospitals"


def test_a_state_stays_within_its_record_whatever_events_say() -> None:
    objections = rule("objection", "data.ObjectionRaised", subject="event.source_reference")
    asking = step("verify", "rule:objection", context={"city": "event.city"})
    world = World(small(rules=[CASES, objections], steps=[asking]))
    cases(world, 1, START)
    data = sample("data.ObjectionRaised", region="440100", city="x" * 500_000, source_reference="y" * 5_000)
    world.publish("data.ObjectionRaised", data, at=START, region="440100")
    (task,) = instance(world)["tasks"]
    assert (len(task["context"]["city"]), len(task["subject"])) == (1_000, 1_000)


def test_no_more_bytes_wait_than_a_key_can_keep() -> None:
    world = World(small(rules=[CASES, rule("objection", "data.ObjectionRaised")]))
    data = sample("data.ObjectionRaised", region="440100", city="x" * 900_000)
    for number in range(4):
        world.publish("data.ObjectionRaised", data, at=START, region="440100", id=str(number))
    parked = world.partition.states["small/440100"].parked
    assert [entry["event"]["id"] for entry in parked] == ["2", "3"]
    assert world.kinds().count("unmatched") == 2
