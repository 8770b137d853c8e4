"""Which event becomes which notification: a function of channel, event and namespace. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from deptbus.clock import iso
from deptbus.envelope import Envelope
from deptbus.inbox import inbox_key
from deptbus.notify.config import EVENT_OF, Channel
from deptbus.notify.wording import Names, Phrase, phrase
from deptbus.workflow.definition import LEVELS

_WHATS: dict[str, list[str]] = {}
for _what, _event_type in EVENT_OF.items():
    _WHATS.setdefault(_event_type, []).append(_what)

TEST = "test"
"""What a message says that tests a channel."""


@dataclass(frozen=True, slots=True)
class Notification:
    """What a channel is told. ``id`` is the same however often it is delivered."""

    id: str
    content: Mapping[str, Any]

    def body(self) -> bytes:
        """The JSON that is delivered, on one line."""
        return orjson.dumps(self.content)


def message_id(envelope: Envelope, namespace: str) -> str:
    """The id for deduplication: the event's own in actual life.

    Ids follow from sources, so an exercise may have events of the same ids: elsewhere the namespace comes first, so
    that no receiver takes an actual notification for one that it was told in an exercise.
    """
    key = inbox_key(envelope)
    return f"{namespace}/{key}" if namespace else key


def may_tell(channel: Channel, envelope: Envelope, namespace: str) -> bool:
    """Whether a channel may tell of an event at all: of what is no actual life only where that is named."""
    part = channel.part
    if envelope.replayid is not None and envelope.replayid not in part.in_replays:
        return False
    if not namespace:
        return envelope.mode == "actual"
    allowed = {"exercise": part.in_exercises, "test": part.in_tests}
    return namespace in allowed.get(envelope.mode, ())


def what_of(event_type: str, data: Mapping[str, Any]) -> str | None:
    """What an event tells of; None for events that nothing is told of."""
    if event_type == EVENT_OF["task_requested"]:
        return "task_requested" if data.get("attempt", 1) == 1 else "task_requested_again"
    return next(iter(_WHATS.get(event_type, ())), None)


def notification(
    channel: Channel,
    envelope: Envelope,
    data: Mapping[str, Any],
    *,
    shown: Mapping[str, Any],
    namespace: str,
    names: Names,
) -> Notification | None:
    """What a channel is told of an event; None if the event is not for it. ``shown``: the data as JSON."""
    what = what_of(envelope.type, data)
    if what is None or what not in channel.part.what or not may_tell(channel, envelope, namespace):
        return None
    instance = str(data.get("instance") or envelope.correlationid or "")
    workflow = instance.partition("/")[0]
    region = data.get("region") or envelope.region
    level = data.get("to_level") or data.get("level")
    if not (_concerns(channel, what, data) and _fits(channel, workflow, region, level)):
        return None
    said = phrase(what, data, instance=instance, region=region, level=level, names=names)
    return Notification(
        message_id(envelope, namespace),
        {
            "id": message_id(envelope, namespace),
            "what": what,
            "type": envelope.type,
            "time": iso(envelope.time_ms),
            **_marked(said, envelope.mode, namespace, envelope.replayid),
            "department": channel.department,
            "channel": channel.part.name,
            "workflow": workflow,
            "instance": instance,
            "region": region,
            "level": level,
            "basis": envelope.legalbasis,
            "cause": envelope.causationid,
            "event": envelope.id,
            "data": shown,
        },
    )


def trial_notification(channel: Channel, event_id: str, at_ms: int, namespace: str) -> Notification:
    """A message that says that it only tests the channel."""
    said = Phrase(
        {"zh": "通知渠道测试", "en": "Test of a channel"},
        {
            "zh": f"渠道 {channel.id} 的测试消息，无需处理。",
            "en": f"A message that tests the channel {channel.id}; nothing is asked of you.",
        },
    )
    content = {
        "id": event_id,
        "what": TEST,
        "time": iso(at_ms),
        **_marked(said, TEST, namespace, None),
        "department": channel.department,
        "channel": channel.part.name,
    }
    return Notification(event_id, content)


def _concerns(channel: Channel, what: str, data: Mapping[str, Any]) -> bool:
    me, wanted = channel.department, channel.part.concerns
    if "all" in wanted:
        return True
    if what.startswith("instance_") or what == "level_raised":
        return True  # nobody's own
    escalation = what in ("task_escalated", "escalation_withdrawn")
    if "told" in wanted and escalation and data.get("to_department") == me:
        return True
    parties = ("department",) if escalation else ("department", "from_department", "to_department")
    return "own" in wanted and me in [data.get(name) for name in parties]


def _fits(channel: Channel, workflow: str, region: str | None, level: str | None) -> bool:
    part = channel.part
    if part.workflows and workflow not in part.workflows:
        return False
    if part.regions and not any((region or "").startswith(beginning) for beginning in part.regions):
        return False
    if part.level_at_least is None:
        return True
    return level is not None and LEVELS.index(level) >= LEVELS.index(part.level_at_least)


def _marked(said: Phrase, mode: str, namespace: str, replayid: str | None) -> dict[str, Any]:
    """Title and text, so that nobody takes for actual what is not."""
    marks = [(mode, {"exercise": ("演练", "Exercise"), "test": ("测试", "Test")}.get(mode))]
    marks.append(("replay", ("重放", "Replay") if replayid is not None else None))
    zh = "".join(f"【{mark[0]}】" for _, mark in marks if mark)
    en = "".join(f"[{mark[1]}] " for _, mark in marks if mark)
    return {
        "mode": mode,
        "namespace": namespace,
        "replay": replayid,
        "title": {"zh": zh + said.title["zh"], "en": en + said.title["en"]},
        "text": {"zh": zh + said.text["zh"], "en": en + said.text["en"]},
    }
