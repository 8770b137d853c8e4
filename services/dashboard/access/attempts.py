"""How often a sign-on may be tried: buckets that fill up again, for a name from an address, an address, and a name.

A name alone is limited loosely: whoever fails on purpose from elsewhere must not lock a commander out.
"""

import ipaddress
import math
from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass

from deptbus.clock import Clock, system_clock

KEPT_MAX = 10_000
"""So many names and addresses are remembered of each kind; those that were not seen for longest are forgotten."""


@dataclass(frozen=True, slots=True)
class Limit:
    """So many attempts at once, and then one in ``each_ms``."""

    burst: int
    each_ms: int


PAIR = Limit(5, 60_000)
ADDRESS = Limit(30, 10_000)
NAME = Limit(100, 6_000)


class Attempts:
    """Counts attempts before they are judged, so that many at once count too; a success counts as none."""

    def __init__(
        self, clock: Clock = system_clock, pair: Limit = PAIR, address: Limit = ADDRESS, name: Limit = NAME
    ) -> None:
        self._clock = clock
        self._pairs = _Buckets(pair)
        self._addresses = _Buckets(address)
        self._names = _Buckets(name)

    def take(self, name: str, address: str) -> int:
        """0 where an attempt may be made, which counts; else after how many milliseconds one may."""
        now = self._clock()
        network = network_of(address)
        wanted = [(self._pairs, (name, network)), (self._addresses, network), (self._names, name)]
        wait = max(buckets.wait_ms(key, now) for buckets, key in wanted)
        if wait == 0:
            for buckets, key in wanted:
                buckets.take(key, now)
        return wait

    def succeeded(self, name: str, address: str) -> None:
        """The attempt that was counted last was a success."""
        network = network_of(address)
        self._pairs.forget((name, network))
        self._addresses.give_back(network)
        self._names.give_back(name)

    def kept(self) -> int:
        """How many names and addresses are remembered; never more than three times ``KEPT_MAX``."""
        return len(self._pairs) + len(self._addresses) + len(self._names)


def network_of(address: str) -> str:
    """What counts as one address: of IPv6 the /64 that one subscriber has."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.IPv6Network((int(ip), 64), strict=False))
    return str(ip)


class _Buckets:
    """One bucket for each key, as the level of what was taken, which falls with time."""

    def __init__(self, limit: Limit) -> None:
        self._limit = limit
        self._taken: OrderedDict[Hashable, tuple[float, int]] = OrderedDict()

    def wait_ms(self, key: Hashable, now: int) -> int:
        over = self._level(key, now) + 1 - self._limit.burst
        return max(0, math.ceil(over * self._limit.each_ms))

    def take(self, key: Hashable, now: int) -> None:
        self._taken[key] = self._level(key, now) + 1, now
        self._taken.move_to_end(key)
        while len(self._taken) > KEPT_MAX:
            self._taken.popitem(last=False)

    def give_back(self, key: Hashable) -> None:
        if key in self._taken:
            level, at = self._taken[key]
            self._taken[key] = max(0.0, level - 1), at

    def forget(self, key: Hashable) -> None:
        self._taken.pop(key, None)

    def _level(self, key: Hashable, now: int) -> float:
        level, at = self._taken.get(key, (0.0, now))
        return max(0.0, level - max(0, now - at) / self._limit.each_ms)

    def __len__(self) -> int:
        return len(self._taken)
