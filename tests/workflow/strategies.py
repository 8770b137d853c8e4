"""Hypothesis strategies: any journal entry that the schema allows, likely ones more often, so that states get deep."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from deptbus.schemas.store import SchemaStore, load_schemas
from deptbus.workflow.pack import Pack
from deptbus.workflow.state import Entry
from tests.workflow.world import HOUR, ROOT, START

EXAMPLES = int(os.environ.get("BUS_TEST_EXAMPLES", "50"))
"""How many examples each property is tried with; ``BUS_TEST_EXAMPLES`` for long runs."""
SUPPRESSED = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example]
tried = settings(max_examples=EXAMPLES, suppress_health_check=SUPPRESSED)

REGIONS = ("440100", "440300", "440000", "330100")
SUBJECTS = ("", "a", "b")
INT64 = 2**63
ODD_TEXT = st.sampled_from(
    ["", " ", "/", "//", "a/b/c", "small", "small/440100/1", "small/440100/x", "440100", "44", "000000", "@tick",
     "\x00", "𝒳 国\u202e", "x" * 5_000, "国" * 40_000]
) | st.text(max_size=12)  # fmt: skip
ODD_TIMES = st.sampled_from([0, -1, 1, -INT64, INT64 - 1, 253_402_300_800_000, START * 1000]) | st.integers(
    -INT64, INT64 - 1
)
TIMES = st.one_of(
    *[st.integers(0, 40).map(lambda step: START + step * HOUR // 2)] * 4,
    st.integers(0, 500).map(lambda hours: START + hours * HOUR),
)


def mostly(likely: st.SearchStrategy[Any], odd: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Nine times in ten what is likely."""
    return st.integers(0, 9).flatmap(lambda dice: odd if dice == 9 else likely)


@dataclass(frozen=True)
class Told:
    """An entry still to be made: what only the run knows stands as a number."""

    entry: Mapping[str, Any]
    type: str = ""
    data: Mapping[str, Any] | None = None
    body: bytes | None = None
    """Odd bytes in place of ``data``."""
    activates: int | None = None
    """The pack in its body."""
    task: int | None = None
    """The event names the task asked for so many requests ago."""


def _values(kind: Any, named: dict[str, Any], name: str = "") -> st.SearchStrategy[Any]:
    """Values of a schema; of fields that workflows go by, those that meet."""
    if name in {"region", "key"}:
        return st.sampled_from(REGIONS) if kind != "string" else mostly(st.sampled_from(REGIONS), ODD_TEXT)
    if isinstance(kind, list):
        return st.one_of(*(_values(branch, named, name) for branch in kind))
    if isinstance(kind, str):
        if kind in named:
            return _values(named[kind], named, name)
        return _plain(kind, name)
    if "name" in kind:
        named[f"{kind.get('namespace', '')}.{kind['name']}"] = kind
    match kind["type"]:
        case "record":
            return st.fixed_dictionaries({f["name"]: _values(f["type"], named, f["name"]) for f in kind["fields"]})
        case "enum":
            return st.sampled_from(kind["symbols"])
        case "array":
            return st.lists(_values(kind["items"], named), max_size=2)
        case "map":
            return st.dictionaries(st.sampled_from(SUBJECTS), _values(kind["values"], named), max_size=2)
    return _values(kind["type"], named, name)


def _plain(kind: str, name: str) -> st.SearchStrategy[Any]:
    match kind:
        case "null":
            return st.none()
        case "boolean":
            return st.booleans()
        case "int":
            return mostly(st.integers(0, 9), st.integers(-(2**31), 2**31 - 1))
        case "long":
            return (
                mostly(TIMES, st.integers(-INT64, INT64 - 1)) if name.endswith(("_at", "_by")) else st.integers(0, 20)
            )
        case "float" | "double":
            return st.floats(width=32)
        case "bytes":
            return st.binary(max_size=8)
    return mostly(st.sampled_from(SUBJECTS), ODD_TEXT)


@cache
def store() -> SchemaStore:
    """The project's schemas."""
    return load_schemas(ROOT)


@cache
def data_of(event_type: str) -> st.SearchStrategy[dict[str, Any]]:
    """Data of an event type."""
    named: dict[str, Any] = {}
    for kind in store().types():  # named types of ``common`` stand inside the schemas that use them first
        _values(store().newest(kind).schema, named)
    found: st.SearchStrategy[dict[str, Any]] = _values(store().newest(event_type).schema, named)
    return found


@cache
def event_types(pack: Pack) -> tuple[str, ...]:
    """The types that a pack goes by and that have a schema, and one that it knows nothing of."""
    return (*sorted(pack.event_types & set(store().types())), "bus.PackRetired")


@st.composite
def told(draw: st.DrawFn, packs: Sequence[Pack], *, odd: bool = True) -> Told:
    """An entry of any kind; ``odd`` ones have anything in any field."""
    pack = draw(st.sampled_from(packs))
    kinds = ["event"] * 24 + ["tick"] * 8
    kinds += ["forward", "alias", "migration", "retirement", "activation", "rejection", "part", "lead"] if odd else []
    kind = draw(st.sampled_from(kinds))
    entry: Entry = {
        "kind": kind,
        "at": draw(TIMES),
        "workflow": pack.workflow,
        "key": draw(st.sampled_from(REGIONS[:1] * 4 + REGIONS[1:2])),
        "pack": pack.hash,
        "rule": None,
        "step": None,
        "offset": None,
        "target": draw(st.sampled_from(REGIONS[:2])) if kind in {"alias", "part", "lead"} else None,
        "hops": draw(st.integers(0, 9)) if kind == "forward" else 0,
        "reason": None,
        "level": None,
        "note": None,
        "event": None,
    }
    made = Told(entry)
    if kind in {"event", "forward"}:
        made = draw(_event(pack, entry))
    elif kind == "activation":
        made = Told(entry, activates=draw(st.integers(0, len(packs) - 1)))
    elif kind == "migration":
        made = draw(_event(pack, entry))
    elif kind in {"part", "lead"}:
        entry["target"] = f"{pack.workflow}/{entry['target']}/{draw(st.integers(1, 2))}"
        entry["reason"] = draw(st.sampled_from(["ask", "accept", "refuse", "level", "split", "closed"]))
        entry["level"] = draw(st.sampled_from([None, "IV", "II", "I"]))
        made = draw(_event(pack, entry))
        telling = f"{pack.workflow}/{draw(st.sampled_from(REGIONS[:2]))}/{draw(st.integers(1, 2))}"
        made.entry["event"]["correlationid"] = telling
    return draw(_spoiled(made)) if odd and draw(st.integers(0, 6)) == 0 else made


@st.composite
def _event(draw: st.DrawFn, pack: Pack, entry: Entry) -> Told:
    rules = {rule.rule: rule.on for rule in pack.rules.values()}
    opening = [rule.rule for rule in pack.rules.values() if rule.opens]
    rule = draw(st.sampled_from([*rules, *opening * 3, *[None] * (len(rules) + 1)]))
    event_type = draw(st.sampled_from(event_types(pack))) if rule is None else rules[rule]
    names_task = event_type.endswith("TaskAnswered") or draw(st.booleans())
    event = {
        "id": f"event {draw(st.integers(0, 99))}",
        "type": event_type,
        "source": f"/departments/{event_type.partition('.')[0]}",
        "subject": draw(st.sampled_from([None, *SUBJECTS])),
        "region": draw(st.sampled_from([None, *REGIONS])),
        "actor": draw(st.sampled_from([None, "Zhang"])),
        "legalbasis": draw(st.sampled_from([None, "a law"])),
        "causationid": None,
        "correlationid": draw(st.sampled_from([None, f"{pack.workflow}/{entry['key']}/1"])),
        "topic": "health.events",
        "partition": 0,
        "offset": draw(st.integers(0, 99)),
    }
    own = pack.rules[rule] if rule is not None else None
    key = "" if own is not None and own.by_region else entry["key"]
    entry = {**entry, "key": key, "rule": rule, "pack": pack.hash if rule else None, "event": event}
    return Told(entry, event_type, draw(data_of(event_type)), task=draw(st.integers(0, 4)) if names_task else None)


@st.composite
def _spoiled(draw: st.DrawFn, made: Told) -> Told:
    """The same with one or more fields that nobody would expect, within the schema."""
    entry = dict(made.entry)
    event = dict(entry["event"]) if entry["event"] else None
    body, data, activates = made.body, made.data, made.activates
    for _ in range(draw(st.integers(1, 3))):
        match draw(st.integers(0, 6)):
            case 0:
                entry["at"] = draw(ODD_TIMES)
            case 1:
                entry[draw(st.sampled_from(["workflow", "key"]))] = draw(ODD_TEXT)
            case 2:
                name = draw(st.sampled_from(["pack", "rule", "target", "reason", "level", "note"]))
                entry[name] = draw(st.none() | ODD_TEXT)
            case 3:
                entry[draw(st.sampled_from(["step", "offset"]))] = draw(st.none() | ODD_TIMES)
            case 4:
                body, data = draw(st.none() | st.binary(max_size=20)), None
                activates = None
            case 5 if event is not None:
                required = ["id", "type", "source", "topic"]
                optional = ["subject", "region", "actor", "legalbasis", "causationid", "correlationid"]
                name = draw(st.sampled_from(required + optional))
                event[name] = draw(ODD_TEXT if name in required else st.none() | ODD_TEXT)
            case 6:
                event = None
    return Told({**entry, "event": event}, made.type, data, body, activates, made.task)
