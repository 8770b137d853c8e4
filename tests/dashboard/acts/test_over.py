"""A task that was over before somebody acts on it: how it ended is told to who may see it, and to nobody else."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import orjson
import pytest

from deptbus import bootstrap
from deptbus.desk.refused import Missing, Refused
from deptbus.envelope import Envelope, to_headers
from deptbus.record import Record
from deptbus.settings import Settings
from services.dashboard.access.people import Person
from services.dashboard.look import Look
from services.dashboard.projection.store import Store
from services.dashboard.projection.taking import Taking
from services.dashboard.web.acts import Desk
from services.dashboard.web.answers import refusal
from services.dashboard.web.refusals import FieldRefused
from tests.command.projecting import REGION, command_pack
from tests.workflow.world import HOUR, ROOT, START, World, codec, sample

LI = Person("Li Wei", frozenset({"officer"}), frozenset({"health"}))
CHEN = Person("Chen", frozenset({"commander"}), None)
STRANGER = Person("Xu", frozenset({"officer"}), frozenset({"water"}))


def _records(world: World) -> list[Record]:
    """What the world put out, as it stands on topics."""
    records = []
    for number, output in enumerate(world.outputs):
        envelope = Envelope(id=output.id, type=output.type, source="/bus/advance", time_ms=output.time_ms)
        value = output.value(codec().encode)
        headers = to_headers(envelope)
        records.append(Record(output.topic, 0, number, output.time_ms, output.key.encode(), value, headers))
    return records


@pytest.fixture
def world() -> World:
    made = World(command_pack())
    made.publish(
        "health.CasesConfirmed", sample("health.CasesConfirmed", region=REGION, count=10), at=START, region=REGION
    )
    return made


@pytest.fixture
def look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Look]:
    """The dashboard's look at an empty database, without a registry."""
    monkeypatch.setattr(bootstrap, "open_registry", lambda settings: SimpleNamespace(close=lambda: None))
    monkeypatch.setattr(bootstrap, "load_codec", lambda *_: codec())
    monkeypatch.setattr(bootstrap, "learner", lambda *_: lambda schema_id: None)
    with closing(Store(f"sqlite:///{tmp_path}/dashboard.db")) as store:
        yield Look(Settings.load(root=ROOT, namespace="over"), store, lambda: START + HOUR)


def _verify(world: World) -> dict[str, object]:
    return next(data for data in world.of_type("workflow.TaskRequested") if data["step"] == "verify")


def test_who_comes_too_late_reads_how_the_task_ended(world: World, look: Look) -> None:
    task = str(_verify(world)["task"])
    world.answer(_verify(world), "completed", at=START + HOUR, actor="Wang")
    Taking(look.store, look.decode).take(_records(world), {}, live=False)
    desk = Desk(look)
    for late in (
        lambda: desk.answer(LI, task, "acknowledge", {}),
        lambda: desk.form(LI, task),
        lambda: desk.order(CHEN, {"act": "extend", "task": task, "basis": "law 9", "reason": "by order"}),
    ):
        with pytest.raises(Refused, match=r"is over: completed at 2020-01-20 01:00 by Wang\.") as refused:
            late()
        answered = refusal(refused.value)
        assert answered.status_code == 409
        assert orjson.loads(bytes(answered.body))["error"]["zh"].endswith("已结束：Wang 于 2020-01-20 01:00 完成。")
    with pytest.raises(Missing, match="No open task begins with") as missing:
        desk.answer(STRANGER, task, "acknowledge", {})
    assert refusal(missing.value).status_code == 404
    with pytest.raises(Missing, match="No open task begins with"):
        desk.answer(LI, "ffffffff", "acknowledge", {})


def test_a_deadline_that_is_no_later_is_marked_at_its_field(world: World, look: Look) -> None:
    Taking(look.store, look.decode).take(_records(world), {}, live=False)
    body = {"act": "extend", "task": _verify(world)["task"], "complete_by": START, "basis": "law 9", "reason": "x"}
    with pytest.raises(FieldRefused, match="is no extension") as refused:
        Desk(look).order(CHEN, body)
    answered = refusal(refused.value)
    assert (answered.status_code, orjson.loads(bytes(answered.body))["field"]) == (422, "complete_by")
