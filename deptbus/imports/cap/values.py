"""Readers of single values of an alert: each takes the element's text and answers the value, or raises ``Wrong``.

Sources: CAP 1.2 (OASIS, 2010), sections 3.2 and 3.3; CAP 1.1 (2005), section 3.2, and their XML schemas.
"""

import re
from collections.abc import Callable, Iterator
from datetime import datetime

POINTS_MIN = 4
"""A polygon has at least three corners, and its first point again."""
_PAIRS_NAMED_MAX = 5
"""Wrong pairs of one polygon that are named; more are counted."""

_XML_SPACE = " \t\r\n"
_DATE = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}"
_TIME_12 = re.compile(_DATE + r"[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|" + _DATE + r"[+-]14:00")
_TIME_11 = re.compile(_DATE + r"(?:\.[0-9]+)?(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)")
_NUMBER = re.compile(r"[+-]?(?:[0-9]{1,20}(?:\.[0-9]*)?|\.[0-9]+)")
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_LANGUAGE = re.compile(r"[a-zA-Z]{1,8}(?:-[a-zA-Z0-9]{1,8})*")
_FORBIDDEN = re.compile(r"[\s,<&]")
_QUOTED = re.compile(r'\s*(?:"([^"]*)"|([^\s"]+))(?=\s|$)')

Reader = Callable[[str], object]
"""Text to value."""


class Wrong(Exception):
    """The text is no such value; the arguments say why, one sentence each, without the element's name."""

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why, one by one."""
        return tuple(str(reason) for reason in self.args)


def text(value: str) -> str:
    """Any text."""
    return value.strip(_XML_SPACE)


def something(value: str) -> str:
    """Any text that says something."""
    if not value.strip():
        raise Wrong("it is empty")
    return value.strip(_XML_SPACE)


def identifier(value: str) -> str:
    """An identifier or a sender: no spaces, commas, ``<`` or ``&``."""
    if not value.strip():
        raise Wrong("it is empty")
    if found := _FORBIDDEN.search(value):
        what = {",": "a comma", "<": "a <", "&": "an &"}.get(found[0], "a space or line break")
        raise Wrong(f"{_shown(value)} holds {what}; spaces, commas, < and & are not allowed in it")
    return value


def one_of(*allowed: str) -> Reader:
    """Exactly one of these words."""

    def read(value: str) -> str:
        if value in allowed:
            return value
        bare = value.strip()
        same = next((word for word in allowed if word.lower() == bare.lower()), None)
        if not bare:
            reason = "it is empty"
        elif bare == "Very Likely" and "Likely" in allowed:
            reason = "'Very Likely' is a word of CAP 1.0; since then it is written Likely"
        elif same is not None:
            reason = f"{_shown(value)} is not written as it has to be, {same}, without spaces around it"
        else:
            reason = f"{_shown(value)} is none of its words"
        raise Wrong(f"{reason}; allowed are {', '.join(allowed)}")

    return read


def time_12(value: str) -> str:
    """A time of CAP 1.2: ``YYYY-MM-DDThh:mm:ss±hh:mm``, never ``Z``."""
    bare = value.strip(_XML_SPACE)
    if bare.endswith(("Z", "z")):
        raise Wrong(f"{_shown(value)} ends in Z, which CAP 1.2 forbids; write the offset, -00:00 for UTC")
    if not _TIME_12.fullmatch(bare):
        raise Wrong(f"{_shown(value)} is no time such as 2020-01-24T09:00:00+08:00")
    return _real(bare)


def time_11(value: str) -> str:
    """A time of CAP 1.1: as XML schema has it (so ``Z`` and fractions may be), with an offset."""
    bare = value.strip(_XML_SPACE)
    if not _TIME_11.fullmatch(bare):
        raise Wrong(f"{_shown(value)} is no time with an offset such as 2020-01-24T09:00:00+08:00")
    return _real(bare)


def _real(value: str) -> str:
    try:
        datetime.fromisoformat(value)
    except ValueError as error:
        raise Wrong(f"{_shown(value)} is no time that there is: {error}") from None
    return value


def language(value: str) -> str:
    """An RFC 3066 tag; empty means ``en-US``, as in the standard's schema, where spaces alone are none."""
    if not value:
        return "en-US"
    bare = value.strip(_XML_SPACE)
    if not _LANGUAGE.fullmatch(bare):
        raise Wrong(f"{_shown(value)} is no language tag such as zh-CN")
    return bare


def words(value: str) -> tuple[str, ...]:
    """A list separated by spaces; a member with spaces in it stands in double quotes."""
    found, at, bare = [], 0, value.strip()
    while at < len(bare):
        match = _QUOTED.match(bare, at)
        if match is None:
            raise Wrong(f"{_shown(value)} is no list of words separated by spaces, those with spaces in double quotes")
        found.append(match[1] if match[1] is not None else match[2])
        at = match.end()
    return tuple(word for word in found if word)


def references(read_time: Reader) -> Reader:
    """``sender,identifier,sent`` separated by spaces, at least one."""

    def read(value: str) -> tuple[dict[str, str], ...]:
        parts = value.split()
        if not parts:
            raise Wrong("it is empty; name at least one earlier alert as sender,identifier,sent, or leave it out")
        wrong, found = [], []
        for part in parts:
            fields = part.split(",")
            if len(fields) != 3 or not fields[0] or not fields[1]:
                wrong.append(f"{_shown(part)} is not sender,identifier,sent")
                continue
            try:
                found.append({"sender": fields[0], "identifier": fields[1], "sent": str(read_time(fields[2]))})
            except Wrong as error:
                wrong += [f"in {_shown(part)} {reason}" for reason in error.reasons]
        if wrong:
            raise Wrong(*wrong)
        return tuple(found)

    return read


def polygon(value: str) -> tuple[dict[str, float], ...]:
    """Pairs ``lat,lon`` separated by spaces: at least four, the last the same as the first."""
    pairs = value.split()
    if not pairs:
        raise Wrong(f"it is empty; a polygon has at least {POINTS_MIN} points lat,lon")
    points, wrong = [], []
    for number, pair in enumerate(pairs, start=1):
        try:
            points.append(_point(pair))
        except Wrong as error:
            wrong += [f"point {number}: {reason}" for reason in error.reasons]
    if len(wrong) > _PAIRS_NAMED_MAX:
        wrong = [*wrong[:_PAIRS_NAMED_MAX], f"{len(wrong) - _PAIRS_NAMED_MAX} more of its points are wrong"]
    if len(pairs) < POINTS_MIN:
        wrong.append(f"it has {len(pairs)} points; at least {POINTS_MIN} are needed, the last the same as the first")
    elif len(points) == len(pairs) and points[0] != points[-1]:
        wrong.append(f"it is not closed: its first point is {pairs[0]}, its last {pairs[-1]}")
    if wrong:
        raise Wrong(*wrong)
    return tuple(points)


def circle(value: str) -> dict[str, object]:
    """``lat,lon radius``, the radius in kilometres."""
    parts = value.split()
    if len(parts) != 2:
        raise Wrong(f"{_shown(value)} is no circle such as 22.55,114.06 5.0 (lat,lon, then the radius in kilometres)")
    centre = _point(parts[0])
    if not _NUMBER.fullmatch(parts[1]) or float(parts[1]) < 0:
        raise Wrong(f"the radius {_shown(parts[1])} is no number of kilometres from 0 up")
    return {"centre": centre, "radius_km": float(parts[1])}


def _point(pair: str) -> dict[str, float]:
    numbers = pair.split(",")
    if len(numbers) != 2 or not all(_NUMBER.fullmatch(number) for number in numbers):
        raise Wrong(f"{_shown(pair)} is no pair lat,lon")
    latitude, longitude = (float(number) for number in numbers)
    wrong = list(_out_of_range(latitude, longitude))
    if wrong:
        raise Wrong(*wrong)
    return {"latitude": latitude, "longitude": longitude}


def _out_of_range(latitude: float, longitude: float) -> Iterator[str]:
    if not -90 <= latitude <= 90:
        yield f"the latitude {latitude:g} is not from -90 to 90"
    if not -180 <= longitude <= 180:
        yield f"the longitude {longitude:g} is not from -180 to 180"


def decimal(value: str) -> float:
    """A decimal number."""
    bare = value.strip(_XML_SPACE)
    if not _NUMBER.fullmatch(bare):
        raise Wrong(f"{_shown(value)} is no number")
    return float(bare)


def size(value: str) -> int:
    """A number of bytes."""
    bare = value.strip(_XML_SPACE)
    if not _INTEGER.fullmatch(bare) or int(bare) < 0:
        raise Wrong(f"{_shown(value)} is no number of bytes")
    return int(bare)


def _shown(value: str) -> str:
    shown = value if len(value) <= 60 else f"{value[:57]}…"
    return repr(shown)
