"""All simulated desks of an exercise: which answers are pending, and which fall into a step. Pure.

An answer is published in the first step after the one that asked for the task that ends after the answer's date.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, replace
from random import Random
from typing import Any, get_args

from deptbus.exercise.default_desk import DefaultDesk
from deptbus.exercise.draft import Draft
from deptbus.exercise.habits import Act, Disposition, acts, draw_for
from deptbus.exercise.scripted import ScriptedAnswer, scripted
from deptbus.ids import derived_id
from deptbus.record import Event

REQUESTED = "workflow.TaskRequested"
CANCELLED = "workflow.TaskCancelled"
REASSIGNED = "workflow.TaskReassigned"
RETARGETED = "workflow.TaskRetargeted"

AnswerWith = Callable[[dict[str, Any], Random], list[Draft]]
"""``answer`` of a ``services/<department>/desk.py``: what is published when a task is done."""

_ORDINAL = {disposition: number for number, disposition in enumerate(get_args(Disposition))}


@dataclass(frozen=True, slots=True)
class Answer:
    """An event that a desk publishes. ``cause`` is the request that it answers."""

    department: str
    at_ms: int
    id: str
    draft: Draft
    cause: Event


@dataclass(slots=True)
class _Pending:
    """What is still to be said about a task."""

    request: Event
    acts: tuple[Act, ...]
    scripted: ScriptedAnswer | None


class Desks:
    """Every department's desk. ``answer_with`` holds those of departments that want more than ``default`` drafts.

    ``script``: what a scenario lays down; of several answers about a task the first counts.
    """

    def __init__(
        self,
        seed: int,
        default: DefaultDesk,
        answer_with: dict[str, AnswerWith],
        script: tuple[ScriptedAnswer, ...] = (),
    ) -> None:
        self._seed = seed
        self._default = default
        self._answer_with = answer_with
        self._script = script
        self._pending: dict[str, _Pending] = {}
        self._due: list[tuple[int, str, str, int]] = []
        """Date, id of the request, task, index of the act; what is no longer pending is skipped."""
        self._routine: set[tuple[str, str, str, str]] = set()

    def take(self, event: Event) -> None:
        """Take in an event of ``workflow.tasks``, in the order of its partition."""
        task = event.data
        if event.envelope.type == REQUESTED:
            self._plan(event)
        elif event.envelope.type == CANCELLED:
            self._pending.pop(task["task"], None)
        elif event.envelope.type == RETARGETED:
            pending = self._pending.get(task["task"])
            if pending is not None:
                known = {**pending.request.data, "context": task["context"]}
                pending.request = pending.request._replace(data=known)
        elif event.envelope.type == REASSIGNED:
            pending = self._pending.get(task["task"])
            if pending is not None and pending.request.data["department"] == task["from_department"]:
                del self._pending[task["task"]]

    def due(self, ends_at: int) -> list[Answer]:
        """The answers dated before ``ends_at``, in the order of (date, id); they are no longer pending."""
        answers: list[Answer] = []
        while self._due and self._due[0][0] < ends_at:
            pending, index = self._pop()
            if pending is not None:
                answers += self._answers(pending, pending.acts[index])
        return answers

    def next_at(self) -> int | None:
        """The date of the next pending answer."""
        while self._due and self._is_stale(*self._due[0]):
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def _plan(self, event: Event) -> None:
        """Decide what becomes of a request; a newer request of the same task replaces what was pending."""
        task = event.data
        matter = (task["instance"], task["step"], task["subject"], task["region"] or "")
        planned = acts(self._seed, task, routine=task["attempt"] == 1 and matter in self._routine)
        self._routine.add(matter)
        answer = scripted(self._script, task)
        if answer is not None:
            planned = answer.acts(task, planned)
        self._pending[task["task"]] = _Pending(event, planned, answer)
        for index, act in enumerate(planned):
            heapq.heappush(self._due, (act.at_ms, event.envelope.id, task["task"], index))

    def _pop(self) -> tuple[_Pending | None, int]:
        item = heapq.heappop(self._due)
        if self._is_stale(*item):
            return None, 0
        _, _, task, index = item
        pending = self._pending[task]
        if index == len(pending.acts) - 1:
            del self._pending[task]
        return pending, index

    def _is_stale(self, _: int, request: str, task: str, index: int) -> bool:
        pending = self._pending.get(task)
        return pending is None or pending.request.envelope.id != request

    def _answers(self, pending: _Pending, act: Act) -> list[Answer]:
        request = pending.request
        task = request.data
        drafts = self._drafts(task, act, pending.scripted) if act.disposition == "completed" else [_said(task, act)]
        producer = f"/departments/{task['department']}"
        return [
            Answer(
                task["department"],
                act.at_ms,
                derived_id(
                    request.envelope.id,
                    producer,
                    draft.type,
                    draft.subject or "",
                    _ORDINAL[act.disposition] + len(_ORDINAL) * number,
                ),
                draft,
                request,
            )
            for number, draft in enumerate(drafts)
        ]

    def _drafts(self, task: dict[str, Any], act: Act, answer: ScriptedAnswer | None) -> list[Draft]:
        """What is published when a task is done: an event that completes it, else the answer that does."""
        draw = draw_for(self._seed, task, "answer")
        given = answer.data if answer is not None else {}
        if answer is not None and answer.type is not None:
            return [self._default.draft(task, answer.type, act.at_ms, draw, given)]
        completing = task["completes_with"]
        answer_with = self._answer_with.get(task["department"])
        drafts = answer_with(task, draw) if answer_with is not None else []
        if any(draft.type in completing for draft in drafts):
            return [
                replace(draft, data=draft.data | dict(given)) if draft.type in completing else draft for draft in drafts
            ]
        own = next((kind for kind in completing if kind.startswith(f"{task['department']}.")), None)
        first = _said(task, act) if own is None else self._default.draft(task, own, act.at_ms, draw, given)
        return [first, *drafts]


def _said(task: dict[str, Any], act: Act) -> Draft:
    """The department's ``TaskAnswered``."""
    note = "No capacity at present" if act.disposition == "declined" else ""
    return Draft(
        f"{task['department']}.TaskAnswered",
        {"task": task["task"], "disposition": act.disposition, "note": note},
        task["task"],
        task["region"],
        task["basis"],
    )
