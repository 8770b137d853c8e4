"""GB/T 2260 region codes: one contains those that share its significant digits. Pure."""


def significant(region: str) -> str:
    """The digits that say something: ``440100`` is the city 4401, ``440000`` the province 44."""
    for digits in (2, 4):
        if len(region) == 6 and not region[digits:].strip("0"):
            return region[:digits]
    return region


def contains(region: str, other: str) -> bool:
    """Whether the other region lies in the first, or is the same."""
    return other.startswith(significant(region))


def overlap(region: str, other: str) -> bool:
    """Whether one of two regions contains the other."""
    return contains(region, other) or contains(other, region)
