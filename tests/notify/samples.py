"""Channels and events for the tests of notifications."""

from typing import Any

from deptbus.envelope import Envelope
from deptbus.notify.config import Channel, ChannelPart
from deptbus.notify.message import Notification, notification
from deptbus.notify.wording import Names
from tests.workflow.world import START, sample

EVERYTHING = [
    "task_requested", "task_requested_again", "task_escalated", "escalation_withdrawn", "task_cancelled",
    "task_reassigned", "task_extended", "task_retargeted", "instance_opened", "instance_closed", "instance_merged",
    "instance_split", "level_raised", "command_taken",
]  # fmt: skip


def channel(department: str = "health", **part: Any) -> Channel:
    """A file channel that takes everything of its own, unless ``part`` says otherwise."""
    given = {"name": "duty", "kind": "file", "path": "x.jsonl", "what": EVERYTHING, **part}
    return Channel(department, ChannelPart.model_validate(given), "somewhere, line 1", ("workflow.tasks",))


def envelope(event_type: str, **about: Any) -> Envelope:
    """The envelope of an event of the epidemic of Guangzhou."""
    given = {
        "id": "6d0e1c80-0000-5000-8000-000000000001", "source": "/bus/workflow", "time_ms": START, "region": "440100",
        "correlationid": "epidemic/440100/1", "legalbasis": "a law",
    }  # fmt: skip
    return Envelope(type=event_type, **(given | about))


def told(
    to: Channel, event_type: str, *, about: dict[str, Any] | None = None, namespace: str = "", **fields: Any
) -> Notification | None:
    """What a channel is told of an event."""
    data = sample(event_type, instance="epidemic/440100/1", **fields)
    names = Names({"health": {"zh": "卫生健康部门", "en": "Health authority"}})
    return notification(
        to, envelope(event_type, **(about or {})), data, shown=data, namespace=namespace, names=names
    )  # fmt: skip
