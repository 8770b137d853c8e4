"""What correlate makes of any event is a function of the event and the packs, once for each rule that places it."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deptbus.envelope import Envelope
from deptbus.record import Record
from deptbus.workflow.correlate import Appended, Correlator
from deptbus.workflow.expressions import EvaluationError
from tests.workflow.definitions import small
from tests.workflow.strategies import ODD_TEXT, REGIONS, data_of, event_types, mostly, tried
from tests.workflow.test_properties_total import PACKS, RICH, SMALL
from tests.workflow.world import START, World, codec, sample

KINDS = sorted({kind for packs in PACKS.values() for pack in packs for kind in event_types(pack)})
texts = st.none() | mostly(st.sampled_from([*REGIONS, "small/440100/1", "rich/440100/2"]), ODD_TEXT)


@st.composite
def events(draw: st.DrawFn) -> tuple[Envelope, dict[str, Any], Record]:
    """An event of any type, with any envelope."""
    kind = draw(st.sampled_from(KINDS))
    envelope = Envelope(
        id=draw(ODD_TEXT), type=kind, source=draw(ODD_TEXT), time_ms=draw(st.integers(0, 2**50)), subject=draw(texts),
        region=draw(texts), correlationid=draw(texts), causationid=draw(texts), legalbasis=draw(texts),
        actor=draw(texts),
    )  # fmt: skip
    data = draw(data_of(kind))
    value = codec().encode(kind, data)
    return envelope, codec().decode(value), Record("a.events", 0, draw(st.integers(0, 9)), START, None, value, [])


def entries(correlator: Correlator, event: tuple[Envelope, dict[str, Any], Record]) -> list[Appended] | None:
    """None where an expression of a rule has no value: such an event goes to the dead letters."""
    try:
        return correlator.entries(*event, START)
    except EvaluationError:
        return None


@tried
@given(event=events(), data=st.data())
def test_an_event_gives_the_same_entries_whatever_came_before_one_for_each_rule(
    event: tuple[Envelope, dict[str, Any], Record], data: st.DataObject
) -> None:
    packs = [pack for each in PACKS.values() for pack in each]
    correlator = Correlator(packs)
    for other in data.draw(st.lists(events(), max_size=3), "others"):
        entries(correlator, other)
    found = entries(correlator, event)
    assert found == entries(Correlator(packs), event)
    if found is None:
        return
    assert len({(each.entry["pack"], each.entry["rule"], each.key) for each in found}) == len(found)
    for each in found:
        assert codec().decode(codec().encode("workflow.EntryAppended", {"entry": each.entry}))["entry"] == each.entry
        assert each.key is None or each.key == f"{each.entry['workflow']}/{each.entry['key']}"


@tried
@given(event=events())
def test_a_pack_of_another_workflow_takes_nothing_from_what_an_event_gives(
    event: tuple[Envelope, dict[str, Any], Record],
) -> None:
    alone, beside = entries(Correlator([SMALL]), event), entries(Correlator([SMALL, RICH]), event)
    if alone is not None and beside is not None:
        assert all(each in beside for each in alone if each.entry["rule"] is not None)


KEYS = ("a", "b", "c", "d")


@tried
@pytest.mark.parametrize("stepped", [False, True], ids=["actual life", "exercise time"])
@given(
    names=st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(KEYS)), max_size=8),
    openers=st.lists(st.sampled_from(KEYS), max_size=4),
)
def test_entries_come_to_an_end_whatever_keys_are_names_of_each_other(
    names: list[tuple[str, str]], openers: list[str], stepped: bool
) -> None:
    world = World(small(), stepped=stepped)
    (opener,) = world.entries(
        "health.CasesConfirmed", sample("health.CasesConfirmed", region="440100", count=1), at=START, region="440100"
    )
    alias = {**opener, "kind": "alias", "event": None, "body": None, "rule": None}
    waiting = [{**alias, "key": key, "target": target} for key, target in names]
    waiting += [
        {**opener, "key": key, "event": opener["event"] | {"id": f"{key} {n}"}} for n, key in enumerate(openers)
    ]
    for step in range(30):
        if not waiting:
            break
        outputs = [*world.append(*waiting), *world.tick(START + step + 1, step)]
        waiting = [data["entry"] for data in world.of_type("workflow.EntryAppended", outputs)]
    assert not waiting
