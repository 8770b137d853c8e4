"""Who is looking, and what they are sent: each change is encoded once and shared by all pages that may see it.

Everybody has a bounded queue. Who does not keep up is let go, and comes back with the number of the last change that
was seen: what is still at hand is sent from there on, else everything is to be fetched again. So nothing is missed.
Used from the loop's thread alone.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Iterable
from itertools import count, islice
from typing import Any, NamedTuple, Protocol

import orjson

QUEUE_MAX = 256
"""Changes that wait for one page at most."""
RING_MAX = 20_000
RING_BYTES_MAX = 32 * 1024 * 1024
"""What is kept for those who come back, at most."""


class Sees(Protocol):
    """Somebody who may see some instances."""

    def sees(self, departments: frozenset[str]) -> bool:
        """Whether an instance of these departments may be shown."""


class Frame(NamedTuple):
    """A change, as it is sent."""

    number: int
    departments: frozenset[str] | None
    """Those it concerns; None: everybody."""
    data: bytes


class HubFull(Exception):
    """As many pages are open as may be."""


class Client:
    """One page. ``take`` waits for what is new."""

    __slots__ = ("_hub", "_queue", "_waiter", "gone", "person", "stop")

    def __init__(self, hub: "Hub", person: Sees) -> None:
        self._hub = hub
        self._queue: deque[bytes] = deque()
        self._waiter: asyncio.Future[None] | None = None
        self.person = person
        self.gone = False
        """Whether it was let go: it did not keep up, or the server ends."""
        self.stop: Callable[[], object] = lambda: None
        """Ends whatever is being sent to it."""

    async def take(self) -> bytes:
        """All that is waiting, joined, as soon as there is something. Nothing more comes once ``gone``."""
        if not self._queue and not self.gone:
            waiter = self._waiter = asyncio.get_running_loop().create_future()
            try:
                await waiter
            finally:
                self._waiter = None
        sent = b"".join(self._queue)
        self._queue.clear()
        return sent

    def put(self, data: bytes) -> None:
        """Have it sent; whoever has too much waiting is let go."""
        if len(self._queue) >= QUEUE_MAX:
            self._hub.evict(self)
            return
        self._queue.append(data)
        if self._waiter is not None:
            _settle(self._waiter)

    def end(self) -> None:
        """Nothing more comes."""
        self.gone = True
        self._queue.clear()
        if self._waiter is not None:
            _settle(self._waiter)
        self.stop()


class Hub:
    """See the module."""

    def __init__(self, clients_max: int, epoch: str | None = None) -> None:
        self.epoch = epoch or secrets.token_hex(4)
        """Tells the numbers of this server from those of another."""
        self._clients_max = clients_max
        self._clients: set[Client] = set()
        self._ring: deque[Frame] = deque()
        self._ring_bytes = 0
        self._numbers = count(1)
        self._last = 0
        self.evicted = 0

    def __len__(self) -> int:
        return len(self._clients)

    @property
    def position(self) -> str:
        """Where the stream is: what is fetched now holds everything up to there."""
        return f"{self.epoch}.{self._last}"

    def join(self, person: Sees, after: str | None) -> Client:
        """A page begins to follow after a position; what it has missed waits for it. ``HubFull``."""
        if len(self._clients) >= self._clients_max:
            raise HubFull
        client = Client(self, person)
        self._clients.add(client)
        missed = self._missed(after)
        if missed is None:
            client.put(frame_bytes("reset", {}, self.position))
        else:
            waiting = b"".join(frame.data for frame in missed if _may_see(person, frame.departments))
            if waiting:
                client.put(waiting)
        return client

    def leave(self, client: Client) -> None:
        """The page is closed."""
        self._clients.discard(client)

    def evict(self, client: Client) -> None:
        """It does not keep up: let it go, so that it comes back when it can."""
        self.evicted += 1
        self.leave(client)
        client.end()

    def publish(self, changes: Iterable[tuple[str, frozenset[str] | None, Any]]) -> None:
        """Send changes (kind, departments, data) to everybody who may see them."""
        for kind, departments, data in changes:
            number = self._last = next(self._numbers)
            frame = Frame(number, departments, frame_bytes(kind, data, f"{self.epoch}.{number}"))
            self._ring.append(frame)
            self._ring_bytes += len(frame.data)
            while len(self._ring) > RING_MAX or self._ring_bytes > RING_BYTES_MAX:
                self._ring_bytes -= len(self._ring.popleft().data)
            for client in tuple(self._clients):
                if departments is None or client.person.sees(departments):
                    client.put(frame.data)

    def tell(self, kind: str, data: Any) -> None:
        """Send something to everybody that nobody needs who was not there: it is not kept."""
        sent = frame_bytes(kind, data, self.position)
        for client in tuple(self._clients):
            client.put(sent)

    def reset(self) -> None:
        """Everything is new: everybody fetches it again."""
        self.epoch = secrets.token_hex(4)
        self._ring.clear()
        self._ring_bytes = 0
        self.tell("reset", {})

    def close(self) -> None:
        """Let everybody go."""
        for client in tuple(self._clients):
            self.leave(client)
            client.end()

    def _missed(self, after: str | None) -> list[Frame] | None:
        """What came after a position; None where that is not known any more."""
        if after is None:
            return []
        epoch, _, text = after.partition(".")
        if epoch != self.epoch or not text.isdigit() or int(text) > self._last:
            return None
        missed = self._last - int(text)
        if missed > len(self._ring):
            return None
        return list(islice(self._ring, len(self._ring) - missed, None))


def frame_bytes(kind: str, data: Any, name: str) -> bytes:
    """A server-sent event. JSON has no line breaks of its own, so one ``data`` line is enough."""
    return b"id: %s\nevent: %s\ndata: %s\n\n" % (name.encode(), kind.encode(), orjson.dumps(data))


def _may_see(person: Sees, departments: frozenset[str] | None) -> bool:
    return departments is None or person.sees(departments)


def _settle(waiter: "asyncio.Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)
