"""Regions of China (GB/T 2260) in alerts: which codes are some, and the smallest that contains several."""

import re
from collections.abc import Iterable

from stdnum import numdb

_CODE = re.compile(r"[1-9][0-9]{5}(?:[0-9]{3}){0,2}")
_LIST = re.compile(r"GB/?T?[-_ ]?2260|行政区划", re.IGNORECASE)
_YEARS = re.compile(r"\[[0-9]*-[0-9]*\]")


def is_region_list(name: str) -> bool:
    """Whether a geocode's valueName means GB/T 2260."""
    return _LIST.search(name) is not None


def read_region(code: str) -> str | None:
    """The region of a code of 6, 9 (street) or 12 digits (community, which counts as its street); None for no code."""
    if not _CODE.fullmatch(code) or not is_region(code[:6]):
        return None
    return code if len(code) == 6 else code[:9]


def is_region(code: str) -> bool:
    """Whether six digits begin with a province's; counties come and go, so the rest is not looked up."""
    return bool(_CODE.fullmatch(code)) and bool(_table().info(code)[0][1])


def name_of(code: str) -> str:
    """The region's newest name in Chinese; the code itself where the table has none."""
    found = next((part["county"] for _, part in _table().info(code[:6]) if "county" in part), None)
    if len(code) != 6 or found is None:
        return code
    return _YEARS.sub("", str(found).rsplit(",", 1)[-1])


def smallest(codes: Iterable[str]) -> str | None:
    """The smallest region that contains all of some; None for none, or for those of several provinces."""
    found = list(codes)
    if not found:
        return None
    if len(set(found)) == 1:
        return found[0]
    for digits in (6, 4, 2):
        if len({code[:digits] for code in found}) == 1:
            return found[0][:digits].ljust(6, "0")
    return None


def _table() -> numdb.NumDB:
    return numdb.get("cn/loc")
