"""``correlate``: for every rule of every pack in force, which workflow an event concerns, by which key, and why.

Pure, and it knows no instances: it answers journal entries; ``advance`` alone opens, joins and closes.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from deptbus.envelope import Envelope
from deptbus.record import Record
from deptbus.workflow.pack import CompiledRule, Pack
from deptbus.workflow.peers import new_entry
from deptbus.workflow.state import Entry


class Appended(NamedTuple):
    """An entry to append; without a key it goes to every partition of the journal."""

    key: str | None
    entry: Entry


class _Seen:
    """What the expressions of a rule see of an event."""

    __slots__ = ("at", "event", "region")

    def __init__(self, data: Mapping[str, Any], region: str | None, at: int) -> None:
        self.event, self.region, self.at = data, region or "", at

    def __getitem__(self, name: str, /) -> Any:
        head, _, tail = name.partition(".")
        if head == "event":
            value: Any = self.event
            for part in tail.split("."):
                value = value.get(part) if value is not None else None
            return value
        return {"region": self.region, "at": self.at}[head]


class Correlator:
    """The rules of all packs in force."""

    def __init__(self, packs: Iterable[Pack]) -> None:
        self.packs = {pack.hash: pack for pack in packs}
        self.event_types = frozenset(kind for pack in self.packs.values() for kind in pack.event_types)
        self._workflows = frozenset(pack.workflow for pack in self.packs.values())
        self._rules: dict[str, list[tuple[Pack, CompiledRule]]] = defaultdict(list)
        self._directives: dict[str, list[Pack]] = defaultdict(list)
        for pack in self.packs.values():
            for rule in pack.rules.values():
                self._rules[rule.on].append((pack, rule))
            if pack.definition.directives:
                self._directives[pack.definition.directives].append(pack)

    def entries(self, envelope: Envelope, data: Mapping[str, Any], record: Record, at_ms: int) -> list[Appended]:
        """The entries of one event, read from ``record``; ``at_ms`` is the time that decides.

        Raises ``EvaluationError`` when an expression of a rule cannot be evaluated for this event.
        """
        event = _source_event(envelope, record)
        named = _named(envelope.correlationid, self._workflows)
        appended: list[Appended] = []
        for pack, rule in self._rules.get(envelope.type, ()):
            key = placed(pack.workflow, rule, event, data, at_ms)
            if key is None:
                continue
            entry = _entry(at_ms, pack.workflow, key, pack.hash, rule.rule, event, record.value)
            appended.append(Appended(f"{pack.workflow}/{key}" if key else None, entry))
        if appended:
            return appended + self._without_rule(appended, named, event, record.value, at_ms)
        for pack in self._directives.get(envelope.type, ()):
            if named is None and data.get("workflow") == pack.workflow and data.get("key"):
                key = data["key"]
                entry = _entry(at_ms, pack.workflow, key, pack.hash, None, event, record.value)
                appended.append(Appended(f"{pack.workflow}/{key}", entry))
        if named is not None and not appended:
            workflow, key = named
            entry = _entry(at_ms, workflow, key, None, None, event, record.value)
            appended.append(Appended(f"{workflow}/{key}", entry))
        return appended

    def _without_rule(
        self,
        appended: list[Appended],
        named: tuple[str, str] | None,
        event: dict[str, Any],
        body: bytes | None,
        at: int,
    ) -> list[Appended]:
        """Entries by packs of which no rule speaks of the event, though another version's does.

        The instance that it names may run by any of them, and its tasks may wait for it.
        """
        by_rule = {each.entry["pack"] for each in appended}
        return [
            Appended(f"{named[0]}/{named[1]}", _entry(at, named[0], named[1], pack.hash, None, event, body))
            for pack in self.packs.values()
            if named is not None
            and pack.workflow == named[0]
            and pack.hash not in by_rule
            and event["type"] in pack.event_types
        ]


def _named(correlation: str | None, workflows: Collection[str]) -> tuple[str, str] | None:
    """Workflow and key of the instance that an event names, where the workflow is in force."""
    if correlation is None:
        return None
    parts = correlation.split("/")
    if len(parts) < 3 or parts[0] not in workflows:
        return None
    return parts[0], "/".join(parts[1:-1])


def placed(
    workflow: str, rule: CompiledRule, event: Mapping[str, Any], data: Mapping[str, Any], at_ms: int
) -> str | None:
    """The key by which a rule of a workflow places an event; empty for every partition; None where it does not.

    ``event`` is a ``common.SourceEvent``. Raises ``EvaluationError`` where guard or key have no value.
    """
    seen = _Seen(data, event["region"], at_ms)
    if rule.when is not None and not rule.when.evaluate(seen):
        return None
    named = _named(event["correlationid"], (workflow,))
    if named is not None:
        return named[1]
    if rule.key is not None:
        return str(rule.key.evaluate(seen)) or None
    return "" if rule.by_region and event["region"] else None


def _source_event(envelope: Envelope, record: Record) -> dict[str, Any]:
    return {
        "id": envelope.id,
        "type": envelope.type,
        "source": envelope.source,
        "subject": envelope.subject,
        "region": envelope.region,
        "actor": envelope.actor,
        "legalbasis": envelope.legalbasis,
        "causationid": envelope.causationid,
        "correlationid": envelope.correlationid,
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
    }


def _entry(
    at: int,
    workflow: str,
    key: str,
    pack: str | None,
    rule: str | None,
    event: dict[str, Any],
    body: bytes | None,
) -> Entry:
    return new_entry("event", at, workflow, key, pack=pack, rule=rule, event=event, body=body)


def tick(at: int, step: int | None = None) -> Entry:
    """The entry that says that time has come to ``at``; in an exercise, which step that ends."""
    return new_entry("tick", at, "", "", step=step)
