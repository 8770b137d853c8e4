"""Officers answer and commanders order on a page: on a real broker, with the engine in memory behind it."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from deptbus.desk.reading import TIMELINE
from deptbus.desk.refused import Refused
from deptbus.envelope import from_headers
from deptbus.errors import ActRefused, NotFound
from services.dashboard.access.people import LOCAL, Person
from services.dashboard.views.department import department
from services.dashboard.web.acts import Desk
from services.dashboard.web.refusals import FieldRefused, NotEntitled
from tests.command.engine import Engine
from tests.command.projecting import INSTANCE, REGION
from tests.dashboard.conftest import Followed, Following
from tests.waiting import wait_until
from tests.workflow.world import HOUR, START, sample

pytestmark = pytest.mark.kafka

LI = Person("Li Wei", frozenset({"officer"}), frozenset({"health"}))
CHEN = Person("Chen", frozenset({"commander"}), None)
MAYOR = Person("Mayor", frozenset({"officer"}), frozenset({"government"}))
STRANGER = Person("Xu", frozenset({"officer", "commander"}), frozenset({"water"}))
BY = {"basis": "law 9", "reason": "by order"}


class Played:
    """A dashboard that follows an incident with a gathering, and a desk at it."""

    def __init__(self, engine: Engine, one: Followed) -> None:
        self.engine = engine
        self.one = one
        self.desk = Desk(one.look)

    def task(self, step: str) -> str:
        """The id of a step's open task."""
        requested = self.engine.world.of_type("workflow.TaskRequested")
        return next(str(data["task"]) for data in requested if data["step"] == step)

    def tasks(self, name: str) -> list[dict[str, Any]]:
        """What a department is asked."""
        found: list[dict[str, Any]] = department(self.one.look, LOCAL, name)["tasks"]
        return found

    def apply(self) -> None:
        """Let the engine apply what was published, and the dashboard read what came of it."""
        self.engine.settle()
        clocks = {data["instance"]: data["offset"] for data in self.engine.world.of_type("workflow.InstanceChanged")}
        lines = len(self.published(TIMELINE))
        store, decode = self.one.look.store, self.one.look.codec.decode
        wait_until(
            lambda: all((found := store.instance(name)) and decode(found.value)["offset"] >= offset
                        for name, offset in clocks.items())
            and len(store.told(TIMELINE, clocks)) == lines,
            "the dashboard to have read it",
        )  # fmt: skip

    def published(self, topic: str) -> list[tuple[Any, dict[str, Any]]]:
        """Envelopes and data of a topic."""
        return [(from_headers(record.headers), data) for record, _, data in self.engine.broker.read(topic)]


@pytest.fixture
def played(engine: Engine, followed: Following) -> Iterator[Played]:
    engine.world.publish(
        "health.CasesConfirmed", sample("health.CasesConfirmed", region=REGION, count=10), at=START, region=REGION
    )
    gathering = sample("urban.GatheringDetected", region=REGION, gathering="G-1")
    engine.world.publish("urban.GatheringDetected", gathering, at=START, region=REGION)
    engine.write()
    made = Played(engine, followed().start())
    wait_until(lambda: len(made.tasks("health")) == 2, "the tasks of health")
    yield made
    made.desk.close()


def test_an_answer_is_on_the_topic_when_it_is_told(played: Played) -> None:
    task = played.task("verify")
    told = played.desk.answer(LI, task, "acknowledge", {"note": " seen "})
    assert (told["state"], told["type"], told["topic"], told["remarks"]) == (
        "published", "health.TaskAnswered", "health.tasks", [],
    )  # fmt: skip
    ((envelope, data),) = played.published("health.tasks")
    assert data == {"task": task, "disposition": "acknowledged", "note": "seen"}
    assert (envelope.id, envelope.actor, envelope.legalbasis) == (told["event_id"], "Li Wei", "law 1")
    assert (envelope.correlationid, envelope.mode, envelope.time_ms) == (INSTANCE, "exercise", START)
    played.apply()
    (verify,) = [one for one in played.tasks("health") if one["task"] == task]
    assert (verify["state"], verify["acknowledged_at"]) == ("acknowledged", START)


def test_every_disposition_is_published_and_a_late_one_says_so(played: Played) -> None:
    task = played.task("verify")
    for act in ("accept", "commit", "progress"):
        played.desk.answer(LI, task, act, {"basis": "law 7"})
    played.apply()
    played.engine.world.tick(START + 6 * HOUR)
    played.engine.write()
    wait_until(lambda: played.one.look.now().at_ms >= START + 6 * HOUR, "time to pass")
    told = played.desk.answer(LI, task, "complete", {})
    assert told["remarks"][0]["en"].startswith("It counts as completed late: due 2020-01-20 04:00, 2 h before.")
    assert told["remarks"][0]["zh"] == "按逾期完成计：期限为 2020-01-20 04:00，已过 2小时"
    said = [(data["disposition"], envelope.legalbasis) for envelope, data in played.published("health.tasks")]
    assert said == [("accepted", "law 7"), ("committed", "law 7"), ("progressed", "law 7"), ("completed", "law 1")]


def test_what_may_not_be_done_is_not_published(played: Played) -> None:
    verify, ban = played.task("verify"), played.task("ban_approval")
    with pytest.raises(NotEntitled, match="You are no officer of government"):
        played.desk.answer(LI, ban, "acknowledge", {})
    with pytest.raises(NotEntitled, match="You are no officer of health"):
        played.desk.answer(CHEN, verify, "acknowledge", {})
    with pytest.raises(NotFound):
        played.desk.answer(STRANGER, verify, "acknowledge", {})
    with pytest.raises(FieldRefused, match="reason must be given"):
        played.desk.answer(LI, verify, "decline", {"note": "none"})
    with pytest.raises(ActRefused, match="is nothing that is said of a task"):
        played.desk.answer(LI, verify, "forget", {})
    with pytest.raises(ActRefused, match="asks for no event"):
        played.desk.answer(LI, verify, "complete", {"data": {}})
    with pytest.raises(FieldRefused, match="note must be text"):
        played.desk.answer(LI, verify, "acknowledge", {"note": 7})
    assert played.published("health.tasks") == []
    assert played.published("government.tasks") == []


def test_a_task_that_is_over_says_how_it_ended(played: Played) -> None:
    task = played.task("verify")
    played.desk.answer(LI, task, "complete", {})
    played.apply()
    with pytest.raises(Refused, match=r"is over: completed at 2020-01-20 00:00 by Li Wei\.") as refused:
        played.desk.answer(LI, task, "acknowledge", {})
    assert "已结束：Li Wei 于 2020-01-20 00:00 完成。" in refused.value.said.zh
    with pytest.raises(NotFound, match="No open task begins with"):
        played.desk.answer(STRANGER, task, "acknowledge", {})


def test_an_event_is_filled_in_and_published(played: Played) -> None:
    task = played.task("ban_approval")
    given = played.desk.form(MAYOR, task)
    assert (given["type"], given["types"]) == (
        "government.BanApproved", ["government.BanApproved", "government.BanRejected"],
    )  # fmt: skip
    known = {field["name"]: field.get("value") for field in given["fields"]}
    assert known == {"gathering": "G-1", "region": REGION, "approval": None}
    data = {**known, "approval": "GZ-1"}
    body: Mapping[str, Any] = {"data": data}
    with pytest.raises(FieldRefused) as refused:
        played.desk.answer(MAYOR, task, "complete", {"data": known})
    assert refused.value.field == "approval"
    with pytest.raises(FieldRefused, match=r"Fill in the data of government\.BanApproved"):
        played.desk.answer(MAYOR, task, "complete", {})
    with pytest.raises(ActRefused, match=r"police\.BanIssued does not end the task"):
        played.desk.answer(MAYOR, task, "complete", {**body, "type": "police.BanIssued"})
    assert played.published("government.approvals") == []
    told = played.desk.answer(MAYOR, task, "complete", body)
    assert (told["type"], told["state"]) == ("government.BanApproved", "published")
    ((envelope, published),) = played.published(told["topic"])
    assert (published, envelope.subject, envelope.actor) == (data, "G-1", "Mayor")
    played.apply()
    (ban,) = played.tasks("police")
    assert (ban["step"], ban["completes_with"]) == ("ban", ["police.BanIssued"])


def test_a_task_without_an_event_has_no_form(played: Played) -> None:
    assert played.desk.form(LI, played.task("verify")) == {"type": None, "types": [], "fields": []}
    with pytest.raises(NotFound):
        played.desk.form(STRANGER, played.task("verify"))


def test_commanders_order_and_the_engine_obeys(played: Played) -> None:
    verify = played.task("verify")
    for body in (
        {"act": "level", "instance": INSTANCE, "level": "Ⅱ"},
        {"act": "reassign", "instance": INSTANCE, "task": verify, "department": "police"},
        {"act": "extend", "task": verify, "complete_by": START + 9 * HOUR, "acknowledge_by": "+4h"},
        {"act": "open", "workflow": "small", "key": "330100"},
    ):
        told = played.desk.order(CHEN, BY | body)
        assert (told["state"], told["act"]) == ("published", body["act"])
        played.apply()
    (ban,) = [one for one in played.tasks("police") if one["task"] == verify]
    assert (ban["level"], ban["complete_by"], ban["acknowledge_by"]) == ("II", START + 9 * HOUR, START + 5 * HOUR)
    wait_until(lambda: played.one.look.store.instance("small/330100/1"), "the second incident")
    merged = played.desk.order(CHEN, BY | {"act": "merge", "instance": "small/330100/1", "into": INSTANCE})
    assert merged["instance"] == "small/330100/1"
    played.apply()
    closed = played.desk.order(CHEN, BY | {"act": "close", "instance": INSTANCE})
    assert closed["topic"] == "command.directives"
    issued = played.published("command.directives")
    assert {data["act"] for _, data in issued} == {"level", "reassign", "extend", "open", "merge", "close"}
    assert {(envelope.actor, envelope.legalbasis) for envelope, _ in issued} == {("Chen", "law 9")}


def test_orders_that_may_not_be_or_would_be_void_are_refused(played: Played) -> None:
    level = {"act": "level", "instance": INSTANCE, "level": "II"}
    with pytest.raises(NotEntitled, match="Only commanders"):
        played.desk.order(LI, BY | level)
    with pytest.raises(NotFound):
        played.desk.order(STRANGER, BY | level)
    with pytest.raises(NotEntitled, match="does not concern your departments"):
        played.desk.order(STRANGER, BY | {"act": "open", "workflow": "small", "key": "330100"})
    for body, sentence in (
        (level | {"basis": ""}, "basis must be given"),
        (level | {"level": "V"}, "V is no response level"),
        ({"act": "dissolve"}, "dissolve is no order"),
        ({"act": "open", "workflow": "small", "key": REGION}, "is open already"),
        ({"act": "open", "workflow": "large", "key": REGION}, "large is not in force"),
        ({"act": "split", "instance": INSTANCE}, "is commanded on its own"),
        ({"act": "merge", "instance": INSTANCE, "into": INSTANCE}, "cannot be merged into itself"),
        ({"act": "extend", "task": played.task("verify")}, "Give the new deadline"),
        ({"act": "extend", "task": played.task("verify"), "complete_by": START}, "is no extension"),
        ({"act": "reassign", "task": played.task("verify"), "department": "transport"}, "no responsibility"),
    ):
        with pytest.raises(ActRefused, match=sentence):
            played.desk.order(CHEN, BY | body)
    with pytest.raises(NotFound, match="There is no department nobody"):
        played.desk.order(CHEN, BY | {"act": "reassign", "task": played.task("verify"), "department": "nobody"})
    assert played.published("command.directives") == []
