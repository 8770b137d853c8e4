"""What state a dead letter is in follows from the letters and the acts, in their order."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deptbus.deadletters import TYPE
from deptbus.envelope import Envelope
from deptbus.operations.explaining import explain, hide
from deptbus.operations.letters import ACTED, Letter, Letters, Terms, Wanted, heaps, plan_redrive
from deptbus.operations.partial import read_partially
from deptbus.record import Record
from deptbus.redriven import stamp
from deptbus.topics.model import Topic

MAX = 2
TOPIC = Topic("t", "o", "subject", 1, 1, -1, "delete", 1_000, "LogAppendTime", (), "BACKWARD", "internal", "open")


class Log:
    """Letters and acts, as they are written."""

    def __init__(self) -> None:
        self.letters = Letters()
        self._offset = 0

    def letter(self, name: str, offset: int = 0, sent: tuple[str, int] | None = None, **more: Any) -> None:
        headers = [("ce_type", b"o.Happened"), ("ce_id", b"e")]
        data = {
            "topic": "t", "partition": 0, "offset": offset, "timestamp": 7, "key": b"k", "value": b"v",
            "headers": [
                {"name": name, "value": value}
                for name, value in (headers if sent is None else stamp(headers, "g", *sent, 7))
            ],
            "group": "g", "reason": "handler", "message": "m", "attempts": 3, "truncated": False, **more,
        }  # fmt: skip
        self._take(name, TYPE, data)

    def act(self, letter: str, act: str, count: int = 0) -> None:
        data = {
            "letter": letter, "act": act, "count": count, "event": None, "forced": False, "reason": "why", "run": "r"
        }  # fmt: skip
        self._take("a", ACTED, data)

    def states(self) -> list[str]:
        return [letter.state(MAX) for letter in self.letters.by_id.values()]

    def _take(self, name: str, kind: str, data: dict[str, Any]) -> None:
        record = Record("bus.deadletters", 0, self._offset, self._offset, None, None, [])
        self._offset += 1
        self.letters.take(record, Envelope(name, kind, "/bus/x", 1, actor="Li Wei"), data)


def test_a_letter_is_open_until_something_is_done_and_again_when_it_is_written_again() -> None:
    log = Log()
    log.letter("l1")
    log.letter("l1")
    assert log.states() == ["open"]
    log.act("l1", "redriven", 1)
    assert log.states() == ["redriven"]
    log.letter("l1")  # the group has read the record again
    assert log.states() == ["open"]
    log.act("l1", "discarded", 1)
    assert log.states() == ["discarded"]
    log.act("lost", "discarded")
    assert log.states() == ["discarded"]


def test_attempts_are_carried_along_and_too_many_are_quarantine() -> None:
    log = Log()
    log.letter("l1", 0)
    log.act("l1", "redriven", 1)
    log.letter("l2", 5, sent=("l1", 1))
    log.act("l2", "redriven", 2)
    log.letter("l3", 9, sent=("l2", 2))
    assert log.states() == ["redriven", "redriven", "quarantined"]
    first, second, third = log.letters.by_id.values()
    assert (first.returned, second.returned, third.returned) == ("l2", "l3", None)
    assert (second.sent_from, third.count) == ("l1", 2)
    terms = Terms(redrives_max=MAX)
    assert [one.why[:26] for one in plan_redrive([third], {"t": TOPIC}, terms).refused] == [
        "it has been sent again 2 t"
    ]
    assert plan_redrive([third], {"t": TOPIC}, Terms(redrives_max=MAX, force=True)).letters == [third]


@pytest.mark.parametrize(
    ("topic", "more", "why"),
    [
        (TOPIC, {"truncated": True}, "only the head of its record was kept. The record is t[0]@3"),
        (TOPIC, {"value": b"v" * 2_000}, "takes 1000: raise message_bytes_max in topics/, or discard"),
        (None, {}, "t is declared no more"),
        (
            Topic("t", "o", "subject", 1, 1, -1, "compact", 1_000, "LogAppendTime", (), "B", "internal", "open"),
            {},
            "t holds states, and an old one must not come after newer ones",
        ),
    ],
)
def test_what_cannot_be_sent_again_is_refused_with_what_to_do(
    topic: Topic | None, more: dict[str, Any], why: str
) -> None:
    log = Log()
    log.letter("l1", 3, **more)
    plan = plan_redrive(log.letters.by_id.values(), {} if topic is None else {"t": topic}, Terms(redrives_max=MAX))
    assert plan.letters == []
    assert why in plan.refused[0].why


def test_they_are_sent_in_the_order_of_their_records() -> None:
    log = Log()
    for name, offset in (("l1", 9), ("l2", 2), ("l3", 5)):
        log.letter(name, offset)
    plan = plan_redrive(log.letters.by_id.values(), {"t": TOPIC}, Terms(redrives_max=MAX))
    assert [letter.offset for letter in plan.letters] == [2, 5, 9]
    assert plan.counts == [("t", "o.Happened", "g", 3)]


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["letter", "redriven", "discarded"])), max_size=30))
def test_every_letter_is_in_one_heap_and_one_state(story: list[tuple[str, str]]) -> None:
    log = Log()
    for name, what in story:
        log.letter(name) if what == "letter" else log.act(name, what, 1)
    letters: list[Letter] = list(log.letters.by_id.values())
    assert sum(heap.count for heap in heaps(letters, MAX)) == len(letters)
    for letter in letters:
        state = letter.state(MAX)
        last = next(what for name, what in reversed(story) if name == letter.id)
        assert (state == "open") is (last == "letter" and letter.count < MAX)
        assert Wanted(states=frozenset({state})).holds(letter, MAX)


def test_personal_data_and_bytes_that_may_hold_some_are_hidden() -> None:
    def schema(**more: Any) -> dict[str, Any]:
        field = {"name": "name", "type": "string", **more}
        return {"type": "record", "name": "R", "namespace": "o", "fields": [field, {"name": "n", "type": "int"}]}

    value = b"\0\0\0\0\x01\x04Li\x06"
    explained = explain(value, "o.R", lambda _: schema(personal=True), lambda _: None)
    assert explained.data == {"name": "Li", "n": 3}
    hidden, bare = hide(explained, [schema(personal=True), schema()])
    assert (hidden.data, bare) == ({"name": "***", "n": 3}, False)
    assert hide(explained, [schema()]) == (explained, True)
    hidden, bare = hide(explained, [])
    assert (hidden.data, bare) == (None, False)


@given(st.binary(max_size=60))
def test_any_bytes_can_be_looked_at(value: bytes) -> None:
    schema = {
        "type": "record", "name": "o.R", "fields": [
            {"name": "a", "type": {"type": "array", "items": {"type": "map", "values": "bytes"}}},
            {"name": "b", "type": ["null", {"type": "enum", "name": "o.E", "symbols": ["X"]}]},
            {"name": "c", "type": ["o.E", {"type": "fixed", "name": "o.F", "size": 3}]},
            {"name": "d", "type": "double"},
            {"name": "e", "type": "string"},
        ],
    }  # fmt: skip
    read = read_partially(schema, value, 0)
    assert 0 <= read.at <= len(value)
    assert bool(read.path) <= bool(read.problem)
    assert isinstance(read.data, dict)
