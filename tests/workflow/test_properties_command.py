"""Whatever commanders order, rightly, wrongly or too late, amid events, answers and ticks: what always holds.

Several instances in several partitions; what they tell each other is on the way for as long as it pleases.
"""

from collections import Counter
from collections.abc import Mapping
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from deptbus.workflow.definition import RANK
from deptbus.workflow.fold import OUTPUT_TOPICS
from deptbus.workflow.output import Output
from deptbus.workflow.state import Instance
from tests.workflow import definitions
from tests.workflow.definitions import CASES, line, small, step
from tests.workflow.strategies import EXAMPLES, SUPPRESSED
from tests.workflow.world import HOUR, START, Unaltered, World, codec, encoded, sample
from tests.workflow.worlds import Worlds

KEYS = ("small/440100", "small/440300", "small/440305", "other/440300")
UNIT = {"zh": "区指挥部", "en": "District command"}
DEFINITION: dict[str, Any] = {
    "command": "command_post",
    "level": {"of": "facts.cases", "basis": "law 5",
              "rows": [{"at_least": 4, "gives": "III"}, {"at_least": 9, "gives": "II"}]},
    "rules": [CASES, definitions.rule("over", "police.GatheringDispersed", subject="event.gathering"),
              definitions.rule("gathering", "urban.GatheringDetected", subject="event.gathering")],
    "steps": [
        step("verify", "opened", "level", takeover=True),
        step("report", "opened", every="3h", repeat_while="facts.cases < 12"),
        step("ban", "rule:gathering", role="police", completed_by=["police.BanIssued"], cancelled_by=["rule:over"]),
        step("take_in", "merged", "split", only_one=False, complete_by="30h"),
    ],
    "escalate": [
        {"at": "acknowledge_by", "to": "command_post", "retry": True},
        {"at": "complete_by", "to": "upper_government"},
        {"at": "declined", "to": "police", "reassign": True},
    ],
    "closes": "facts.cases >= 30",
    "responsibilities": [
        line("health_authority", "health"), line("health_authority", "cdc", level="II"), line("police", "police"),
        line("command_post", "command"), line("command_post", "districts", region="440305", unit=UNIT),
        line("upper_government", "government"),
    ],
}  # fmt: skip
PACKS = (small(**DEFINITION), small(**DEFINITION | {"workflow": "other"}))
LEVELS = st.sampled_from([*RANK, None])
RECORDED = {
    "open": {"ordered", "order_void", "opened", "late", "unmatched"},
    "close": {"ordered", "late", "unmatched"},
    "level": {"level", "order_void", "late", "unmatched"},
    "extend": {"extended", "order_void", "late", "unmatched"},
    "reassign": {"reassigned", "order_void", "late", "unmatched"},
    "merge": {"ordered", "order_void", "late", "unmatched"},
    "split": {"split", "order_void", "late", "unmatched"},
}
"""What the timeline may say of an act."""


class Commanded(RuleBasedStateMachine):
    """Acts, events, answers and ticks in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.there = Worlds(*PACKS, count=3)
        self.now = START
        self.number = 0
        self.levels: dict[str, str | None] = {}
        self.ordered: set[str] = set()
        """Instances whose level was ordered since it was last looked at."""

    @initialize()
    def all_open(self) -> None:
        """In every region something has begun."""
        for key in KEYS:
            self.cases(key, 1, 0)

    def _publish(self, event_type: str, data: Mapping[str, Any], **about: Any) -> list[Output]:
        self.number += 1
        about = {"at": self.now, "id": f"{event_type} {self.number}"} | about
        return self.there.publish(event_type, data, arrive=False, **about)

    @rule(key=st.sampled_from(KEYS), count=st.integers(0, 5), ago=st.integers(0, 3))
    def cases(self, key: str, count: int, ago: int) -> None:
        """Cases are confirmed, in both workflows of a region."""
        region = key.partition("/")[2]
        data = sample("health.CasesConfirmed", region=region, count=count)
        self._publish("health.CasesConfirmed", data, region=region, at=self.now - ago * HOUR)

    @rule(key=st.sampled_from(KEYS), what=st.sampled_from(["gathering", "ban", "over"]), ago=st.integers(0, 3))
    def gathering(self, key: str, what: str, ago: int) -> None:
        """People gather, are forbidden to, or have gone."""
        kinds = {"gathering": "urban.GatheringDetected", "ban": "police.BanIssued", "over": "police.GatheringDispersed"}
        region = key.partition("/")[2]
        about: dict[str, Any] = {"region": region, "at": self.now - ago * HOUR, "instance": None}
        if what == "ban":
            about |= {"instance": f"{key}/1", "subject": "a"}
        self._publish(kinds[what], sample(kinds[what], region=region, gathering="a"), **about)

    @rule(which=st.integers(0, 9), said=st.sampled_from(["acknowledged", "accepted", "committed", "progressed",
                                                         "completed", "declined"]), by=st.integers(0, 9))  # fmt: skip
    def answer(self, which: int, said: str, by: int) -> None:
        """A department answers a task that was asked, mostly the one that was asked."""
        task = self._task(which)
        if task is not None:
            department = "police" if by == 0 else task["department"]
            data = sample(f"{department}.TaskAnswered", task=task["task"], disposition=said)
            self._publish(f"{department}.TaskAnswered", data, instance=task["instance"], cause=task["task"])

    @rule(hours=st.integers(0, 5))
    def tick(self, hours: int) -> None:
        """Time goes on."""
        self.now += hours * HOUR // 2 + 1
        self.there.tick(self.now)

    @rule(most=st.integers(1, 3))
    def arrive(self, most: int) -> None:
        """Some of what is on the way arrives."""
        self.there.arrive(min(most, len(self.there.on_the_way)))

    @rule(key=st.sampled_from(KEYS), named=st.booleans(), n=st.integers(1, 2), act=st.sampled_from([*RECORDED]),
          level=LEVELS, which=st.none() | st.integers(0, 9), ago=st.integers(0, 3),
          department=st.sampled_from(["police", "health", "nobody", None]), into=st.sampled_from([*KEYS, "", "x/y/z"]),
          deadline=st.none() | st.integers(-5, 40) | st.sampled_from([2**62]))  # fmt: skip
    def order(self, key: str, named: bool, n: int, act: str, level: str | None, which: int | None, ago: int,
              department: str | None, into: str, deadline: int | None) -> None:  # fmt: skip
        """A commander orders something; it need not make sense."""
        workflow, _, of = key.partition("/")
        task = self._task(which) if which is not None else None
        if task is not None:
            key, _, of_key = task["instance"].rpartition("/")
            named, n = True, int(of_key)
        at = self.now - ago * HOUR
        by = None if deadline is None else deadline if deadline > 100 else self.now + deadline * HOUR
        data = sample("command.DirectiveIssued", act=act, workflow=workflow, key=of, level=level, reason="an order",
                      task=task["task"] if task else None, to_department=department, complete_by=by,
                      into=f"{into}/1" if into in KEYS else into)  # fmt: skip
        outputs = self._publish("command.DirectiveIssued", data, at=at, actor="Li", region=of,
                                instance=f"{key}/{n}" if named else None)  # fmt: skip
        told = {output.data["kind"] for output in outputs if output.type == "workflow.TimelineRecorded"}
        assert told & RECORDED[act], f"{act} left {told}"
        if act == "level":
            self.ordered.add(key)

    @rule(key=st.sampled_from(KEYS), into=st.sampled_from(KEYS), act=st.sampled_from(["merge", "merge", "split"]))
    def command(self, key: str, into: str, act: str) -> None:
        """Instances come under one command, or go apart: as it is mostly meant."""
        self.order(key, True, 1, act, None, None, 0, None, into, None)

    @rule(which=st.integers(0, 9), act=st.sampled_from(["extend", "reassign"]), hours=st.integers(0, 9))
    def about(self, which: int, act: str, hours: int) -> None:
        """Something is ordered about a task that was asked."""
        self.order(KEYS[0], True, 1, act, None, which, 0, "police" if hours % 2 else "health", "", hours)

    def _task(self, which: int) -> dict[str, Any] | None:
        asked = [data for world in self.there.worlds for data in world.of_type("workflow.TaskRequested")]
        return asked[-1 - which % len(asked)] if asked else None

    def _instances(self) -> list[Instance]:
        states = [state for world in self.there.worlds for state in world.partition.states.values()]
        return [state.open for state in states if state.open is not None]

    @invariant()
    def tasks_are_whole(self) -> None:
        """I6: one department, a basis and both times; and the tally is that of the tasks."""
        for instance in self._instances():
            standing: Counter[tuple[str, str]] = Counter()
            for task in instance["tasks"]:
                assert all(task[name] for name in ("department", "unit", "basis", "acknowledge_by", "complete_by"))
                standing[task["department"], task["state"]] += 1
            told = {
                (department, state): count
                for department, states in instance["tally"].items()
                for state, count in states.items()
            }
            over = ("completed", "declined", "cancelled")
            assert {key: count for key, count in told.items() if key[1] not in over} == standing
            assert sum(told.values()) == sum(instance["asked"].values())
            assert all(count > 0 for count in told.values())
            assert len({task["id"] for task in instance["tasks"]}) == len(instance["tasks"])

    @invariant()
    def levels_only_rise(self) -> None:
        """But by an order."""
        for instance in self._instances():
            name, level = instance["instance"], instance["level"]
            key = name.rpartition("/")[0]
            if key not in self.ordered:
                assert RANK.get(level, 0) >= RANK.get(self.levels.get(name), 0)
            self.levels[name] = level
        self.ordered.clear()

    @invariant()
    def somebody_commands(self) -> None:
        """An open instance has who commands it, and nobody leads who is led."""
        for instance in self._instances():
            assert instance["command_department"]
            assert not (instance["lead"] and instance["parts"])
            assert instance["instance"] not in (instance["lead"], *instance["parts"])

    def teardown(self) -> None:
        """At last all arrives, and the journals fold to the same."""
        self.there.arrive()
        by_name = {instance["instance"]: instance for instance in self._instances()}
        for name, instance in by_name.items():
            assert instance["merging"] is None
            if instance["lead"] is not None:
                assert name in by_name[instance["lead"]]["parts"]
            for part in instance["parts"]:
                assert by_name[part]["lead"] == name
        for world in self.there.worlds:
            self._folds(world)

    def _folds(self, world: World) -> None:
        ids = [output.id for output in world.outputs if output.topic in OUTPUT_TOPICS]
        assert len(set(ids)) == len(ids)
        over: set[str] = set()
        for output in world.outputs:
            codec().encode(output.type, output.data)
            if output.type == "workflow.InstanceClosed":
                over.add(output.data["instance"])
            elif output.topic == "workflow.tasks":
                assert output.data["instance"] not in over
        again = world.new_partition(kind=Unaltered).apply([World.read(entry) for entry in world.journal])
        assert _told(again) == _told(world.outputs)
        assert _last(again) == _last(world.outputs)


def _told(outputs: list[Output]) -> list[tuple[str, dict[str, Any]]]:
    return [(output.id, output.data) for output in outputs if output.topic in OUTPUT_TOPICS]


def _last(outputs: list[Output]) -> dict[str, bytes]:
    return {key: value for key, value in encoded(outputs).items() if key[0] != "@"}


Commanded.TestCase.settings = settings(max_examples=EXAMPLES, stateful_step_count=40, suppress_health_check=SUPPRESSED)
TestWhateverIsOrdered = Commanded.TestCase
