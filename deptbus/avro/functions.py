"""How functions are made of schemas: as source text, as the standard library makes dataclasses.

Nothing of a schema becomes text of the program but names of fields, and these as literals.
"""

from collections.abc import Callable
from typing import Any, NoReturn

_NESTED = frozenset({"record", "array", "map", "enum", "fixed"})


class Unusual(Exception):
    """Data, bytes or a schema that a made function does not take. They may be right all the same."""


def unusual() -> NoReturn:
    """Raise ``Unusual``, from within an expression."""
    raise Unusual


class Functions:
    """Functions under construction, one for each part of a schema that has one, and what they use by name."""

    def __init__(self, **used: Any) -> None:
        self._namespace: dict[str, Any] = {"Unusual": Unusual, "unusual": unusual, **used}
        self._source: list[str] = []
        self._made: dict[Any, str] = {}

    def constant(self, value: Any) -> str:
        """The name by which the functions can use a value."""
        name = f"k{len(self._namespace)}"
        self._namespace[name] = value
        return name

    def define(self, key: Any, parameters: str, body: Callable[[], list[str]]) -> str:
        """The name of the function with this key; its lines are asked for once."""
        if key not in self._made:
            lines = "\n".join(indented(body()))
            self._made[key] = f"f{len(self._made)}"
            self._source.append(f"def {self._made[key]}({parameters}):\n{lines}\n")
        return self._made[key]

    def compiled(self, name: str) -> Callable[..., Any]:
        """What answers one of them, each time another one; ``used`` is what these use by name besides."""
        code = compile("\n".join(self._source), "<schema>", "exec")

        def made(**used: Any) -> Any:
            namespace = self._namespace | used
            exec(code, namespace)
            return namespace[name]

        return made


class Schemas:
    """The parts of one schema, seen in the order in which they stand, so that what a name names is known."""

    def __init__(self) -> None:
        self._named: dict[str, Any] = {}

    def kind(self, schema: Any) -> tuple[str, Any]:
        """What a part is (``union``, ``record``, ``string`` …), and the part itself where it is a name's.

        ``Unusual`` for a logical type, whose values are no plain ones.
        """
        if isinstance(schema, list):
            return "union", schema
        if isinstance(schema, str):
            return self.kind(self._named[schema]) if schema in self._named else (schema, schema)
        if "logicalType" in schema:
            raise Unusual
        if not isinstance(schema["type"], str) or schema["type"] not in _NESTED:
            return self.kind(schema["type"])
        if "name" in schema:
            self._named[schema["name"]] = schema
        return schema["type"], schema


def indented(lines: list[str]) -> list[str]:
    """The lines of a block within a block."""
    return [f"    {line}" for line in lines]
