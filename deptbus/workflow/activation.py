"""Bringing packs into and out of force: entries in every partition of the journal, then an event on ``bus.packs``.

The journal comes first: when ``correlate`` learns of a pack, every partition that ``advance`` reads knows it. All ids
follow from the pack and what came before, so an activation that was cut short is simply done again. Moving instances
is an entry for each, which follows from the act on ``bus.audit``; what was moved already stays where it is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from deptbus.clock import from_iso
from deptbus.errors import DefinitionError, NotFound, PackRefused
from deptbus.ids import derived_id
from deptbus.outcome import Pending
from deptbus.partitioning import partition_of
from deptbus.workflow.correlate import tick
from deptbus.workflow.definition import PackContent
from deptbus.workflow.evolution import Snapshot, breaks
from deptbus.workflow.pack import Pack
from deptbus.workflow.state import Entry

ACTIVATED = "bus.PackActivated"
RETIRED = "bus.PackRetired"
APPENDED = "workflow.EntryAppended"
AUDITED = "bus.ActAudited"
JOURNAL_KEY = "@pack"

Told = tuple[str, Mapping[str, Any]]
"""An event of ``bus.packs``: its type and its data."""


class PackPublisher(Protocol):
    """Writes to ``bus.packs`` and to chosen partitions of the journal."""

    @property
    def partitions(self) -> int:
        """How many partitions the journal has."""

    def publish(
        self,
        event_type: str,
        data: Mapping[str, Any],
        *,
        subject: str,
        event_id: str,
        time_ms: int,
    ) -> Pending:
        """Hand an event over to its own topic, keyed by its subject."""

    def append(self, data: Mapping[str, Any], *, key: str, partition: int, event_id: str, time_ms: int) -> Pending:
        """Hand a ``workflow.EntryAppended`` over to one partition of the journal."""


@dataclass(frozen=True, slots=True)
class InForce:
    """What ``bus.packs`` says so far."""

    packs: Mapping[str, Pack]
    """Every pack activated and not retired, by hash, in the order of activation."""
    opening: Mapping[str, Pack]
    """By workflow, the pack by which new instances open: the one activated last, unless it was retired."""
    told: int = 0
    """How many events were read."""

    def of(self, workflow: str) -> list[Pack]:
        """The packs of a workflow that are in force, oldest first."""
        return [pack for pack in self.packs.values() if pack.workflow == workflow]


def in_force(events: Iterable[Told]) -> InForce:
    """The packs in force after some events of ``bus.packs``, given in order; others are passed over."""
    packs: dict[str, Pack] = {}
    opening: dict[str, Pack] = {}
    told = 0
    for event_type, data in events:
        told += 1
        if event_type == ACTIVATED:
            pack = Pack.from_bytes(data["content"])
            packs.pop(pack.hash, None)
            packs[pack.hash] = opening[pack.workflow] = pack
        elif event_type == RETIRED:
            packs.pop(data["hash"], None)
            if data["workflow"] in opening and opening[data["workflow"]].hash == data["hash"]:
                del opening[data["workflow"]]
    return InForce(packs, opening, told)


def packs_in_force(events: Iterable[Told]) -> dict[str, Pack]:
    """The packs whose rules count, by hash: those activated and not retired."""
    return dict(in_force(events).packs)


def opens(pack: Pack, state: InForce) -> bool:
    """Whether new instances open by it."""
    current = state.opening.get(pack.workflow)
    return current is not None and current.hash == pack.hash


def activate(publisher: PackPublisher, pack: Pack, state: InForce, *, at_ms: int) -> bool:
    """Bring a pack into force from ``at_ms`` on; False, and nothing is written, where it already opens instances.

    Returns when everything is acknowledged. ``PackRefused`` when it would break what is in force;
    ``PublishFailed`` or ``PublishUnknown``: do it again.
    """
    if opens(pack, state):
        return False
    current = state.opening.get(pack.workflow)
    if current is not None:
        refuse(breaks(current.content, pack.content, ()))
    _append(publisher, _entry("activation", pack, at_ms, None), pack, state, at_ms)
    data = {
        "workflow": pack.workflow,
        "version": pack.version,
        "hash": pack.hash,
        "content": pack.to_bytes(),
    }
    _tell(publisher, ACTIVATED, data, pack, state, at_ms)
    return True


def retire(
    publisher: PackPublisher,
    pack: Pack,
    state: InForce,
    running: Iterable[Snapshot],
    *,
    reason: str,
    at_ms: int,
) -> None:
    """Take a pack out of force: it opens nothing more, and its rules no longer count.

    ``PackRefused`` while instances of it are open; ``NotFound`` when it is not in force.
    """
    if pack.hash not in state.packs:
        raise NotFound(f"{pack.workflow} version {pack.version} ({pack.hash[:12]}) is not in force.")
    refuse(breaks(pack.content, None, running))
    _append(publisher, _entry("retirement", pack, at_ms, reason), pack, state, at_ms)
    _tell(publisher, RETIRED, {"workflow": pack.workflow, "hash": pack.hash, "reason": reason}, pack, state, at_ms)


def target(pack: Pack) -> str:
    """How the audit names a pack."""
    return f"{pack.workflow}@{pack.version}"


class OnRecord(Protocol):
    """An act on ``bus.audit``: the event from which moves follow."""

    @property
    def id(self) -> str:
        """The event's id."""

    @property
    def offset(self) -> int:
        """Where it stands."""

    @property
    def timestamp_ms(self) -> int:
        """When the broker took it."""


@dataclass(frozen=True, slots=True)
class Ordered:
    """By whom, on what basis and why something is ordered."""

    officer: str
    basis: str
    reason: str


def migrate(
    publisher: PackPublisher,
    pack: Pack,
    instances: Sequence[Snapshot],
    by: Ordered,
    act: OnRecord,
    *,
    at_ms: int | None,
) -> None:
    """Order instances to move to the pack in force, by an act that is on record.

    ``at_ms``: when, in an exercise. None in actual life: when the broker took the record, for deadlines run from then.
    Returns when everything is acknowledged. ``PublishFailed`` or ``PublishUnknown``: do it again.
    """
    at_ms = act.timestamp_ms if at_ms is None else at_ms
    pending = []
    for instance in instances:
        entry = migration_entry(pack, instance, by, act.id, at_ms)
        entry["event"] |= {"partition": 0, "offset": act.offset}
        key = f"{instance['workflow']}/{instance['key']}"
        pending.append(
            publisher.append(
                {"entry": entry},
                key=key,
                partition=partition_of(key.encode(), publisher.partitions),
                event_id=derived_id(act.id, "migration", APPENDED, instance["instance"]),
                time_ms=at_ms,
            )
        )
    for one in pending:
        one.result().require()


def migration_detail(pack: Pack, instances: Sequence[Snapshot]) -> dict[str, str]:
    """What the act says of the pack and of what moves."""
    names = " ".join(sorted(instance["instance"] for instance in instances))
    return {"workflow": pack.workflow, "version": str(pack.version), "pack": pack.hash, "instances": names}


def migration_id(pack: Pack, instances: Sequence[Snapshot], by: Ordered) -> str:
    """The id of the act: an order that is given again is the same, and so are the moves that follow from it."""
    names = migration_detail(pack, instances)["instances"]
    return derived_id(f"{pack.hash} {names}", "migration", AUDITED, f"{by.officer} {by.basis} {by.reason}")


def migration_entry(pack: Pack, instance: Snapshot, by: Ordered, act_id: str, at_ms: int) -> Entry:
    """The entry that moves an instance; its event is the act that orders it."""
    act = {
        "id": act_id,
        "type": AUDITED,
        "source": "/bus/packs",
        "subject": target(pack),
        "region": instance["region"],
        "actor": by.officer,
        "legalbasis": by.basis,
        "causationid": None,
        "correlationid": instance["instance"],
        "topic": "bus.audit",
        "partition": -1,
        "offset": -1,
    }
    entry = _entry("migration", pack, at_ms, by.reason)
    return entry | {"key": instance["key"], "event": act}


def refuse(sentences: list[str]) -> None:
    """``PackRefused`` with the first of some sentences, if there is one."""
    if sentences:
        more = f" ({len(sentences) - 1} more.)" if len(sentences) > 1 else ""
        raise PackRefused(f"{sentences[0]}.{more}")


def with_not_before(content: PackContent, timer: str, time: str) -> PackContent:
    """The content with a timer that is not due before an RFC 3339 time; ``DefinitionError`` if there is no such."""
    definition = content.definition
    if all(known.timer != timer for known in definition.timers):
        names = ", ".join(known.timer for known in definition.timers) or "none"
        raise DefinitionError(f"{definition.workflow} has no timer {timer}; its timers: {names}.")
    try:
        from_iso(time)
    except ValueError:
        raise DefinitionError(f"{time!r} is no time with a zone, such as 2020-02-29T00:00:00+08:00.") from None
    timers = tuple(
        known.model_copy(update={"not_before": time}) if known.timer == timer else known for known in definition.timers
    )
    return content.model_copy(update={"definition": definition.model_copy(update={"timers": timers})})


def _entry(kind: str, pack: Pack, at_ms: int, reason: str | None) -> Entry:
    body = pack.to_bytes() if kind == "activation" else None
    return {
        **tick(at_ms), "kind": kind, "workflow": pack.workflow, "pack": pack.hash, "reason": reason, "body": body,
    }  # fmt: skip


def _append(publisher: PackPublisher, entry: Entry, pack: Pack, state: InForce, at_ms: int) -> None:
    cause = f"{pack.hash} {state.told}"
    pending = [
        publisher.append(
            {"entry": entry},
            key=JOURNAL_KEY,
            partition=partition,
            event_id=derived_id(cause, entry["kind"], APPENDED, pack.workflow, partition),
            time_ms=at_ms,
        )
        for partition in range(publisher.partitions)
    ]
    for one in pending:
        one.result().require()


def _tell(
    publisher: PackPublisher, event_type: str, data: Mapping[str, Any], pack: Pack, state: InForce, at_ms: int
) -> None:
    event_id = derived_id(f"{pack.hash} {state.told}", "activation", event_type, pack.workflow)
    publisher.publish(event_type, data, subject=pack.workflow, event_id=event_id, time_ms=at_ms).result().require()
