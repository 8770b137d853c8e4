"""The chain of ``bus.audit``: every record names its number and the SHA-256 of the record before. Pure.

Hashed are key, value and the headers that a reader goes by. Where a record stands and when the broker took it are not:
a log that was restored elsewhere is the same chain.
"""

import hashlib
import re
from collections.abc import Iterable
from typing import NamedTuple, Protocol

from deptbus.envelope import Headers
from deptbus.errors import SettingsError
from deptbus.workflow.said import Said

FINDINGS_MAX = 100
"""So many findings are told in words; all are counted."""
_HEAD = re.compile(r"([1-9][0-9]{0,17}):([0-9a-f]{64})")


class Head(NamedTuple):
    """The last record of a chain so far: its number and its hash. Whoever keeps it elsewhere can tell a later cut."""

    number: int
    hash: str

    def __str__(self) -> str:
        return f"{self.number}:{self.hash}"


EMPTY = Head(0, "0" * 64)
"""The head of a chain without records."""


def read_head(text: str) -> Head:
    """The head that ``str`` wrote; ``SettingsError``."""
    found = _HEAD.fullmatch(text.strip())
    if found is None:
        raise SettingsError(
            f"--head is NUMBER:HASH with 64 hexadecimal digits, as `audit verify` tells it, not {text}."
        )
    return Head(int(found[1]), found[2])


def hash_of(key: bytes | None, value: bytes | None, headers: Headers) -> str:
    """SHA-256 of a record. Each part goes in with its length, so that no byte can pass from one to the next."""
    digest = hashlib.sha256()

    def add(part: bytes | None) -> None:
        digest.update((-1 if part is None else len(part)).to_bytes(8, "big", signed=True))
        digest.update(part or b"")

    add(key)
    add(value)
    for name, content in headers:
        if name.startswith("ce_") or name == "content-type":
            add(name.encode())
            add(content)
    return digest.hexdigest()


class Link(Protocol):
    """What a chain is made of: a record that names the one before."""

    @property
    def head(self) -> Head:
        """Its number and hash: the chain's head while it is the last."""

    @property
    def previous(self) -> str:
        """The hash of the record before, by its own account."""

    @property
    def offset(self) -> int:
        """Where it stands."""


class Finding(NamedTuple):
    """Something that is wrong with a chain."""

    code: str
    """``foreign``, ``beginning``, ``gap``, ``order``, ``changed``, ``head`` or ``end``."""
    offset: int | None
    """At which record it shows; None where the record itself is missing."""
    message: Said


class Verified(NamedTuple):
    """What came of verifying a log."""

    acts: int
    head: Head
    findings: tuple[Finding, ...]
    """The first ``FINDINGS_MAX``."""
    found: int
    """How many there are."""


class Verifier:
    """Holds a log against itself, record by record, and against heads that were seen before."""

    def __init__(self, seen: Iterable[Head] = ()) -> None:
        self._seen: dict[int, set[str]] = {}
        for head in seen:
            self._seen.setdefault(head.number, set()).add(head.hash)
        self._last = EMPTY
        self._last_offset = -1
        self._acts = 0
        self._findings: list[Finding] = []
        self._found = 0

    def add(self, link: Link) -> None:
        """The next record of the chain."""
        number, offset = link.head.number, link.offset
        if self._acts == 0:
            self._begins(link)
        elif number > self._last.number + 1:
            self._gap(link)
        elif number <= self._last.number:
            self._find(
                "order", offset,
                f"位移 {offset} 的记录编号为 {number}，却排在第 {self._last.number} 号之后：有记录被插入或调换。",
                f"The record at offset {offset} has the number {number} and stands behind number "
                f"{self._last.number}: something was put in or exchanged.",
            )  # fmt: skip
        elif link.previous != self._last.hash:
            self._find(
                "changed", self._last_offset,
                f"第 {self._last.number} 号记录（位移 {self._last_offset}）与第 {number} 号（位移 {offset}）"
                "所载的哈希不符：两者之一被改动。",
                f"Number {self._last.number} at offset {self._last_offset} is not the record that number {number} at "
                f"offset {offset} names: one of the two was changed.",
            )  # fmt: skip
        for seen in self._seen.get(number, set()) - {link.head.hash}:
            self._find(
                "head", offset,
                f"第 {number} 号记录（位移 {offset}）的哈希不是先前所见的 {seen[:12]}…：它或其之前的记录被改动。",
                f"Number {number} at offset {offset} is not the record that was seen before (hash {seen[:12]}…): it, "
                "or one before it, was changed.",
            )  # fmt: skip
        self._last, self._last_offset = link.head, offset
        self._acts += 1

    def foreign(self, offset: int) -> None:
        """The next record is none of the chain."""
        self._find(
            "foreign", offset,
            f"位移 {offset} 的记录不是审计记录：它不是由本系统写入的。",
            f"The record at offset {offset} is no act of the chain: something else than the recorder has written it.",
        )  # fmt: skip

    def end(self) -> Verified:
        """There are no more."""
        newest = max(self._seen, default=0)
        if newest > self._last.number:
            self._find(
                "end", None,
                f"审计日志止于第 {self._last.number} 号，而先前曾见到第 {newest} 号：末尾的记录被删去。",
                f"The log ends with number {self._last.number} and has been seen up to number {newest}: its end was "
                "cut off.",
            )  # fmt: skip
        return Verified(self._acts, self._last, tuple(self._findings), self._found)

    def _begins(self, link: Link) -> None:
        number, offset = link.head.number, link.offset
        if number != 1:
            self._find(
                "beginning", offset,
                f"审计日志从第 {number} 号（位移 {offset}）开始：之前的记录被删去。",
                f"The log begins with number {number} at offset {offset}: what was before it was cut off.",
            )  # fmt: skip
        elif link.previous != EMPTY.hash:
            self._find(
                "changed", offset,
                f"第 1 号记录（位移 {offset}）却载有前一条记录的哈希：它被改动。",
                f"Number 1 at offset {offset} names a record before it: it was changed.",
            )  # fmt: skip

    def _gap(self, link: Link) -> None:
        first, last = self._last.number + 1, link.head.number - 1
        zh, en = (f"第 {first} 号", f"Number {first} is") if first == last else (
            f"第 {first} 至 {last} 号", f"Numbers {first} to {last} are",
        )  # fmt: skip
        self._find(
            "gap", link.offset,
            f"位移 {self._last_offset} 与 {link.offset} 之间缺少{zh}记录。",
            f"{en} missing between the offsets {self._last_offset} and {link.offset}.",
        )  # fmt: skip

    def _find(self, code: str, offset: int | None, zh: str, en: str) -> None:
        self._found += 1
        if self._found <= FINDINGS_MAX:
            self._findings.append(Finding(code, offset, Said(zh, en)))
