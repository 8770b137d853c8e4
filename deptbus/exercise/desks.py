"""All simulated desks of an exercise: which answers are pending, and which fall into a step. Pure.

An answer is published in the first step after the one that asked for the task that ends after the answer's date.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from random import Random
from typing import Any

from deptbus.errors import DefinitionError
from deptbus.exercise.draft import Draft
from deptbus.exercise.habits import Act, acts, draw_for
from deptbus.ids import derived_id
from deptbus.record import Event

REQUESTED = "workflow.TaskRequested"
CANCELLED = "workflow.TaskCancelled"
REASSIGNED = "workflow.TaskReassigned"

AnswerWith = Callable[[dict[str, Any], Random], list[Draft]]
"""``answer`` of a ``services/<department>/desk.py``: what is published when a task is done."""

_ORDINAL = {"acknowledged": 0, "declined": 1, "completed": 2}


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


class Desks:
    """Every department's desk. ``answer_with`` holds those that have something of their own to publish."""

    def __init__(self, seed: int, answer_with: dict[str, AnswerWith]) -> None:
        self._seed = seed
        self._answer_with = answer_with
        self._pending: dict[str, _Pending] = {}
        self._due: list[tuple[int, str, str, int]] = []
        """Date, id of the request, task, index of the act; what is no longer pending is skipped."""
        self._routine: set[tuple[str, str, str]] = set()

    def take(self, event: Event) -> None:
        """Take in an event of ``workflow.tasks``, in the order of its partition."""
        task = event.data
        if event.envelope.type == REQUESTED:
            self._plan(event)
        elif event.envelope.type == CANCELLED:
            self._pending.pop(task["task"], None)
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
                answers += self._answers(pending.request, pending.acts[index])
        return answers

    def next_at(self) -> int | None:
        """The date of the next pending answer."""
        while self._due and self._is_stale(*self._due[0]):
            heapq.heappop(self._due)
        return self._due[0][0] if self._due else None

    def _plan(self, event: Event) -> None:
        """Decide what becomes of a request; a newer request of the same task replaces what was pending."""
        task = event.data
        matter = (task["instance"], task["step"], task["subject"])
        planned = acts(self._seed, task, routine=task["attempt"] == 1 and matter in self._routine)
        self._routine.add(matter)
        self._pending[task["task"]] = _Pending(event, planned)
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

    def _answers(self, request: Event, act: Act) -> list[Answer]:
        task = request.data
        drafts: list[Draft] = []
        if act.disposition == "completed":
            answer_with = self._answer_with.get(task["department"])
            if answer_with is not None:
                drafts = answer_with(task, draw_for(self._seed, task, "answer"))
            if task["completes_with"] and not any(draft.type in task["completes_with"] for draft in drafts):
                raise DefinitionError(
                    f"The desk of {task['department']} cannot complete the step {task['step']}: it takes "
                    f"{' or '.join(task['completes_with'])}, and services/{task['department']}/desk.py answers "
                    f"with {', '.join(draft.type for draft in drafts) or 'nothing'}."
                )
        if act.disposition != "completed" or not task["completes_with"]:
            drafts = [_said(task, act), *drafts]
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
                    _ORDINAL[act.disposition] + 3 * number,
                ),
                draft,
                request,
            )
            for number, draft in enumerate(drafts)
        ]


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
