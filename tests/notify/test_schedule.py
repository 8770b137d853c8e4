"""When a notification is tried again, and when it is given up."""

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deptbus.notify.schedule import JITTER, Bounds, Patience, Verdict, judge, pause_s

BOUNDS = Bounds(backoff_s=1, backoff_max_s=300, retry_after_max_s=3600, attempts_max=4, away_max_s=86_400)
FAILED = Verdict("failed", "HTTP 500")
AWAY = Verdict("away", "HTTP 503")

bounds = st.builds(
    Bounds,
    backoff_s=st.floats(0.001, 100),
    backoff_max_s=st.floats(0.001, 10_000),
    retry_after_max_s=st.floats(0, 10_000),
    attempts_max=st.integers(1, 20),
    away_max_s=st.floats(1, 100_000),
)
chances = st.floats(0, 1)


@given(bounds, st.integers(1, 2_000), chances)
def test_a_pause_is_bounded_and_never_nothing(limits: Bounds, failures: int, chance: float) -> None:
    pause = pause_s(failures, chance, limits)
    shortest = min(limits.backoff_s, limits.backoff_max_s) * (1 - JITTER)
    assert shortest * 0.999 <= pause <= limits.backoff_max_s


@given(bounds, st.integers(1, 2_000), chances)
def test_pauses_grow_up_to_their_bound(limits: Bounds, failures: int, chance: float) -> None:
    assert pause_s(failures, chance, limits) <= pause_s(failures + 1, chance, limits)
    assert pause_s(2_000, 0, limits) == limits.backoff_max_s


@given(bounds, st.lists(st.sampled_from([FAILED, AWAY, Verdict("away", "", 50_000.0)]), max_size=60), chances)
def test_whatever_a_receiver_answers_the_wait_and_the_attempts_are_bounded(
    limits: Bounds, verdicts: list[Verdict], chance: float
) -> None:
    patience, now, failed = Patience(limits), 0.0, 0
    for verdict in verdicts:
        step = patience.missed("one", verdict, now, chance)
        failed += verdict.kind == "failed"
        assert step.pause_s <= max(limits.backoff_max_s, limits.retry_after_max_s)
        assert (step.given_up is None) == (failed < limits.attempts_max and now < limits.away_max_s)
        if step.given_up:
            return
        now += step.pause_s


def test_attempts_that_fail_are_used_up_and_a_receiver_that_is_away_is_waited_for() -> None:
    patience = Patience(BOUNDS)
    steps = [patience.missed("one", AWAY, n * 300.0, 0) for n in range(100)]
    assert {step.given_up for step in steps} == {None}
    assert patience.missed("one", AWAY, 86_400.0, 0).given_up == "notify_away"
    steps = [patience.missed("two", FAILED, 0.0, 0) for _ in range(4)]
    assert [step.given_up for step in steps] == [None, None, None, "notify_failed"]
    assert steps[-1].attempts == 4


def test_pauses_follow_the_channel_and_not_each_notification() -> None:
    patience = Patience(BOUNDS)
    pauses = [patience.missed(str(n // 4), FAILED, 0.0, 0).pause_s for n in range(12)]
    assert pauses == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300]
    patience.delivered("3")
    assert patience.missed("4", FAILED, 0.0, 0).pause_s == 1


def test_what_is_refused_is_given_up_at_once_and_does_not_slow_the_channel() -> None:
    patience = Patience(BOUNDS)
    step = patience.missed("one", Verdict("refused", "HTTP 400"), 0.0, 0)
    assert (step.given_up, step.pause_s, step.attempts) == ("notify_refused", 0.0, 1)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, "delivered"), (204, "delivered"), (301, "refused"), (307, "refused"), (400, "refused"),
        (401, "refused"), (404, "refused"), (410, "refused"), (408, "away"), (425, "away"), (429, "away"),
        (500, "failed"), (501, "failed"), (502, "away"), (503, "away"), (504, "away"), (599, "failed"),
    ],
)  # fmt: skip
def test_a_status_says_whether_trying_again_helps(status: int, kind: str) -> None:
    assert judge(status, None, 0).kind == kind


def test_retry_after_is_honoured_within_its_bound() -> None:
    assert judge(503, "120", 0).after_s == 120
    assert judge(503, formatdate(1_000_060, usegmt=True), 1_000_000).after_s == 60
    assert judge(503, "soon", 0).after_s is None
    assert judge(503, "-5", 0).after_s is None
    patience = Patience(BOUNDS)
    assert patience.missed("one", judge(503, "120", 0), 0, 0.5).pause_s == 120
    assert patience.missed("one", judge(429, "999999999", 0), 0, 0.5).pause_s == 3600
    assert patience.missed("one", judge(503, "0", 0), 0, 0).pause_s == 4
