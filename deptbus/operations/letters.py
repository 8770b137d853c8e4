"""Dead letters and what was done about them: what state each is in, and which of them are meant. Pure.

All of it follows from one topic, ``bus.deadletters``, which holds the letters and the acts in the order in which they
happened. A letter that is written again after the latest act (its group read the record again, and gave it up again)
is open again.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from deptbus.deadletters import TYPE as DEAD_LETTERED
from deptbus.envelope import Envelope
from deptbus.errors import NotFound, SettingsError
from deptbus.record import Record
from deptbus.redriven import count_of, letter_of
from deptbus.topics.model import Topic

ACTED = "bus.LetterActed"
State = Literal["open", "quarantined", "redriven", "edited", "discarded"]
STATES: tuple[State, ...] = ("open", "quarantined", "redriven", "edited", "discarded")
ID_CHARS_MIN = 6
"""So many characters of an id name a letter, where no other begins with them."""
_NO_REDRIVE = frozenset({"workflow.journal", "bus.deadletters"})


@dataclass(frozen=True, slots=True)
class Act:
    """What was done about a letter."""

    act: str
    at_ms: int
    actor: str
    reason: str
    count: int
    """How often the record had been sent again, this time included."""
    event: str | None
    """The event that was sent."""
    forced: bool
    run: str


@dataclass(slots=True, kw_only=True)
class Letter:
    """A dead letter without what it holds: that is read when it is wanted."""

    id: str
    place: tuple[int, int]
    """Partition and offset of its latest copy on ``bus.deadletters``."""
    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    """Of the record, by its topic."""
    type: str | None
    """By the record's headers, as ``event_id``."""
    event_id: str | None
    group: str
    reason: str
    message: str
    attempts: int
    truncated: bool
    size: int
    """Bytes of the value, headers and key."""
    sent_before: int
    """How often its record had been sent again when it was given up."""
    sent_from: str | None
    """The letter that its record was sent again from."""
    first_ms: int
    """When it was written, by the time of its topic."""
    last_ms: int
    acts: list[Act] = field(default_factory=list)
    settled: bool = False
    """Whether something was done since it was last written."""
    returned: str | None = None
    """The letter as which its record was given up again."""

    @property
    def coordinates(self) -> str:
        """``topic[partition]@offset`` of the record."""
        return f"{self.topic}[{self.partition}]@{self.offset}"

    @property
    def count(self) -> int:
        """How often its record has been sent again."""
        return max([self.sent_before, *(act.count for act in self.acts)])

    def state(self, redrives_max: int) -> State:
        """What it is in; ``redrives_max``: sent again so often and given up again, it is in quarantine."""
        if self.settled:
            act = self.acts[-1].act
            return "edited" if act == "edited" else "discarded" if act == "discarded" else "redriven"
        return "quarantined" if self.count >= redrives_max else "open"


class Letters:
    """The letters of a topic, as its records are taken one after another."""

    def __init__(self) -> None:
        self.by_id: dict[str, Letter] = {}

    def take(self, record: Record, envelope: Envelope, data: Mapping[str, Any]) -> None:
        """Take a record of ``bus.deadletters``; what is neither letter nor act is passed over."""
        if envelope.type == DEAD_LETTERED:
            self._letter(record, envelope, data)
        elif envelope.type == ACTED and (letter := self.by_id.get(data["letter"])) is not None:
            letter.settled = True
            letter.acts.append(
                Act(
                    data["act"], max(0, record.timestamp_ms), envelope.actor or "", data["reason"], data["count"],
                    data["event"], data["forced"], data["run"],
                )
            )  # fmt: skip

    def _letter(self, record: Record, envelope: Envelope, data: Mapping[str, Any]) -> None:
        at_ms = max(0, record.timestamp_ms)
        known = self.by_id.get(envelope.id)
        if known is not None:  # given up twice
            known.place, known.last_ms, known.settled = (record.partition, record.offset), at_ms, False
            known.reason, known.message, known.attempts = data["reason"], data["message"], data["attempts"]
            return
        headers = [(header["name"], header["value"]) for header in data["headers"]]
        texts = {name: value.decode("utf-8", "replace") for name, value in headers if value is not None}
        sent_from = letter_of(headers)
        self.by_id[envelope.id] = Letter(
            id=envelope.id, place=(record.partition, record.offset), topic=data["topic"], partition=data["partition"],
            offset=data["offset"], timestamp_ms=data["timestamp"], type=texts.get("ce_type"),
            event_id=texts.get("ce_id"), group=data["group"], reason=data["reason"], message=data["message"],
            attempts=data["attempts"], truncated=data["truncated"],
            size=len(data["value"] or b"") + len(data["key"] or b"") + sum(len(n) + len(v or b"") for n, v in headers),
            sent_before=count_of(headers), sent_from=sent_from, first_ms=at_ms, last_ms=at_ms,
        )  # fmt: skip
        if sent_from is not None and (before := self.by_id.get(sent_from)) is not None:
            before.returned = envelope.id

    def one(self, name: str) -> Letter:
        """The letter whose id begins like this; ``NotFound``, ``SettingsError``."""
        wanted = name.strip().lower()
        if wanted in self.by_id:
            return self.by_id[wanted]
        if len(wanted) < ID_CHARS_MIN:
            raise SettingsError(f"{name} is too short: name a letter by at least {ID_CHARS_MIN} characters of its id.")
        found = [letter for key, letter in self.by_id.items() if key.startswith(wanted)]
        if not found:
            raise NotFound(f"There is no dead letter {name}; `deptbus deadletters list --all` shows those there are.")
        if len(found) > 1:
            raise SettingsError(f"{name} begins the ids of {len(found)} dead letters; give more of it.")
        return found[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which letters are meant; what is empty says nothing."""

    reasons: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    topics: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()
    since_ms: int | None = None
    """When it was given up last: then or later."""
    until_ms: int | None = None
    """Before."""

    @property
    def empty(self) -> bool:
        """Whether every letter is meant."""
        return self == Wanted()

    def holds(self, letter: Letter, redrives_max: int) -> bool:
        """Whether a letter is meant."""
        return (
            (not self.reasons or letter.reason in self.reasons)
            and (not self.groups or letter.group in self.groups)
            and (not self.topics or letter.topic in self.topics)
            and (not self.types or letter.type in self.types)
            and (not self.states or letter.state(redrives_max) in self.states)
            and (self.since_ms is None or letter.last_ms >= self.since_ms)
            and (self.until_ms is None or letter.last_ms < self.until_ms)
        )


@dataclass(slots=True)
class Heap:
    """Letters of one reason, group, topic and type."""

    reason: str
    group: str
    topic: str
    type: str | None
    first_ms: int
    last_ms: int
    states: dict[State, int] = field(default_factory=lambda: dict.fromkeys(STATES, 0))

    @property
    def count(self) -> int:
        """How many they are."""
        return sum(self.states.values())


def heaps(letters: Iterable[Letter], redrives_max: int) -> list[Heap]:
    """Letters by reason, group, topic and type, those with the most first."""
    found: dict[tuple[str, str, str, str | None], Heap] = {}
    for letter in letters:
        key = letter.reason, letter.group, letter.topic, letter.type
        heap = found.get(key)
        if heap is None:
            heap = found[key] = Heap(*key, letter.first_ms, letter.last_ms)
        heap.first_ms, heap.last_ms = min(heap.first_ms, letter.first_ms), max(heap.last_ms, letter.last_ms)
        heap.states[letter.state(redrives_max)] += 1
    return sorted(found.values(), key=lambda heap: (-heap.count, heap.reason, heap.group, heap.topic, heap.type or ""))


class Refused(NamedTuple):
    """A letter that was meant and is left as it is."""

    letter: Letter
    why: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be done, in the order in which it is."""

    letters: Sequence[Letter]
    refused: Sequence[Refused]

    @property
    def counts(self) -> list[tuple[str, str, str, int]]:
        """Topic, type and group, and how many."""
        counted: defaultdict[tuple[str, str, str], int] = defaultdict(int)
        for letter in self.letters:
            counted[letter.topic, letter.type or "?", letter.group] += 1
        return [(*key, count) for key, count in sorted(counted.items())]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """Under which a letter may be redriven."""

    redrives_max: int
    force: bool = False
    """Also what is in quarantine."""
    again: bool = False
    """Also what has been dealt with."""


def plan_redrive(letters: Iterable[Letter], topics: Mapping[str, Topic], terms: Terms) -> Plan:
    """Which of the letters meant can be sent again, in the order of their records, and why not the others."""
    going, refused = [], []
    for letter in letters:
        why = redrive_refusal(letter, topics, terms)
        if why is None:
            going.append(letter)
        else:
            refused.append(Refused(letter, why))
    going.sort(key=lambda letter: (letter.topic, letter.partition, letter.offset, letter.group))
    return Plan(going, refused)


def plan_discard(letters: Iterable[Letter]) -> Plan:
    """Which of the letters meant can be discarded, and why not the others."""
    going: list[Letter] = []
    refused: list[Refused] = []
    for letter in letters:
        if letter.settled and letter.acts[-1].act == "discarded":
            refused.append(Refused(letter, f"it is discarded already, by {letter.acts[-1].actor}"))
        else:
            going.append(letter)
    return Plan(going, refused)


def redrive_refusal(letter: Letter, topics: Mapping[str, Topic], terms: Terms) -> str | None:
    """Why a letter cannot be sent again, and what to do; None where it can."""
    if (why := topic_refusal(letter, topics)) is not None:
        return why
    if letter.truncated:
        return (
            f"only the head of its record was kept. The record is {letter.coordinates} while that topic keeps it: "
            f"have {letter.group} read it again (`deptbus groups reset`), or its owner publish it again"
        )
    if letter.size > topics[letter.topic].message_bytes_max:
        return (
            f"its record has {letter.size} bytes, and {letter.topic} takes {topics[letter.topic].message_bytes_max}: "
            "raise message_bytes_max in topics/, or discard the letter"
        )
    return state_refusal(letter, terms)


def state_refusal(letter: Letter, terms: Terms) -> str | None:
    """Why nothing is to be done about a letter as it stands; None where something may be."""
    match letter.state(terms.redrives_max):
        case "quarantined" if not terms.force:
            return (
                f"it has been sent again {letter.count} times and came back: it is in quarantine. "
                "Find out why first; --force sends it once more"
            )
        case "redriven" | "edited" | "discarded" as state if not terms.again:
            act = letter.acts[-1]
            return f"it is {state} already, by {act.actor or 'somebody'}; --again does it once more"
    return None


def topic_refusal(letter: Letter, topics: Mapping[str, Topic]) -> str | None:
    """Why nothing can be sent to a letter's topic again; None where it can."""
    topic = topics.get(letter.topic)
    if topic is None:
        return f"{letter.topic} is declared no more: discard the letter, or declare the topic again"
    if "compact" in topic.cleanup or letter.topic in _NO_REDRIVE:
        return (
            f"{letter.topic} holds states, and an old one must not come after newer ones: have {letter.group} read "
            f"the topic again (`deptbus groups reset`)"
        )
    return None
