"""Partitions whose dead letters cannot be written: nothing of them is lost, none is overtaken, others go on."""

from hypothesis import given
from hypothesis import strategies as st

from deptbus.blocked import Blocked
from deptbus.record import Record
from deptbus.streams.aside import Aside


def record(where: int, offset: int) -> Record:
    return Record("t", where, offset, 0, None, None, [])


@given(
    st.lists(st.lists(st.integers(0, 2), max_size=5), max_size=8),
    st.sets(st.tuples(st.integers(0, 2), st.integers(0, 6))),
    st.integers(1, 4),
)
def test_each_record_is_done_in_order_once_its_letter_is_written(
    takes: list[list[int]], bad: set[tuple[int, int]], mended_after: int
) -> None:
    now = [0.0]
    aside: Aside[int] = Aside(lambda tries: 1.0, lambda: now[0])
    next_offset = [0, 0, 0]
    done: list[tuple[int, int]] = []
    queue: list[tuple[int, Record]] = []
    reached = [0, 0, 0]
    for step in range(len(takes) + 40):
        now[0] += 1.0
        for where in takes[step] if step < len(takes) else ():
            queue.append((where, record(where, next_offset[where])))
            next_offset[where] += 1
        batch, queue = aside.batch(queue), []
        unwritten = {
            place: "away"
            for place, (where, one) in enumerate(batch)
            if (where, one.offset) in bad and step < len(takes) + mended_after
        }
        settled = aside.settle(batch, unwritten)
        for where, end in settled.ends.items():
            assert end > reached[where]
            done += [(where, offset) for offset in range(reached[where], end)]
            reached[where] = end
        queue = settled.again
    assert reached == next_offset
    assert len(aside) == 0
    assert all([o for w, o in done if w == where] == list(range(next_offset[where])) for where in range(3))


def test_a_partition_that_stands_still_does_not_stop_others_and_is_tried_alone() -> None:
    now = [0.0]
    aside: Aside[int] = Aside(lambda tries: 2.0**tries, lambda: now[0])
    first = [(0, record(0, 0)), (0, record(0, 1)), (1, record(1, 0))]
    settled = aside.settle(aside.batch(first), {0: "away"})
    assert settled.ends == {1: 1}
    assert [(where, one.offset, block.reason) for where, one, block in settled.held] == [(0, 0, "away")]
    assert aside.next_s() == 2.0
    assert aside.batch([(0, record(0, 2)), (1, record(1, 1))]) == [(1, record(1, 1))]
    now[0] = 2.0
    retried = aside.batch([])
    assert retried == [(0, record(0, 0))]
    assert aside.settle(retried, {0: "away"}).held[0][2].tries == 2
    assert aside.next_s() == 4.0
    now[0] = 6.0
    settled = aside.settle(aside.batch([]), {})
    assert settled.ends == {0: 1}
    assert settled.again == [(0, record(0, 1)), (0, record(0, 2))]
    assert aside.next_s() is None


def test_a_later_record_that_stands_still_in_the_same_place_begins_with_short_pauses_again() -> None:
    blocked: Blocked[str] = Blocked(float)
    assert [blocked.hold("p", 5, "away", now).until for now in (0.0, 1.0, 3.0)] == [1.0, 3.0, 6.0]
    assert blocked.hold("p", 6, "away", 9.0).until == 10.0
    assert blocked["p"].since == 0.0
    assert blocked.passed("p") is not None
    assert blocked.next_s(0.0) is None
