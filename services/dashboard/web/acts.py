"""What officers and commanders do on a page: answers to tasks, and orders. Each is told only once the broker has it.

The checks are those of the command line (``deptbus.desk.answering``, ``deptbus.desk.orders``).
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import orjson

from deptbus.cli.words import span
from deptbus.clock import EARLIEST_MS, LATEST_MS, beijing, iso
from deptbus.desk import answering, orders
from deptbus.desk.acting import Acting
from deptbus.desk.answering import Answer, Late, Over
from deptbus.desk.board import Board, OpenTask
from deptbus.desk.orders import COMMAND, Order
from deptbus.desk.reading import TASKS
from deptbus.desk.refused import Missing, Refused
from deptbus.desk.template import known_of
from deptbus.desk.writing import parse_deadline, parse_level
from deptbus.errors import CodecError
from deptbus.outcome import Outcome
from deptbus.packs import Packs
from deptbus.workflow.said import Said
from services.dashboard.access.people import Person
from services.dashboard.look import Look
from services.dashboard.projection.lines import departments
from services.dashboard.views.incident import record_of, visible
from services.dashboard.web import forms
from services.dashboard.web.refusals import FieldRefused, NotEntitled

Body = Mapping[str, Any]
Drawn = tuple[Board, Sequence[Order]]
"""Orders, and the board that they were checked against."""
_LATE = {"acknowledged": ("签收", "acknowledged"), "completed": ("完成", "completed")}
TEXT_MAX = 10_000
"""Characters of a note or a reason at most."""


class Desk:
    """See the module. Safe to use from several threads; keeps a connection for each department that has acted."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self._opening = threading.Lock()
        self._acting: dict[str, Acting] = {}
        self._draw: Mapping[str, Callable[[Person, Body, str], Drawn]] = {
            "open": self._open,
            "level": self._level,
            "reassign": self._reassign,
            "extend": self._extend,
            "merge": self._merge,
            "split": self._split,
            "close": self._close,
        }

    def answer(self, person: Person, task: str, act: str, body: Body) -> dict[str, Any]:
        """Publish what a department says of a task: acknowledge, accept, commit, decline, progress or complete.

        ``body``: note, reason (of a decline), basis; to complete with an event also type, data and subject. Raises
        ``Missing``, ``Refused`` (``NotEntitled``, ``FieldRefused``), ``PublishFailed`` or ``PublishUnknown``.
        """
        if act not in answering.DISPOSITIONS:
            known = ", ".join(answering.DISPOSITIONS)
            raise Refused(
                Said(
                    f"任务没有“{act}”这种答复；可用：{known}。",
                    f"{act} is nothing that is said of a task; {known} are.",
                )
            )
        board, found = self._find(person, task)
        if not person.acts_for(found.department):
            raise NotEntitled(
                Said(
                    f"您不是 {found.department} 的经办人，不能答复其任务。",
                    f"You are no officer of {found.department} and cannot answer its tasks.",
                )
            )
        answer = self._completing(found, body) if act == "complete" else self._saying(found, act, body)
        outcome = self._publish(answer, person.name, _text(body, "basis"), board.now_ms)
        counts_at_ms = board.now_ms if self._look.world.name else outcome.timestamp_ms
        remarks = [_lateness(late) for late in answer.late(counts_at_ms)]
        return _told(answer.type, outcome) | {"task": found.task, "remarks": [*remarks, *_note(board)]}

    def form(self, person: Person, task: str, event_type: str | None = None) -> dict[str, Any]:
        """The fields of the event that ends a task, with what is known; none where the plain answer completes it.

        Where several events complete it and none is chosen, only their types.
        """
        board, found = self._find(person, task)
        several = event_type is None and len(found.completions) > 1
        chosen = None if several else answering.ending(found, event_type)
        fields: list[forms.Field] = []
        if chosen is not None:
            definition = board.definition(board.instances[found.instance])
            fields = forms.form(self._schema(chosen), known_of(found, definition))
        return {"type": chosen, "types": list(found.endings), "fields": fields}

    def order(self, person: Person, body: Body) -> dict[str, Any]:
        """Publish a commander's order; what came of it is told by the timeline.

        ``body``: act, basis, reason; instance (of a merge also instances), or workflow, key and region of one to be
        opened; level, task, department, acknowledge_by, complete_by, into. Raises as ``answer``.
        """
        if not person.has("commander"):
            raise NotEntitled(Said("只有指挥人员可以下达指令。", "Only commanders give orders."))
        act = _required(body, "act")
        if act not in self._draw:
            known = ", ".join(self._draw)
            raise Refused(Said(f"没有“{act}”这种指令；可用：{known}。", f"{act} is no order; {known} are."))
        basis, reason = _required(body, "basis"), _required(body, "reason")
        board, drawn = self._draw[act](person, body, reason)
        results = self._as(COMMAND).order(drawn, officer=person.name, basis=basis, at_ms=board.now_ms)
        told = [_told(orders.ISSUED, one.outcome) | {"instance": one.order.name} for one in results]
        return told[0] | {"act": act, "orders": told, "remarks": _note(board)}

    def close(self) -> None:
        """Let go of the broker."""
        with self._opening:
            for acting in self._acting.values():
                acting.close()
            self._acting.clear()

    # Answers

    def _find(self, person: Person, prefix: str) -> tuple[Board, OpenTask]:
        """The open task, and the board of what it may be in; ``Missing``, also for who may not see it."""
        look = self._look
        snapshots = [one for one in look.snapshots(look.store.of_task(prefix)) if person.sees(departments(one))]
        board = look.board(snapshots)

        def ever(prefix: str) -> Over | None:
            for instance in look.store.asked(TASKS, prefix):
                with suppress(Missing):  # who may not see the instance does not learn of its task
                    record = record_of(look, person, instance)
                    for task in record.tasks:
                        if task.task.startswith(prefix) and task.outcome is not None:
                            return Over(task.task, record)
            return None

        return board, answering.find(board, prefix, None, ever)

    def _saying(self, task: OpenTask, act: str, body: Body) -> Answer:
        note = _required(body, "reason") if act == "decline" else _text(body, "note")
        return answering.plain(task, answering.DISPOSITIONS[act], note)

    def _completing(self, task: OpenTask, body: Body) -> Answer:
        ending = answering.ending(task, _text(body, "type"))
        data = body.get("data")
        if ending is None:
            if data is not None:
                answering.refuse_data(task)
            return answering.plain(task, "completed", _text(body, "note"))
        if data is None:
            raise FieldRefused("data", Said(f"须填写事件 {ending} 的内容。", f"Fill in the data of {ending}."))
        schema = self._schema(ending)
        return answering.with_event(task, ending, forms.read(schema, data), schema, _text(body, "subject"))

    def _publish(self, answer: Answer, officer: str, basis: str | None, at_ms: int) -> Outcome:
        acting = self._as(answer.task.department)
        try:
            return acting.answer(answer, officer=officer, basis=basis, at_ms=at_ms)
        except CodecError as error:
            raise Refused(Said(f"内容不符合事件的定义：{error}", str(error))) from error

    def _schema(self, event_type: str) -> Mapping[str, Any]:
        return self._look.catalogue.schemas.newest(event_type).schema

    def _as(self, department: str) -> Acting:
        look = self._look
        with self._opening:
            acting = self._acting.get(department)
            if acting is None:
                acting = Acting(look.settings, look.catalogue, look.codec, look.decode, department)
                self._acting[department] = acting
        return acting

    # Orders

    def _open(self, person: Person, body: Body, reason: str) -> Drawn:
        workflow, key, look = _required(body, "workflow"), _required(body, "key"), self._look
        with Packs(look.settings, look.catalogue, look.codec) as packs:
            in_force = {name: pack.definition for name, pack in packs.in_force().opening.items()}
        if workflow in in_force and not person.sees({one.department for one in in_force[workflow].responsibilities}):
            raise NotEntitled(
                Said(f"流程 {workflow} 不涉及您的部门。", f"The workflow {workflow} does not concern your departments.")
            )
        of_key = [line["instance"] for line in map(orjson.loads, look.store.lines("open"))
                  if (line["workflow"], line["key"]) == (workflow, key)]  # fmt: skip
        board = look.board([look.snapshot(name) for name in of_key])
        return board, [orders.open_new(board, in_force, workflow, key, _text(body, "region"), reason)]

    def _level(self, person: Person, body: Body, reason: str) -> Drawn:
        board, name = self._instance(person, body)
        return board, [orders.to_level(board, name, parse_level(_required(body, "level")), reason)]

    def _reassign(self, person: Person, body: Body, reason: str) -> Drawn:
        department = _required(body, "department")
        answering.check_department(department, self._look.catalogue.departments)
        board, task = self._find(person, _required(body, "task"))
        return board, [orders.reassign(board, task, department, reason)]

    def _extend(self, person: Person, body: Body, reason: str) -> Drawn:
        board, task = self._find(person, _required(body, "task"))
        acknowledge_by = _deadline(body, "acknowledge_by", task.acknowledge_by)
        complete_by = _deadline(body, "complete_by", task.complete_by)
        if acknowledge_by is None and complete_by is None:
            raise FieldRefused("complete_by", Said("须填写新的期限。", "Give the new deadline."))
        found = orders.extend(board, task, reason, acknowledge_by=acknowledge_by, complete_by=complete_by)
        return board, [found]

    def _merge(self, person: Person, body: Body, reason: str) -> Drawn:
        named = body.get("instances")
        parts = [str(one) for one in named] if isinstance(named, list) and named else [_required(body, "instance")]
        into = _required(body, "into")
        board = self._look.board([visible(self._look, person, name) for name in dict.fromkeys((*parts, into))])
        return board, orders.merge(board, parts, into, reason)

    def _split(self, person: Person, body: Body, reason: str) -> Drawn:
        board, name = self._instance(person, body)
        return board, [orders.split(board, name, reason)]

    def _close(self, person: Person, body: Body, reason: str) -> Drawn:
        board, name = self._instance(person, body)
        return board, [orders.close(board, name, reason)]

    def _instance(self, person: Person, body: Body) -> tuple[Board, str]:
        name = _required(body, "instance")
        return self._look.board([visible(self._look, person, name)]), name


def _text(body: Body, name: str) -> str | None:
    """What stands in a field; None where it is empty."""
    given = body.get(name)
    if given is not None and not isinstance(given, str):
        raise FieldRefused(name, Said(f"{name} 应为文本。", f"{name} must be text."))
    text = (given or "").strip()
    if len(text) > TEXT_MAX:
        raise FieldRefused(name, Said(f"{name} 超过 {TEXT_MAX} 字。", f"{name} has more than {TEXT_MAX} characters."))
    return text or None


def _required(body: Body, name: str) -> str:
    text = _text(body, name)
    if text is None:
        raise FieldRefused(name, Said(f"须填写 {name}。", f"{name} must be given."))
    return text


def _deadline(body: Body, name: str, present_ms: int) -> int | None:
    """A later deadline: milliseconds since the epoch, RFC 3339, or ``+4h`` after the present one."""
    given = body.get(name)
    if isinstance(given, int) and not isinstance(given, bool) and EARLIEST_MS <= given <= LATEST_MS:
        given = iso(given)
    text = _text({name: given}, name)
    if text is None:
        return None
    try:
        return parse_deadline(text, present_ms)
    except Refused as refused:
        raise FieldRefused(name, refused.said) from None


def _told(event_type: str, outcome: Outcome) -> dict[str, Any]:
    names = ("event_id", "topic", "partition", "offset")
    return {"state": "published", "type": event_type, **{name: getattr(outcome, name) for name in names}}


def _lateness(late: Late) -> dict[str, str]:
    """What the answer's time means for a deadline."""
    zh, en = _LATE[late.what]
    return {
        "zh": f"按逾期{zh}计：期限为 {beijing(late.due)}，已过 {span(late.by_ms, 'zh')}",
        "en": f"It counts as {en} late: due {beijing(late.due)}, {span(late.by_ms, 'en')} before.",
    }


def _note(board: Board) -> list[dict[str, str]]:
    """What is to be known of the time that counts."""
    return [] if board.note is None else [board.note._asdict()]
