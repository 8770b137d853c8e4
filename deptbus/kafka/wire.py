"""Kafka's protocol, as far as librdkafka does not speak it: the quorum, log directories, features, leaving. Pure.

Requests as bytes, answers as values; who sends them is elsewhere. Every version is fixed, and asked for only where the
broker names it among those that it takes.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeVar

from deptbus.errors import ClusterUnreachable

T = TypeVar("T")


class Api(NamedTuple):
    """One kind of request in one version."""

    key: int
    version: int
    flexible: bool
    """Whether lengths are varints, and fields may be tagged."""


COORDINATOR = Api(10, 3, flexible=True)
LEAVE = Api(13, 4, flexible=True)
HANDSHAKE = Api(17, 1, flexible=False)
API_VERSIONS = Api(18, 3, flexible=True)
LOG_DIRS = Api(35, 4, flexible=True)
AUTHENTICATE = Api(36, 1, flexible=False)
QUORUM = Api(55, 1, flexible=True)

CLIENT = "deptbus"
_METADATA_TOPIC = "__cluster_metadata"
_OF_GROUPS = b"\x00"
_STORAGE_ERROR = 56
_UNKNOWN_MEMBER = 25


@dataclass(frozen=True, slots=True)
class Features:
    """What a broker can do: for each request its highest version, and the features that the cluster runs with."""

    requests: dict[int, int]
    levels: dict[str, int]

    def takes(self, api: Api) -> bool:
        """Whether the broker takes such a request."""
        return self.requests.get(api.key, -1) >= api.version


@dataclass(frozen=True, slots=True)
class Voter:
    """One controller of the quorum, as its leader sees it."""

    id: int
    end: int
    """The end of its metadata log."""
    caught_up_ms: int
    """When it last had all of the leader's; -1 if that is not known."""


@dataclass(frozen=True, slots=True)
class Quorum:
    """Who leads the metadata of the cluster, and how far the voters are."""

    leader: int
    epoch: int
    voters: tuple[Voter, ...]
    observers: tuple[Voter, ...]


@dataclass(frozen=True, slots=True)
class LogDir:
    """A directory in which a broker keeps partitions."""

    path: str
    offline: bool
    used_bytes: int
    """What partitions take."""
    total_bytes: int
    """The size of the volume; -1 where the broker does not tell."""
    free_bytes: int


def request(api: Api, number: int, body: bytes) -> bytes:
    """A request with its length before it."""
    head = _int(api.key, 2) + _int(api.version, 2) + _int(number, 4) + text(CLIENT)
    message = head + (b"\x00" if api.flexible else b"") + body
    return _int(len(message), 4) + message


def features_request() -> bytes:
    """The body that asks for features."""
    return _compact(CLIENT) + _compact("1") + b"\x00"


def quorum_request() -> bytes:
    """The body that asks for the quorum."""
    return _uvarint(2) + _compact(_METADATA_TOPIC) + _uvarint(2) + _int(0, 4) + b"\x00" + b"\x00" + b"\x00"


def log_dirs_request() -> bytes:
    """The body that asks for every partition of every directory."""
    return _uvarint(0) + b"\x00"


def coordinator_request(group: str) -> bytes:
    """The body that asks which broker keeps a group."""
    return _compact(group) + _OF_GROUPS + b"\x00"


def leave_request(group: str, instance: str) -> bytes:
    """The body by which the static member of a name leaves its group."""
    member = _compact("") + _compact(instance) + b"\x00"
    return _compact(group) + _uvarint(2) + member + b"\x00"


def text(value: str) -> bytes:
    """A string of the protocol's first kind."""
    encoded = value.encode()
    return _int(len(encoded), 2) + encoded


def data(value: bytes) -> bytes:
    """Bytes of the protocol's first kind."""
    return _int(len(value), 4) + value


class Answer:
    """Reads an answer, field after field; ``ClusterUnreachable`` where it is not as the protocol says."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self._at = 0

    def number(self, size: int) -> int:
        """An integer of so many bytes."""
        return int.from_bytes(self.take(size), "big", signed=True)

    def take(self, size: int) -> bytes:
        """The next bytes."""
        end = self._at + size
        if size < 0 or end > len(self._content):
            raise ClusterUnreachable("The broker's answer is shorter than the protocol says; see its version.")
        found = self._content[self._at : end]
        self._at = end
        return found

    def uvarint(self) -> int:
        """An unsigned varint."""
        value = shift = 0
        while shift < 35:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if not byte & 0x80:
                return value
            shift += 7
        raise ClusterUnreachable("The broker's answer holds a number without an end; see its version.")

    def text(self) -> str:
        """A string of the first kind; empty for none."""
        return self.take(max(0, self.number(2))).decode("utf-8", "replace")

    def compact(self) -> str:
        """A string of the second kind; empty for none."""
        return self.take(max(0, self.uvarint() - 1)).decode("utf-8", "replace")

    def array(self, read: Callable[["Answer"], T]) -> list[T]:
        """An array of the second kind."""
        return [read(self) for _ in range(max(0, self.uvarint() - 1))]

    def tags(self) -> dict[int, bytes]:
        """Tagged fields, undecoded."""
        return {self.uvarint(): self.take(self.uvarint()) for _ in range(self.uvarint())}


def read_features(answer: Answer) -> Features:
    """The answer to ``API_VERSIONS``."""
    _refuse(answer.number(2), "say what it can do")

    def api(one: Answer) -> tuple[int, int]:
        key, _, highest = one.number(2), one.number(2), one.number(2)
        one.tags()
        return key, highest

    def feature(one: Answer) -> tuple[str, int]:
        name, highest = one.compact(), one.number(2)
        one.number(2)
        one.tags()
        return name, highest

    requests = dict(answer.array(api))
    answer.number(4)
    tagged = answer.tags()
    return Features(requests, dict(Answer(tagged[2]).array(feature)) if 2 in tagged else {})


def read_quorum(answer: Answer) -> Quorum:
    """The answer to ``QUORUM``."""
    _refuse(answer.number(2), "describe the quorum")

    def voter(one: Answer) -> Voter:
        found = Voter(one.number(4), one.number(8), (one.number(8), one.number(8))[1])
        one.tags()
        return found

    def partition(one: Answer) -> Quorum:
        one.number(4)
        _refuse(one.number(2), "describe the quorum")
        leader, epoch = one.number(4), one.number(4)
        one.number(8)
        found = Quorum(leader, epoch, tuple(one.array(voter)), tuple(one.array(voter)))
        one.tags()
        return found

    def topic(one: Answer) -> list[Quorum]:
        one.compact()
        found = one.array(partition)
        one.tags()
        return found

    found = [quorum for topics in answer.array(topic) for quorum in topics]
    if not found:
        raise ClusterUnreachable("The broker knows of no quorum: the cluster does not run in KRaft mode.")
    return found[0]


def read_log_dirs(answer: Answer) -> list[LogDir]:
    """The answer to ``LOG_DIRS``."""
    answer.number(4)
    _refuse(answer.number(2), "describe its log directories")

    def partition(one: Answer) -> int:
        one.number(4)
        size = one.number(8)
        one.number(8)
        one.number(1)
        one.tags()
        return size

    def topic(one: Answer) -> int:
        one.compact()
        size = sum(one.array(partition))
        one.tags()
        return size

    def directory(one: Answer) -> LogDir:
        error, path, used = one.number(2), one.compact(), sum(one.array(topic))
        total, free = one.number(8), one.number(8)
        one.tags()
        return LogDir(path, error == _STORAGE_ERROR, used, total, free)

    return answer.array(directory)


def read_coordinator(answer: Answer) -> tuple[str, int]:
    """The answer to ``COORDINATOR``: host and port."""
    answer.number(4)
    _refuse(answer.number(2), "say who keeps the group")
    answer.compact()
    answer.number(4)
    return answer.compact(), answer.number(4)


def read_left(answer: Answer) -> None:
    """The answer to ``LEAVE``."""
    answer.number(4)
    _refuse(answer.number(2), "let the group be left")

    def member(one: Answer) -> int:
        one.compact()
        one.compact()
        code = one.number(2)
        one.tags()
        return code

    for code in answer.array(member):
        if code != _UNKNOWN_MEMBER:  # else it had left already
            _refuse(code, "let the group be left")


def _refuse(code: int, act: str) -> None:
    if code:
        raise ClusterUnreachable(f"The broker refuses to {act} (Kafka's error {code}); see whether this user may ask.")


def _int(value: int, size: int) -> bytes:
    return value.to_bytes(size, "big", signed=True)


def _uvarint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def _compact(value: str) -> bytes:
    encoded = value.encode()
    return _uvarint(len(encoded) + 1) + encoded
