"""What an instance is made of when it is new."""

from typing import Any

from deptbus.workflow.definition import Fact
from deptbus.workflow.pack import Pack
from deptbus.workflow.state import ENGINE, Instance, KeyState


def new_instance(pack: Pack, before: KeyState, at: int, cause: str, offset: int) -> Instance:
    """The next instance of a key, of no region and level yet."""
    return {
        "due": None,
        "instance": f"{before.name}/{before.n + 1}",
        "workflow": before.workflow,
        "key": before.key,
        "n": before.n + 1,
        "pack": pack.hash,
        "version": pack.version,
        "moved_from": [],
        "status": "open",
        "region": None,
        "level": None,
        "highest_level": None,
        "command_department": None,
        "command_unit": None,
        "lead": None,
        "lead_region": None,
        "merging": None,
        "parts": [],
        "opened_at": at,
        "closed_at": None,
        "clock": at,
        "cause": cause,
        "facts": {name: initial(declared) for name, declared in pack.definition.facts.items()},
        "latest": {},
        "tasks": [],
        "ended": [],
        "early": [],
        "timers": [],
        "targets": {},
        "asked": {},
        "done": {},
        "tally": {},
        "counts": {},
        "applied": list(before.applied),
        "ordinal": 0,
        "engine": ENGINE,
        "offset": offset,
    }


def initial(fact: Fact) -> Any:
    """What a fact is before anything sets it: as declared, else the zero of its type."""
    return _ZERO[fact.type] if fact.initial is None else fact.initial


_ZERO = {"int": 0, "double": 0.0, "string": "", "bool": False}
