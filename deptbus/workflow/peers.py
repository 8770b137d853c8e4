"""Entries by which one key's state reaches another's: appended in the transaction of what they follow from. Pure.

In exercise time such an entry says in which step it was made: whether it reaches its partition before or after the
tick that ends that step is chance, and it must be applied after it.
"""

from collections.abc import Mapping
from typing import Any

from deptbus.workflow.output import Output
from deptbus.workflow.state import Entry, Instance

NAME_MAX = 300
"""No name of an instance that can be told anything is longer."""

_FIELDS = ("pack", "rule", "step", "offset", "target", "reason", "level", "note", "event", "body")


def new_entry(kind: str, at: int, workflow: str, key: str, **fields: Any) -> Entry:
    """An entry; what is not given is null."""
    return {"kind": kind, "at": at, "workflow": workflow, "key": key, "hops": 0, **dict.fromkeys(_FIELDS), **fields}


def instance_name(name: str) -> tuple[str, str] | None:
    """Workflow and key of an instance's name, ``<workflow>/<key>/<n>``; None where it is no such name."""
    parts = name.split("/")
    if len(parts) < 3 or not all(parts) or not (parts[-1].isascii() and parts[-1].isdigit()) or len(name) > NAME_MAX:
        return None
    return parts[0], "/".join(parts[1:-1])


def saying(instance: Instance, cause: str, actor: str | None, basis: str | None) -> dict[str, Any]:
    """Who says something to another instance, from where and why, in the shape of an entry's event.

    ``offset`` counts what the instance has put out: what it says later has a higher one.
    """
    return {
        "id": cause,
        "type": "workflow.EntryAppended",
        "source": "/bus/advance",
        "subject": None,
        "region": instance["region"],
        "actor": actor,
        "legalbasis": basis,
        "causationid": cause,
        "correlationid": instance["instance"],
        "topic": "workflow.instances",
        "partition": -1,
        "offset": instance["ordinal"],
    }


def appended(entry: Entry, event_id: str, event: Mapping[str, Any]) -> Output:
    """The output that appends an entry for another key, which follows from an event."""
    key = f"{entry['workflow']}/{entry['key']}"
    return Output(
        "workflow.journal", key, "workflow.EntryAppended", event_id, entry["at"], {"entry": entry},
        subject=key, causationid=event["id"], legalbasis=event["legalbasis"], region=event["region"], elsewhere=True,
    )  # fmt: skip
