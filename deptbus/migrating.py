"""Moves running instances to the pack in force: what a dry run shows, the order, and what came of it."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from deptbus.errors import NotFound, PackRefused
from deptbus.kafka.configuration import reader_configuration
from deptbus.kafka.consumer import END, Tail
from deptbus.packs import Packs
from deptbus.workflow import activation
from deptbus.workflow.activation import InForce, Ordered
from deptbus.workflow.evolution import Snapshot
from deptbus.workflow.migration import preview
from deptbus.workflow.moving import told
from deptbus.workflow.pack import Pack

TIMELINE = "workflow.timeline"
_POLL_S = 0.1
_NOBODY = Ordered("", "", "")


@dataclass(frozen=True, slots=True)
class Plan:
    """What would happen were the order the next entry of each instance."""

    to: Pack
    at_ms: int
    """The time that the order names."""
    instances: Sequence[Snapshot]
    reports: Sequence[dict[str, Any]]
    """By instance, as ``moving.told`` says."""

    @property
    def refused(self) -> list[dict[str, Any]]:
        """The reports of instances that cannot move."""
        return [report for report in self.reports if report["refused"]]


def plan(
    packs: Packs, workflow: str, names: Iterable[str], from_version: int | None, by: Ordered | None, at_ms: int | None
) -> Plan:
    """What moving would do to the open instances of a workflow that do not run by the pack in force yet.

    ``names``: only these; ``from_version``: only of this version; ``at_ms``: when, by default how far the time of
    these instances has come. ``NotFound`` where something named is not there.
    """
    state = packs.in_force()
    if workflow not in state.opening:
        known = ", ".join(sorted(state.opening)) or "none"
        raise NotFound(f"No version of {workflow} is in force to move to; in force: {known}.")
    to = state.opening[workflow]
    chosen = _chosen(packs.running(workflow), workflow, set(names), from_version, to)
    at_ms = max((instance["clock"] for instance in chosen), default=0) if at_ms is None else at_ms
    reports = []
    for instance in chosen:
        before = _pack_of(state, instance)
        entry = activation.migration_entry(to, instance, by or _NOBODY, "", at_ms)
        reports.append(told(preview(before, to, instance, entry), before, to))
    return Plan(to, at_ms, chosen, reports)


def order(packs: Packs, planned: Plan, by: Ordered, *, skip_broken: bool, wait_s: float) -> dict[str, str]:
    """Order the planned moves; answers by instance what the timeline says of it: ``migrated`` or why not.

    What the timeline does not say within ``wait_s`` is not in the answer; 0 waits for nothing. ``PackRefused`` where
    one cannot move, unless ``skip_broken`` leaves these out.
    """
    refused = planned.refused
    if refused and not skip_broken:
        raise PackRefused(_sentence(refused))
    cannot = {report["instance"] for report in refused}
    moving = [instance for instance in planned.instances if instance["instance"] not in cannot]
    if not moving:
        return {}
    settings = packs.settings
    tail = Tail(reader_configuration(settings), {settings.world.physical(TIMELINE): END}) if wait_s > 0 else None
    try:
        act_id = packs.migrate(planned.to, moving, by, planned.at_ms)
        return _outcomes(packs, tail, act_id, len(moving), wait_s) if tail is not None else {}
    finally:
        if tail is not None:
            tail.close()


def _outcomes(packs: Packs, tail: Tail, act_id: str, count: int, wait_s: float) -> dict[str, str]:
    limit = time.monotonic() + wait_s
    found: dict[str, str] = {}
    cause = ("ce_causationid", act_id.encode())
    while len(found) < count and time.monotonic() < limit:
        for record in tail.poll(_POLL_S):
            if cause not in record.headers:
                continue
            line = packs.decode(record)
            if line["kind"] == "migrated":
                found[line["instance"]] = "migrated"
            elif line["kind"] == "migration_refused":
                found[line["instance"]] = line["detail"]["reason"]
    return found


def _chosen(
    running: Iterable[Snapshot], workflow: str, names: set[str], from_version: int | None, to: Pack
) -> list[Snapshot]:
    is_open = {one["instance"]: one for one in running if one["status"] == "open"}
    missing = sorted(names - is_open.keys())
    if missing:
        raise NotFound(f"{missing[0]} is no open instance of {workflow}; `deptbus incidents list --open` shows them.")
    return [
        instance
        for name, instance in sorted(is_open.items())
        if instance["pack"] != to.hash and (not names or name in names) and from_version in (None, instance["version"])
    ]


def _pack_of(state: InForce, instance: Snapshot) -> Pack:
    pack = state.packs.get(instance["pack"])
    if pack is None:
        raise NotFound(
            f"{instance['instance']} runs by a pack that is not in force ({instance['pack'][:12]}); activate it again "
            "before the instance is moved."
        )
    return pack


def _sentence(refused: Sequence[dict[str, Any]]) -> str:
    first = refused[0]["refused"][0]
    more = f" ({len(refused) - 1} more instances cannot move either.)" if len(refused) > 1 else ""
    return f"{first}.{more} Nothing was moved; --skip-broken moves the others."
