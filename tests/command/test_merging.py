"""Incidents are brought under one command and let go again, as commanders order it and as records tell it."""

import pytest

from tests.command.conftest import Run
from tests.command.engine import Engine
from tests.command.projecting import board_of, command_pack, record_of
from tests.workflow.definitions import line
from tests.workflow.world import HOUR, START, World, sample

CASES, DIRECTIVE = "health.CasesConfirmed", "command.DirectiveIssued"
CHEN = ("--officer", "Chen", "--basis", "law 9", "--reason", "one river")
A, B, C = "small/440100/1", "small/440200/1", "small/330100/1"


def _open(world: World) -> None:
    for region, count in (("440100", 20), ("440200", 1), ("330100", 1)):
        world.publish(CASES, sample(CASES, region=region, count=count), at=START, region=region)


def _commanded() -> dict[str, object]:
    """Who commands: the command post, which in 33 is the government."""
    return {
        "command": "command_post",
        "responsibilities": [
            line("health_authority", "health"), line("command_post", "command"), line("police", "police"),
            line("command_post", "government", region="33"), line("upper_government", "government"),
        ],
    }  # fmt: skip


def _order(world: World, instance: str, act: str, **particulars: object) -> None:
    """An order, and what the instances tell each other."""
    key = instance.split("/")[1]
    data = sample(DIRECTIVE, act=act, workflow="small", key=key, reason=f"because of {act}", **particulars)
    before = len(world.outputs)
    world.publish(DIRECTIVE, data, at=START + HOUR, region=key, instance=instance, actor="Chen")
    while before < len(world.outputs):
        output = world.outputs[before]
        before += 1
        if output.elsewhere:
            world.append(output.data["entry"])


def test_the_records_of_both_say_what_was_merged_by_whom_and_why() -> None:
    world = World(command_pack(**_commanded()))
    _open(world)
    _order(world, C, "merge", into=A)
    _order(world, C, "split")
    part, lead = record_of(world, START + HOUR, C), record_of(world, START + HOUR, A)
    assert [(step["kind"], step["lead"], step["actor"]) for step in part.merges] == [
        ("merged", A, "Chen"), ("split", A, "Chen"),
    ]  # fmt: skip
    assert part.merges[0]["reason"] == "because of merge"
    assert part.merges[0]["basis"] == "a law"
    assert [(step["kind"], step["part"]) for step in lead.merges] == [("merged", C), ("split", C)]
    assert len({step["cause"] for step in part.merges}) == 2
    assert [step["to_department"] for step in part.commands] == ["government", "command", "government"]
    assert part.level == "III"  # of its lead, and kept
    assert len(part.tasks) >= 1
    assert board_of(world, START).instances[A]["parts"] == []


@pytest.mark.kafka
def test_several_are_merged_and_one_is_split_off(engine: Engine, run: Run) -> None:
    _open(engine.world)
    engine.write()
    with engine.running():
        merged = run("incidents", "merge", B, "small/330100", "--into", A, *CHEN, "--json").json()
        assert [(one["instance"], one["act"], one["applied"]) for one in merged] == [
            (B, "merge", True), (C, "merge", True),
        ]  # fmt: skip
        assert {line["kind"] for line in merged[0]["effects"] if line["instance"] == B} >= {"ordered", "merged"}
        assert "is led by small/440100/1 already" in run("incidents", "merge", B, "--into", A, *CHEN).err
        shown = run("incidents", "list", BUS_LANG="zh", COLUMNS="200")
        lines = [line for line in shown.out.splitlines() if "small/" in line]
        assert [name in line for name, line in zip((f" {A}", "└ small", "└ small"), lines, strict=True)] == [True] * 3
        apart = run("incidents", "split", B, *CHEN, BUS_LANG="zh")
        assert f"{B}：指令（分开指挥）已发布于 command.directives[" in apart.out
        assert any(line.startswith("2020") and "  分开指挥  " in line for line in apart.out.splitlines())
    record = run("incidents", "show", C, "--json").json()
    assert (record["lead"], record["lead_region"], record["level"]) == (A, "440100", "III")
    assert [(step["kind"], step["actor"]) for step in record["merges"]] == [("merged", "Chen")]
    lead = run("incidents", "show", A, "--json").json()
    assert lead["parts"] == [C]
    assert f"└ {C}" in run("incidents", "show", A).out
    levels = {row["instance"]: (row["level"], row["lead"]) for row in run("incidents", "list", "--json").json()}
    assert levels == {A: ("III", None), B: ("III", None), C: ("III", A)}
