"""Frames of values under another registry's ids: also those of events within entries and dead letters."""

from typing import Any

import pytest

from deptbus.codec import Codec
from deptbus.operations.archive.frames import Frames
from deptbus.operations.archive.schemas import HeldSchema, codec_of
from tests.workflow.definitions import small
from tests.workflow.world import START, World, sample, schemas
from tests.workflow.world import codec as project_codec

CASES = "health.CasesConfirmed"
ENTRY = "workflow.EntryAppended"
LETTER = "bus.DeadLettered"


def held(shift: int = 0) -> list[HeldSchema]:
    """All schemas of the project, by the ids of a registry."""
    files = [file for kind in schemas().types() for file in schemas().versions(kind)]
    return [HeldSchema(number + shift, file.schema) for number, file in enumerate(files, start=1)]


def frames(shift: int) -> Frames:
    """To the ids of a registry that has given others."""
    old = held()
    return Frames(
        {each.id: each.id + shift for each in old}, codec_of(old, 4_000_000), {each.id: each.schema for each in old}
    )


def elsewhere() -> Codec:
    """What reads values there."""
    return codec_of(held(1_000), 4_000_000)


def case(**fields: Any) -> bytes:
    """A framed event."""
    return project_codec().encode(CASES, sample(CASES, region="440100", **fields))


def entry(body: bytes) -> bytes:
    """An entry of the journal that holds it."""
    world = World(small())
    world.publish(CASES, sample(CASES, region="440100", count=1), at=START, region="440100", id="a case")
    found: dict[str, Any] = world.journal[-1][1]
    return project_codec().encode(ENTRY, {"entry": found | {"body": body}})


def test_a_value_is_read_under_the_other_id_and_its_content_is_untouched() -> None:
    value = case(count=3)
    new = frames(1_000).rewritten(value)
    assert new is not None
    assert new[5:] == value[5:]
    assert elsewhere().decode(new, CASES) == project_codec().decode(value, CASES)


def test_the_event_within_an_entry_is_read_too() -> None:
    value = entry(case(count=7))
    new = frames(1_000).rewritten(value)
    assert new is not None
    assert len(new) == len(value)
    found = elsewhere().decode(new, ENTRY)["entry"]
    assert elsewhere().decode(found["body"], CASES)["count"] == 7
    assert found | {"body": None} == project_codec().decode(value, ENTRY)["entry"] | {"body": None}


def test_an_entry_within_a_dead_letter_is_read_with_the_event_within_it() -> None:
    letter = sample(LETTER, value=entry(case(count=9)))
    new = frames(1_000).rewritten(project_codec().encode(LETTER, letter))
    inner = elsewhere().decode(elsewhere().decode(new, LETTER)["value"], ENTRY)
    assert elsewhere().decode(inner["entry"]["body"], CASES)["count"] == 9


@pytest.mark.parametrize(
    "body", [b"", b"\0\0\0\0\1", b"\0\0\0\0\1no event", b"\0\x7f\xff\xff\xffunknown", b"plain text"]
)
def test_bytes_that_are_no_event_stay_as_they_are(body: bytes) -> None:
    new = frames(1_000).rewritten(project_codec().encode(LETTER, sample(LETTER, value=body)))
    assert elsewhere().decode(new, LETTER)["value"] == body


@pytest.mark.parametrize("value", [None, b"", b"\0\0\0", b"text", b"\0\x7f\xff\xff\xffunknown"])
def test_what_is_not_framed_or_by_nobody_known_stays(value: bytes | None) -> None:
    assert frames(1_000).rewritten(value) == value


def test_a_broken_value_under_a_known_id_gets_the_new_id_and_stays() -> None:
    value = entry(case(count=7))[:-20]
    new = frames(1_000).rewritten(value)
    assert new is not None
    assert new[5:] == value[5:]


def test_where_ids_are_the_same_nothing_is_done() -> None:
    value = entry(case(count=7))
    assert frames(0).rewritten(value) is value
