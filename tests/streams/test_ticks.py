"""When a partition gets a tick in actual life: broker time alone, all inputs read, or the wait is over."""

from hypothesis import given
from hypothesis import strategies as st

from deptbus.streams.ticks import TickPolicy

WAIT_MS = 60_000
INPUTS = ("health.cases/0", "health.cases/1", "police.tasks/0")


def policy() -> TickPolicy:
    return TickPolicy(WAIT_MS, INPUTS)


def test_nothing_due_is_no_tick() -> None:
    quiet = policy()
    quiet.heard(5_000, INPUTS, 5_000)
    assert quiet.tick(None, 0) is None
    assert quiet.tick(5_001, 0) is None


def test_a_due_time_waits_for_every_input() -> None:
    waiting = policy()
    waiting.heard(2_000, INPUTS[:2], 1_500)
    assert waiting.tick(1_000, 0) is None
    waiting.heard(2_100, INPUTS[2:], 999)
    assert waiting.tick(1_000, 0) is None
    waiting.heard(2_200, INPUTS[2:], 1_200)
    assert waiting.tick(1_000, 0) == 1_200, "time as of which all is read, not the present"


def test_the_wait_has_an_end() -> None:
    waiting = policy()
    waiting.heard(1_000 + WAIT_MS - 1)
    assert waiting.tick(1_000, 0) is None
    waiting.heard(1_000 + WAIT_MS)
    assert waiting.tick(1_000, 0) == 1_000 + WAIT_MS


def test_without_known_inputs_nothing_is_covered() -> None:
    blind = TickPolicy(WAIT_MS)
    blind.heard(2_000, INPUTS, 2_000)
    assert blind.tick(1_000, 0) is None


def test_an_applied_tick_is_not_repeated() -> None:
    done = policy()
    done.heard(2_000, INPUTS, 2_000)
    assert done.tick(1_000, 2_000) is None


REPORTS = st.lists(
    st.tuples(st.integers(0, 200_000), st.sets(st.sampled_from(INPUTS)), st.none() | st.integers(0, 200_000)),
    max_size=20,
)


@given(REPORTS, st.integers(0, 200_000), st.integers(0, 200_000))
def test_a_tick_is_due_covered_and_forward(
    reports: list[tuple[int, set[str], int | None]], due: int, after: int
) -> None:
    given_policy = policy()
    for time_ms, positions, covered in reports:
        given_policy.heard(time_ms, positions, covered)
    at = given_policy.tick(due, after)
    if at is None:
        return
    assert due <= at <= given_policy.now_ms
    assert at > after
    assert at <= given_policy.covered_ms or given_policy.now_ms - due >= WAIT_MS


@given(REPORTS)
def test_the_order_of_reports_does_not_matter(reports: list[tuple[int, set[str], int | None]]) -> None:
    forward, backward = policy(), policy()
    for report in reports:
        forward.heard(*report)
    for report in reversed(reports):
        backward.heard(*report)
    assert (forward.now_ms, forward.covered_ms) == (backward.now_ms, backward.covered_ms)
