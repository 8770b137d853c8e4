"""Values and schemas drawn by hypothesis: data that fit a schema, and versions that follow from one another."""

from typing import Any

from hypothesis import strategies as st

TEXT = st.text(alphabet='aZ0 .疫\n"', max_size=8)


def values(schema: Any, names: dict[str, Any] | None = None) -> st.SearchStrategy[Any]:
    """Data of a self-contained schema, as the codec takes them."""
    names = {} if names is None else names
    if isinstance(schema, list):
        return st.one_of([values(branch, names) for branch in schema])
    if isinstance(schema, str):
        return _PLAIN[schema] if schema in _PLAIN else values(names[schema], names)
    kind = schema["type"]
    if kind in {"record", "enum", "fixed"}:
        names[f"{schema['namespace']}.{schema['name']}"] = schema
    if kind == "record":
        return st.fixed_dictionaries({field["name"]: values(field["type"], names) for field in schema["fields"]})
    if kind == "enum":
        return st.sampled_from(schema["symbols"])
    if kind == "array":
        return st.lists(values(schema["items"], names), max_size=3)
    if kind == "map":
        return st.dictionaries(TEXT, values(schema["values"], names), max_size=3)
    if schema.get("logicalType", "").startswith("timestamp"):
        return st.integers(0, 4_000_000_000_000)
    return values(kind, names)


_PLAIN: dict[str, st.SearchStrategy[Any]] = {
    "null": st.none(),
    "boolean": st.booleans(),
    "int": st.integers(-(2**31), 2**31 - 1),
    "long": st.integers(-(2**53), 2**53),
    "float": st.floats(width=32, allow_nan=False, allow_infinity=False),
    "double": st.floats(allow_nan=False, allow_infinity=False),
    "bytes": st.binary(max_size=8),
    "string": TEXT,
}

_SYMBOLS = ["A", "B", "C", "D"]


@st.composite
def _enums(draw: st.DrawFn) -> dict[str, Any]:
    symbols = draw(st.lists(st.sampled_from(_SYMBOLS), min_size=1, unique=True))
    schema = {"type": "enum", "name": "Kind", "namespace": "health", "doc": "It.", "symbols": symbols}
    return schema | ({"default": symbols[0]} if draw(st.booleans()) else {})


_TYPES = st.one_of(
    st.sampled_from(["int", "long", "float", "double", "string", "bytes", "boolean"]),
    st.sampled_from([["null", "string"], ["null", "int"], ["null", "int", "string"], ["null", "double"]]),
    st.builds(lambda items: {"type": "array", "items": items}, st.sampled_from(["int", "long", "string"])),
    st.builds(lambda part: {"type": "map", "values": part}, st.sampled_from(["int", "string"])),
    st.just({"type": "long", "logicalType": "timestamp-millis"}),
)
_DEFAULTS: dict[str, Any] = {
    "int": 0,
    "long": 0,
    "float": 0.0,
    "double": 0.0,
    "string": "",
    "bytes": "",
    "boolean": False,
    "array": [],
    "map": {},
}


@st.composite
def _fields(draw: st.DrawFn, name: str) -> dict[str, Any]:
    kind = draw(_enums()) if name == "kind" else draw(_TYPES)
    field = {"name": name, "type": kind, "doc": "It."}
    if draw(st.booleans()):
        first = kind[0] if isinstance(kind, list) else kind
        label = first if isinstance(first, str) else first["type"]
        field["default"] = first["symbols"][0] if label == "enum" else _DEFAULTS.get(label)
    return field


@st.composite
def schemas(draw: st.DrawFn) -> dict[str, Any]:
    """A record; two drawn alike have much in common, as versions have."""
    names = draw(st.lists(st.sampled_from(["kind", "one", "two", "three"]), unique=True))
    return {
        "type": "record",
        "name": "Happened",
        "namespace": "health",
        "doc": "It.",
        "fields": [draw(_fields(name)) for name in names],
    }
