"""Which events are meant: by what their headers say, and by simple comparisons of their fields. Pure.

Headers are looked at first, so that values are decoded only of events that may be meant, and only where a field is
asked for. Nothing that a person writes is evaluated.
"""

import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from deptbus.clock import from_iso, iso
from deptbus.envelope import Envelope
from deptbus.errors import SettingsError
from deptbus.workflow.regions import contains

_COMPARISON = re.compile(
    r"([A-Za-z_][A-Za-z0-9_]*(?:\.[A-Za-z_][A-Za-z0-9_]*)*)\s*(>=|<=|!=|=|>|<|~)\s*(.*)", re.DOTALL
)
_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    ">=": operator.ge, "<=": operator.le, ">": operator.gt, "<": operator.lt,
}  # fmt: skip

WHERE_HELP = "FIELD=VALUE, also != < <= > >= and ~ (contains): count>=5"


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field, by its path, and what its value is held against."""

    path: tuple[str, ...]
    sign: str
    text: str

    def holds(self, data: Any) -> bool:
        """Whether it holds; a field that is not there equals nothing. Numbers and times are compared as such."""
        value = data
        for name in self.path:
            value = value.get(name) if isinstance(value, Mapping) else None
        if self.sign == "~":
            return value is not None and self.text in str(value)
        wanted = _like(value, self.text)
        if self.sign == "=":
            return bool(value == wanted)
        if self.sign == "!=":
            return bool(value != wanted)
        return value is not None and type(value) is type(wanted) and _ORDER[self.sign](value, wanted)


@dataclass(frozen=True, slots=True)
class Filter:
    """What must hold of an event; what is empty says nothing."""

    types: frozenset[str] = frozenset()
    departments: frozenset[str] = frozenset()
    instances: frozenset[str] = frozenset()
    """``<workflow>/<key>/<n>``, or without the number for all of the key."""
    regions: tuple[str, ...] = ()
    """An event in one of these, or in a region within."""
    since_ms: int | None = None
    """By ``ce_time``: what happened then or later."""
    until_ms: int | None = None
    """By ``ce_time``: what happened before."""
    where: tuple[Comparison, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether every event is meant."""
        return self == Filter()

    def envelope(self, envelope: Envelope) -> bool:
        """Whether the headers are those of an event that may be meant."""
        if self.types and envelope.type not in self.types:
            return False
        if self.departments and envelope.department not in self.departments:
            return False
        if self.instances and not self._of_instance(envelope.correlationid):
            return False
        if self.regions and not any(contains(region, envelope.region or "") for region in self.regions):
            return False
        if self.since_ms is not None and envelope.time_ms < self.since_ms:
            return False
        return self.until_ms is None or envelope.time_ms < self.until_ms

    def data(self, data: Mapping[str, Any]) -> bool:
        """Whether its fields are as wanted; asked after ``envelope``."""
        return all(comparison.holds(data) for comparison in self.where)

    def _of_instance(self, named: str | None) -> bool:
        return named is not None and (named in self.instances or named.rpartition("/")[0] in self.instances)


def read_filter(
    *,
    types: Iterable[str] = (),
    departments: Iterable[str] = (),
    instances: Iterable[str] = (),
    regions: Iterable[str] = (),
    since: str | None = None,
    until: str | None = None,
    where: Iterable[str] = (),
) -> Filter:
    """The filter of what a person wrote; ``SettingsError`` names the option that is wrong."""
    since_ms, until_ms = _time(since, "--since"), _time(until, "--until")
    if since_ms is not None and until_ms is not None and until_ms < since_ms:
        raise SettingsError(f"--until {iso(until_ms)} lies before --since {iso(since_ms)}; exchange them.")
    return Filter(
        frozenset(types), frozenset(departments), frozenset(instances), tuple(regions), since_ms, until_ms,
        tuple(read_comparison(text) for text in where),
    )  # fmt: skip


def read_comparison(text: str) -> Comparison:
    """``count>=5``; ``SettingsError`` for anything else."""
    found = _COMPARISON.fullmatch(text.strip())
    if found is None:
        raise SettingsError(f"--where is {WHERE_HELP}, not {text}.")
    return Comparison(tuple(found[1].split(".")), found[2], found[3].strip())


def _time(text: str | None, option: str) -> int | None:
    if text is None:
        return None
    try:
        return from_iso(text)
    except ValueError:
        raise SettingsError(f"{option} is a time with a zone (2020-01-24T08:00+08:00), not {text}.") from None


def _like(value: Any, text: str) -> Any:
    """A text as what a value is: a number, yes or no, a time in milliseconds; else the text itself."""
    if value is None or isinstance(value, str):
        return None if value is None and text == "null" else text
    if isinstance(value, bool):
        return {"true": True, "false": False}.get(text, text)
    for read in (int, float, from_iso):
        try:
            return type(value)(read(text)) if isinstance(value, (int, float)) else text
        except ValueError:
            continue
    return text
