"""``advance`` raises on no entry that the schema allows, in any sequence; what it makes of them stays a function."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deptbus.envelope import Envelope, from_headers, to_headers
from deptbus.errors import CodecError
from deptbus.workflow import due as module
from deptbus.workflow.output import Output
from deptbus.workflow.pack import Pack
from deptbus.workflow.partition import Partition
from deptbus.workflow.state import Read
from tests.workflow.definitions import CASES, line, rule, small, step
from tests.workflow.strategies import Told, told, tried
from tests.workflow.world import Unaltered, World, codec, encoded, pack_of, workflow

GATE = {
    "role": "upper_government",
    "titles": {"zh": "批准", "en": "Approve"},
    "basis": "law 4",
    "acknowledge_by": "15m",
    "complete_by": "1h",
    "approved_by": "government.BanApproved",
    "rejected_by": "government.BanRejected",
}
RICH = small(
    workflow="rich",
    facts={"cases": {"type": "int"}, "quiet": {"type": "bool"}, "note": {"type": "string"}, "part": {"type": "double"}},
    level={"of": "facts.cases / (facts.cases - 7)", "rows": [{"at_least": 1, "gives": "III"}], "basis": "law 6"},
    rules=[
        CASES | {"restart": ["calm"]},
        rule("named", "cdc.CaseConfirmed", alias="event.case", subject="event.case", set={"note": "event.method"}),
        rule("short", "hospitals.ResourceShort", key=None, match="region",
             set={"cases": "facts.cases - event.quantity"}),
        rule("gone", "cdc.CaseDiscarded", key="event.case", window="2h", park_max=2, set={"part": "1.0 / 0.0"}),
        rule("objection", "data.ObjectionRaised", window="3h", subject="event.city", set={"quiet": "event.value > 10"}),
    ],
    timers=[{"timer": "calm", "after": "3h", "set": {"quiet": "true"}, "basis": "law 7"}],
    steps=[
        step("verify", "rule:cases", only_one=False,
             stops=[{"from": "cdc.CaseConfirmed", "until": "cdc.CaseDiscarded", "basis": "law 5"}]),
        step("report", "opened", every="7h", repeat_while="!facts.quiet"),
        step("ban", "rule:objection", role="police", completed_by=["police.BanIssued"], gate=GATE),
        step("figure", "rule:objection", acknowledge_by="1wd", complete_by="2wd", cancelled_by=["timer:calm"],
             completed_by=["health.FigureVerified"], context={"city": "event.city", "of": "string(10 / event.value)"}),
        step("nobody", "timer:calm", "level", role="nobody"),
    ],
    escalate=[
        {"at": "acknowledge_by", "to": "command_post", "retry": True},
        {"at": "complete_by", "to": "nobody", "retry": True},
        {"at": "complete_by", "after": "1h", "to": "police", "reassign": True},
        {"at": "declined", "to": "police", "reassign": True},
        {"at": "declined", "to": "nobody"},
    ],
    closes="facts.cases > 30 || facts.cases < -30",
    responsibilities=[
        line("health_authority", "health"), line("command_post", "command"), line("police", "police", region="44"),
        line("upper_government", "government", level="III"), line("upper_government", "government", region="4401"),
    ],
)  # fmt: skip
SMALL = small()
NEXT = small(version=2, steps=[step("verify", acknowledge_by="2h"), step("more", "rule:cases", role="police")])


@pytest.fixture(scope="module", autouse=True)
def few_at_once() -> Iterator[None]:
    """A tick far ahead would let a repeating step fall due for thousands of years."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "FIRED_MAX", 50)
        yield


class Player:
    """Hands entries to one partition one by one, and delivers what it appends to the journal when told to."""

    def __init__(self, *packs: Pack, stepped: bool) -> None:
        self.world = World(*packs, stepped=stepped)
        self.packs = packs
        self.partition = self.world.partition
        self.reads = [World.read(entry) for entry in self.world.journal]
        self.outputs: list[Output] = list(self.world.outputs)
        self.appended: list[dict[str, Any]] = []

    def play(self, each: Told) -> None:
        """Make the entry, encode it as the journal would, and apply it."""
        entry = dict(each.entry)
        data, event = each.data, entry["event"]
        if each.task is not None and event is not None:
            requests = [output for output in self.outputs if output.type == "workflow.TaskRequested"]
            if requests:
                request = requests[-1 - each.task % len(requests)]
                entry["event"] = event | {"causationid": request.id, "correlationid": request.correlationid}
                if data is not None and "task" in data:
                    data = data | {"task": request.data["task"]}
        entry["body"] = each.body if data is None else codec().encode(each.type, data)
        if each.activates is not None:
            entry["body"] = self.packs[each.activates].to_bytes()
        self.append(entry)

    def append(self, entry: dict[str, Any]) -> None:
        """Journal and apply an entry; what the worker cannot decode it passes over."""
        value = codec().encode("workflow.EntryAppended", {"entry": entry})
        try:
            entry = codec().decode(value)["entry"]
            body = None
            if entry["event"] is not None and entry["body"] is not None:
                body = codec().decode(entry["body"], entry["event"]["type"])
        except CodecError:
            return
        self.reads.append((len(self.reads), entry, body))
        self._take(self.partition.apply(self.reads[-1:]))

    def _take(self, outputs: list[Output]) -> None:
        self.outputs += outputs
        self.appended += [output.data["entry"] for output in outputs if output.topic == "workflow.journal"]

    def deliver(self) -> None:
        """Deliver what was appended so far, and what follows from it."""
        for _ in range(40):
            if not self.appended:
                return
            for entry in [self.appended.pop(0) for _ in range(len(self.appended))]:
                self.append(entry)
        raise AssertionError("entries are sent on for ever")


def told_of(outputs: list[Output]) -> list[tuple[str, bytes]]:
    """Ids and values of all outputs but snapshots."""
    return [
        (output.id, codec().encode(output.type, output.data))
        for output in outputs
        if output.topic != "workflow.instances"
    ]


def states(partition: Partition) -> dict[str, str]:
    """All that a partition remembers, comparable."""
    found = {name: repr(state) + json.dumps(state.instance, sort_keys=True) for name, state in partition.states.items()}
    return found | {"due": str(partition.next_due)}


def snapshots(outputs: list[Output]) -> dict[str, bytes]:
    """The last record of every instance and key; how far the partition is depends on batches."""
    return {key: value for key, value in encoded(outputs).items() if not key.startswith("@partition/")}


def holds(player: Player, cuts: list[int]) -> None:
    """What must be true of whatever was played."""
    clocks: dict[str, int] = {}
    for output in player.outputs:
        codec().encode(output.type, output.data)
        envelope = Envelope(
            id=output.id, type=output.type, source="/bus/workflow", time_ms=output.time_ms, subject=output.subject,
            correlationid=output.correlationid, causationid=output.causationid, legalbasis=output.legalbasis,
            region=output.region,
        )  # fmt: skip
        assert from_headers(to_headers(envelope)) == envelope
        if output.type in ("workflow.InstanceChanged", "workflow.KeyChanged"):
            assert output.data["clock"] >= clocks.get(output.key, output.data["clock"])
            clocks[output.key] = output.data["clock"]
    again, outputs, at = player.world.new_partition(kind=Unaltered), [], 0
    for number in range(len(player.reads)):
        if at >= len(player.reads):
            break
        batch: list[Read] = player.reads[at : at + cuts[number % len(cuts)]]
        outputs += again.apply(batch)
        at += len(batch)
    assert states(again) == states(player.partition)
    assert told_of(outputs) == told_of(player.outputs)
    assert snapshots(outputs) == snapshots(player.outputs)
    if not player.world.stepped:  # else entries may be held
        restored = player.world.new_partition()
        written = [output for output in player.outputs if output.topic == "workflow.instances"]
        restored.restore((output.key.encode(), codec().encode(output.type, output.data)) for output in written)
        restored.restored()
        assert states(restored) == states(player.partition)


PACKS = {"rich": [RICH], "two": [SMALL, RICH], "versions": [SMALL, NEXT]} | {
    name: [pack_of(workflow(name))] for name in ("epidemic", "leak", "flood")
}


@pytest.mark.parametrize("name", PACKS)
@tried
@given(data=st.data())
def test_no_entry_makes_advance_raise(name: str, data: st.DataObject) -> None:
    packs = PACKS[name]
    player = Player(*packs, stepped=data.draw(st.booleans(), "stepped"))
    for each in data.draw(st.lists(told(packs), min_size=12, max_size=40), "entries"):
        player.play(each)
        if data.draw(st.booleans(), "deliver"):
            player.deliver()
    player.deliver()
    holds(player, data.draw(st.lists(st.integers(1, 9), min_size=1, max_size=4), "cuts"))
