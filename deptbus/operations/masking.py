"""Hides personal data: the fields that a schema marks ``"personal": true``, wherever they lie in it. Pure.

A ``Masker`` is made once of every schema of an event type; a field that one of them marks is hidden in all.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

HIDDEN = "***"
"""What stands where personal data were; what was null stays null."""

Schema = Any
"""A self-contained Avro schema, as a ``SchemaFile`` or a ``RegisteredSchema`` holds it."""


@dataclass(slots=True)
class _Mask:
    """What to hide of a value: the whole, or some of what lies in it."""

    whole: bool = False
    fields: dict[str, "_Mask"] = field(default_factory=dict)
    """Of a record."""
    each: "_Mask | None" = None
    """Of an array or a map."""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to hide."""
        return not self.whole and not self.fields and self.each is None

    def add(self, other: "_Mask") -> None:
        """Hide what another hides as well."""
        self.whole |= other.whole
        for name, mask in other.fields.items():
            self.fields.setdefault(name, _Mask()).add(mask)
        if other.each is not None:
            self.each = self.each or _Mask()
            self.each.add(other.each)


class Masker:
    """Hides personal data in the data of one event type. ``schemas``: every version that the data may come from."""

    def __init__(self, schemas: Iterable[Schema]) -> None:
        self._mask = _Mask()
        for schema in schemas:
            self._mask.add(_mask_of(schema, {}, ()))

    @property
    def empty(self) -> bool:
        """Whether there is nothing personal in it."""
        return self._mask.empty

    def __call__(self, data: Any) -> Any:
        """The data with personal values replaced by ``HIDDEN``; the same object where there are none."""
        return data if self._mask.empty else _hide(self._mask, data)

    def hides(self, path: Sequence[str]) -> bool:
        """Whether the field of a path is personal, or lies in one that is; arrays and maps are looked through."""
        mask: _Mask | None = self._mask
        for name in path:
            while mask is not None and mask.each is not None and name not in mask.fields:
                mask = mask.each
            mask = mask.fields.get(name) if mask is not None else None
            if mask is None:
                return False
            if mask.whole:
                return True
        return False


def _mask_of(schema: Schema, named: dict[str, Schema], path: tuple[str, ...]) -> _Mask:
    mask = _Mask()
    if isinstance(schema, list):
        for branch in schema:
            mask.add(_mask_of(branch, named, path))
        return mask
    if isinstance(schema, str):
        if schema in path:  # it contains itself: how deep its personal data lie has no bound
            return _Mask(whole=True)
        return _mask_of(named[schema], named, path) if schema in named else mask
    kind = schema["type"]
    if kind in {"record", "error"}:
        name, namespace = schema["name"], schema.get("namespace", "")
        full_name = name if "." in name or not namespace else f"{namespace}.{name}"
        named[full_name] = schema
        for part in schema["fields"]:
            below = _mask_of(part["type"], named, (*path, full_name))
            if part.get("personal") is True:
                below = _Mask(whole=True)
            if not below.empty:
                mask.fields[part["name"]] = below
    elif kind in {"array", "map"}:
        each = _mask_of(schema["items" if kind == "array" else "values"], named, path)
        mask.each = None if each.empty else each
    elif isinstance(kind, (dict, list)):
        return _mask_of(kind, named, path)
    return mask


def _hide(mask: _Mask, value: Any) -> Any:
    if value is None:
        return None
    if mask.whole:
        return HIDDEN
    if isinstance(value, Mapping):
        return {
            name: part if (below := mask.fields.get(name, mask.each)) is None else _hide(below, part)
            for name, part in value.items()
        }
    if isinstance(value, list) and mask.each is not None:
        return [_hide(mask.each, part) for part in value]
    return value
