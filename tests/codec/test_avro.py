"""The functions made of schemas write and read what fastavro does, and take nothing that it would not."""

import copy
import io
import weakref
from typing import Any, ClassVar

import fastavro
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from deptbus.avro.functions import Unusual
from deptbus.avro.reading import reader
from deptbus.avro.varints import read_varint, varint
from deptbus.avro.writing import keeping_writers, writer
from tests.workflow.world import codec, schemas

HEADER = b"\0\0\0\0\7"
_PRIMITIVES = ("boolean", "int", "long", "double", "string", "bytes")
LONG = st.integers(-(2**63), 2**63 - 1) | st.integers(-3000, 3000) | st.integers(10**12, 2 * 10**12)
VALUES = {
    "null": st.none(), "boolean": st.booleans(), "long": LONG, "double": st.floats(),
    "int": st.integers(-(2**31), 2**31 - 1), "string": st.text(max_size=80), "bytes": st.binary(max_size=80),
}  # fmt: skip
ODD = st.sampled_from(
    [
        None,
        True,
        0,
        1,
        -1,
        5.0,
        2**31,
        2**63,
        "",
        "b",
        b"",
        b"ab",
        [],
        [1],
        {},
        (1,),
        ("long", 1),
        {"f0": 1},
        {"x": None},
    ]
)
"""Values to be put where others belong."""


@st.composite
def parts(draw: st.DrawFn, depth: int = 2) -> tuple[Any, st.SearchStrategy[Any]]:
    """A schema, and its values."""
    kinds = [*_PRIMITIVES, "enum", "fixed", "optional", "union", *(["array", "map", "record"] if depth else [])]
    kind = draw(st.sampled_from(kinds))
    name = f"N{draw(st.integers(0, 10**9))}"
    match kind:
        case "enum":
            symbols = [f"S{number}" for number in range(draw(st.integers(1, 70)))]
            return {"type": "enum", "name": name, "symbols": symbols}, st.sampled_from(symbols)
        case "fixed":
            return {"type": "fixed", "name": name, "size": 3}, st.binary(min_size=3, max_size=3)
        case "optional":
            schema, values = draw(parts(depth).filter(lambda part: not isinstance(part[0], list)))
            return draw(st.permutations(["null", schema])), st.none() | values
        case "union":
            branches = draw(st.lists(st.sampled_from(["null", *_PRIMITIVES]), min_size=1, max_size=5, unique=True))
            return branches, st.one_of([VALUES[branch] for branch in branches])
        case "array":
            schema, values = draw(parts(depth - 1))
            return {"type": "array", "items": schema}, st.lists(values, max_size=3)
        case "map":
            schema, values = draw(parts(depth - 1))
            return {"type": "map", "values": schema}, st.dictionaries(st.text(max_size=9), values, max_size=3)
        case "record":
            return draw(records(depth - 1))
    return kind, VALUES[kind]


@st.composite
def records(draw: st.DrawFn, depth: int = 2) -> tuple[Any, st.SearchStrategy[Any]]:
    fields = {f"f{number}": draw(parts(depth)) for number in range(draw(st.integers(0, 4)))}
    schema = {
        "type": "record", "name": f"N{draw(st.integers(0, 10**9))}",
        "fields": [{"name": name, "type": part} for name, (part, _) in fields.items()],
    }  # fmt: skip
    for one, (_, values) in zip(schema["fields"], fields.values(), strict=True):
        if draw(st.integers(0, 3)) == 0:
            one["default"] = draw(values | ODD)
    return schema, st.fixed_dictionaries({name: values for name, (_, values) in fields.items()})


@st.composite
def cases(draw: st.DrawFn) -> tuple[Any, Any]:
    """A parsed schema and data that fit it."""
    schema, values = draw(records())
    try:
        return fastavro.parse_schema(schema, named_schemas={}), draw(values)
    except fastavro.schema.SchemaParseException:  # a name drawn twice, or a default of another kind
        assume(False)
        raise


def by_fastavro(schema: Any, data: Any) -> bytes:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, schema, data, strict_allow_default=True)
    return HEADER + out.getvalue()


def read_by_fastavro(schema: Any, value: bytes) -> Any:
    source = io.BytesIO(value)
    source.seek(len(HEADER))
    data = fastavro.schemaless_reader(source, schema, None)
    assert source.tell() == len(value)
    return data


def takes(function: Any, given: Any) -> tuple[bool, Any]:
    """Whether a made function takes this, and what it answers."""
    try:
        return True, function(given)
    except Exception:
        return False, None


def changed(draw: Any, data: Any) -> Any:
    """Data with one value replaced somewhere, or one member more or less."""
    data = copy.deepcopy(data)
    places: list[tuple[Any, Any]] = []
    todo = [data]
    while todo:
        inner = todo.pop()
        for key, value in inner.items() if isinstance(inner, dict) else enumerate(inner):
            places.append((inner, key))
            if isinstance(value, dict | list):
                todo.append(value)
    assume(places)
    inner, key = draw(st.sampled_from(places))
    if isinstance(inner, dict) and draw(st.integers(0, 4)) == 0:
        del inner[key]
    else:
        inner[key] = draw(ODD)
    if draw(st.integers(0, 9)) == 0:
        data["more"] = 1
    return data


@given(cases())
@settings(max_examples=400)
def test_what_fits_is_written_and_read_as_fastavro_does(case: tuple[Any, Any]) -> None:
    schema, data = case
    value = by_fastavro(schema, data)
    try:
        assert writer(schema, HEADER)(data) == value
    except Unusual:
        assert "[" in str(schema)  # only unions of many are left to fastavro
    try:
        assert repr(reader(schema, len(HEADER))(value)) == repr(read_by_fastavro(schema, value))
    except Unusual:
        assert "S64" in str(schema)


@given(cases(), st.data())
@settings(max_examples=600)
def test_nothing_is_written_that_fastavro_would_not_write(case: tuple[Any, Any], data: st.DataObject) -> None:
    schema, fits = case
    odd = changed(data.draw, fits)
    try:
        write = writer(schema, HEADER)
    except Unusual:
        return
    taken, value = takes(write, odd)
    if taken:
        assert value == by_fastavro(schema, odd)


@given(cases(), st.data())
@settings(max_examples=600)
def test_nothing_is_read_that_fastavro_would_not_read(case: tuple[Any, Any], data: st.DataObject) -> None:
    schema, fits = case
    value = bytearray(by_fastavro(schema, fits))
    assume(len(value) > len(HEADER))
    for _ in range(data.draw(st.integers(1, 3))):
        value[data.draw(st.integers(len(HEADER), len(value) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(value[: data.draw(st.integers(len(HEADER), len(value)))]) + data.draw(st.binary(max_size=2))
    try:
        read = reader(schema, len(HEADER))
    except Unusual:
        return
    taken, found = takes(read, cut)
    if taken:
        assert repr(found) == repr(read_by_fastavro(schema, cut))


@st.composite
def states(draw: st.DrawFn) -> tuple[Any, list[Any]]:
    """A schema with lists of records, and states one after another, of which each has some of the records before it."""
    item, values = draw(records())
    assume(item["fields"])
    other, others = draw(records(1))
    fields = {"x": {"type": "array", "items": item}, "y": {"type": "map", "values": {"type": "array", "items": other}}}
    schema = {"type": "record", "name": "R", "fields": [{"name": name, "type": kind} for name, kind in fields.items()]}
    try:
        parsed = fastavro.parse_schema(schema, named_schemas={})
    except fastavro.schema.SchemaParseException:
        assume(False)
    pool, more = draw(st.lists(values, min_size=1, max_size=6)), draw(st.lists(others, max_size=4))
    lists = st.lists(st.sampled_from(pool), max_size=6)
    maps = st.dictionaries(st.text(max_size=3), st.lists(st.sampled_from(more), max_size=3) if more else st.just([]))
    return parsed, draw(st.lists(st.fixed_dictionaries({"x": lists, "y": maps}), min_size=1, max_size=6))


@given(states(), st.integers(0, 8))
@settings(max_examples=300)
def test_what_is_kept_of_the_records_in_lists_changes_no_byte(case: tuple[Any, list[Any]], room: int) -> None:
    schema, found = case
    try:
        write = keeping_writers(schema, HEADER)(room)
    except Unusual:
        return
    for state in found:
        assert write(state) == by_fastavro(schema, state)


def test_a_record_that_was_replaced_is_written_anew() -> None:
    item = {"type": "record", "name": "I", "fields": [{"name": "n", "type": "int"}]}
    schema = {"type": "record", "name": "R", "fields": [{"name": "x", "type": {"type": "array", "items": item}}]}
    parsed = fastavro.parse_schema(schema, named_schemas={})
    write, kept = keeping_writers(parsed, HEADER)(10), {"n": 1}
    for number in range(100):  # each of these may come to lie where the one before it lay
        state = {"x": [kept, {"n": number}]}
        assert write(state) == by_fastavro(parsed, state)


class Text(str):
    """A text that counts how often it was written, and which are still there."""

    written = 0
    there: ClassVar["weakref.WeakSet[Text]"] = weakref.WeakSet()

    def __new__(cls, text: str) -> "Text":
        made = super().__new__(cls, text)
        cls.there.add(made)
        return made

    __hash__ = object.__hash__

    def encode(self, *_: Any) -> bytes:  # type: ignore[override]
        Text.written += 1
        return super().encode()


def test_of_what_is_kept_only_that_is_let_go_of_which_stands_in_no_state_any_more() -> None:
    item = {"type": "record", "name": "I", "fields": [{"name": "s", "type": "string"}]}
    schema = {"type": "record", "name": "R", "fields": [{"name": "x", "type": {"type": "array", "items": item}}]}
    write = keeping_writers(fastavro.parse_schema(schema, named_schemas={}), HEADER)(60)
    states = [[{"s": Text(f"{state} {place}")} for place in range(5)] for state in range(10)]
    for state in states:
        write({"x": state})
    for turn in range(100):
        for state in states:
            state[turn % 5] = {"s": Text(f"new in turn {turn}")}
            write({"x": state})
    assert Text.written == 50 + 100 * 10, "something was written twice, though it was in a state all the time"
    assert len(Text.there) <= 2 * 50, "what is in no state any more is held"


def test_a_field_left_out_has_its_default() -> None:
    fields = [{"name": "x", "type": ["null", "string"], "default": None}, {"name": "y", "type": "int"}]
    schema = fastavro.parse_schema({"type": "record", "name": "R", "fields": fields}, named_schemas={})
    assert writer(schema, HEADER)({"y": 1}) == HEADER + b"\x00\x02"
    for wrong in ({"x": "a"}, {"y": 1, "z": 1}, {"x": "a", "z": 1}, {"x": "a", "y": 1, "z": 1}):
        with pytest.raises((Unusual, KeyError)):
            writer(schema, HEADER)(wrong)


@given(LONG)
def test_every_number_of_64_bits_has_its_bytes(number: int) -> None:
    out = io.BytesIO()
    fastavro.schemaless_writer(out, "long", number)
    assert varint(number) == out.getvalue()
    if len(out.getvalue()) > 1:
        assert read_varint(out.getvalue() + b"x", 0) == (number, len(out.getvalue()))


@pytest.mark.parametrize("number", [2**63, -(2**63) - 1, 1.0, True, "1", None])
def test_no_other_number_has_any(number: Any) -> None:
    with pytest.raises((Unusual, TypeError)):
        varint(number)


def test_every_schema_of_the_project_has_its_functions() -> None:
    """What could not be made would be slow for ever, and nobody would see it."""
    for event_type in schemas().types():
        parsed = codec().schema(event_type).parsed
        writer(parsed, HEADER)
        reader(parsed, len(HEADER))


@pytest.mark.parametrize(
    "name", ["class", "v", "__import__('os')", "a'b", 'a"b', "a\\", "a\n", "{}", "卡"],
)  # fmt: skip
def test_names_of_fields_are_nothing_but_names(name: str) -> None:
    schema = {"type": "record", "name": "R", "fields": [{"name": name, "type": "string"}]}
    value = writer(schema, HEADER)({name: "x"})
    assert value == HEADER + b"\x02x"
    assert reader(schema, len(HEADER))(value) == {name: "x"}


def test_a_record_that_a_name_names_again_and_again_makes_one_function() -> None:
    inner: Any = {"type": "record", "name": "R0", "fields": [{"name": "x", "type": "int"}]}
    for level in range(1, 40):
        fields = [{"name": "a", "type": inner}, {"name": "b", "type": f"R{level - 1}"}]
        inner = {"type": "record", "name": f"R{level}", "fields": fields}
    writer(inner, HEADER)
    reader(inner, len(HEADER))
