"""The one pair of exercises that all of these tests look at, and its account at the end."""

from collections.abc import Iterator

import pytest

from tests.faults.play import Outcome, own_stack, play_both

_ACCOUNT: list[str] = []


@pytest.fixture(scope="session")
def outcome(request: pytest.FixtureRequest) -> Iterator[Outcome]:
    """What came of the exercise in which everything happened, and of the same one undisturbed."""
    with own_stack(lambda: bool(request.session.testsfailed)) as (settings, stack):
        outcome = play_both(settings, stack)
        _ACCOUNT.extend(outcome.account)
        yield outcome
        if request.session.testsfailed:
            _ACCOUNT.append(f"The logs are in {outcome.directory / 'logs'}.")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Which fault came when, and how long it held the exercise up."""
    if _ACCOUNT:
        terminalreporter.section("what happened, at which step, and how long until two more steps were announced")
        for line in _ACCOUNT:
            terminalreporter.write_line(line)
