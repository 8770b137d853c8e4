"""How often a sign-on may be tried."""

from services.dashboard.access import attempts
from services.dashboard.access.attempts import ADDRESS, NAME, PAIR, Attempts, network_of
from tests.dashboard.access.serving import Time


def test_after_some_failures_a_name_waits_at_that_address_and_only_there() -> None:
    clock = Time()
    tries = Attempts(clock)
    assert [tries.take("li", "10.0.0.1") for _ in range(PAIR.burst)] == [0] * PAIR.burst
    assert tries.take("li", "10.0.0.1") == PAIR.each_ms
    assert tries.take("li", "10.0.0.2") == 0
    assert tries.take("wang", "10.0.0.1") == 0
    clock.ms += PAIR.each_ms
    assert tries.take("li", "10.0.0.1") == 0
    assert tries.take("li", "10.0.0.1") == PAIR.each_ms


def test_who_succeeds_has_all_attempts_again() -> None:
    tries = Attempts(Time())
    for _ in range(ADDRESS.burst * 2):
        assert tries.take("li", "10.0.0.1") == 0
        tries.succeeded("li", "10.0.0.1")


def test_an_address_waits_whatever_names_it_tries() -> None:
    tries = Attempts(Time())
    taken = [tries.take(f"n{number}", "10.0.0.1") for number in range(ADDRESS.burst + 1)]
    assert taken == [0] * ADDRESS.burst + [ADDRESS.each_ms]


def test_a_name_waits_from_wherever_it_is_tried() -> None:
    tries = Attempts(Time())
    taken = [tries.take("li", f"10.0.{number}.1") for number in range(NAME.burst + 1)]
    assert taken == [0] * NAME.burst + [NAME.each_ms]


def test_a_refused_attempt_does_not_lengthen_the_wait() -> None:
    clock = Time()
    tries = Attempts(clock)
    for _ in range(PAIR.burst + 50):
        tries.take("li", "10.0.0.1")
    clock.ms += PAIR.each_ms
    assert tries.take("li", "10.0.0.1") == 0


def test_what_is_remembered_is_bounded() -> None:
    tries = Attempts(Time())
    for number in range(attempts.KEPT_MAX + 500):
        tries.take(f"n{number}", f"2001:db8:{number >> 12:x}:{number & 0xFFF:x}::1")
    assert tries.kept() <= 3 * attempts.KEPT_MAX


def test_a_subscriber_of_ipv6_is_one_address() -> None:
    assert network_of("2001:db8::1") == network_of("2001:db8::ffff") == "2001:db8::/64"
    assert network_of("::ffff:10.0.0.1") == network_of("10.0.0.1")
    assert network_of("testclient") == "testclient"
