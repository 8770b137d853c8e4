"""The shape of ``services/<department>/notifications.yaml``, and what a channel is once it has been checked."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field

What = Literal[
    "task_requested",
    "task_requested_again",
    "task_escalated",
    "escalation_withdrawn",
    "task_cancelled",
    "task_reassigned",
    "task_extended",
    "task_retargeted",
    "instance_opened",
    "instance_closed",
    "instance_merged",
    "instance_split",
    "level_raised",
    "command_taken",
]
"""What can be told of."""

EVENT_OF: Mapping[str, str] = MappingProxyType({
    "task_requested": "workflow.TaskRequested",
    "task_requested_again": "workflow.TaskRequested",
    "task_escalated": "workflow.TaskEscalated",
    "escalation_withdrawn": "workflow.EscalationWithdrawn",
    "task_cancelled": "workflow.TaskCancelled",
    "task_reassigned": "workflow.TaskReassigned",
    "task_extended": "workflow.TaskExtended",
    "task_retargeted": "workflow.TaskRetargeted",
    "instance_opened": "workflow.InstanceOpened",
    "instance_closed": "workflow.InstanceClosed",
    "instance_merged": "workflow.InstanceMerged",
    "instance_split": "workflow.InstanceSplit",
    "level_raised": "workflow.LevelRaised",
    "command_taken": "workflow.CommandTaken",
})  # fmt: skip
"""The event that tells of it."""

_NAME = r"^[a-z][a-z0-9-]{0,39}$"
_REPLAY = r"^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$"
_REGION = r"^[1-9][0-9]{0,5}$"
WORDS: Mapping[str, str] = MappingProxyType({
    _NAME: "a name is lower-case letters, digits and hyphens, at most 40, and begins with a letter",
    _REGION: "a region is a GB/T 2260 code or its beginning, such as 44 or 440100",
})  # fmt: skip


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SecretPart(_Part):
    """Where a signing secret is kept: an environment variable or a file, never here."""

    env: str | None = None
    """Name of a variable whose value is the secret."""
    file: str | None = None
    """Path of a file that holds the secret and nothing else; relative ones are below the run directory."""


class ChannelPart(_Part):
    """One way to be told. What it does not restrict, it takes."""

    name: str = Field(pattern=_NAME)
    kind: Literal["file", "webhook"]
    path: str | None = None
    """Of a file channel: a JSON-lines file, absolute or below ``<run directory>/notifications``."""
    url: str | None = None
    """Of a webhook channel: https, or http to this machine."""
    secrets: tuple[SecretPart, ...] = ()
    """Of a webhook channel: every one signs, so that an old and a new one can overlap."""
    plain_http: bool = False
    """Of a webhook channel: http to another machine is meant."""
    what: tuple[What, ...] = Field(min_length=1)
    concerns: tuple[Literal["own", "told", "all"], ...] = Field(default=("own",), min_length=1)
    """``own``: the department is responsible or commands; ``told``: an escalation is told to it; ``all``.

    Instances that open, close, merge, split or rise are nobody's own: ``what`` alone asks for them.
    """
    workflows: tuple[str, ...] = ()
    """Only of instances of these workflows."""
    level_at_least: Literal["IV", "III", "II", "I"] | None = None
    """Only of instances at this response level or a higher one."""
    regions: tuple[Annotated[str, Field(pattern=_REGION)], ...] = ()
    """Only of regions whose codes begin like one of these."""
    in_exercises: tuple[Annotated[str, Field(pattern=_NAME)], ...] = ()
    """The namespaces in which it may tell of what is only exercised."""
    in_tests: tuple[Annotated[str, Field(pattern=_NAME)], ...] = ()
    """The namespaces in which it may tell of events whose mode is ``test``."""
    in_replays: tuple[Annotated[str, Field(pattern=_REPLAY)], ...] = ()
    """The replays (``ce_replayid``) of which it may tell."""


class NotificationsFile(_Part):
    """``services/<department>/notifications.yaml``."""

    channels: tuple[ChannelPart, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Channel:
    """One checked channel of a department."""

    department: str
    part: ChannelPart
    place: str
    """File and line, for messages."""
    topics: tuple[str, ...]
    """Logical names of what it reads."""

    @property
    def id(self) -> str:
        """``<department>/<name>``, as commands call it."""
        return f"{self.department}/{self.part.name}"

    @property
    def group(self) -> str:
        """Its consumer group (logical name): another channel's delays are none of its own."""
        return f"notify.{self.department}.{self.part.name}"

    def target(self, folder: Path) -> str:
        """Where it delivers, as may be shown: the file, or scheme and host of the URL."""
        if self.part.kind == "file":
            return str(folder / (self.part.path or ""))
        url = urlsplit(self.part.url or "")
        return f"{url.scheme}://{url.netloc}"  # the rest may be what lets a caller in
