"""Updates supersede and Cancels end what they reference, in whatever order they arrive."""

from datetime import datetime
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deptbus.clock import BEIJING
from deptbus.imports.cap.chains import standings
from tests.imports.cap_files import INFO, SENDER, cap, data

NOW = 1_580_000_000_000


def _sent(hour: int) -> str:
    return datetime(2020, 1, 24, hour, tzinfo=BEIJING).isoformat()


def message(name: str, kind: str, hour: int, *references: tuple[str, int], status: str = "Actual") -> dict[str, Any]:
    """The event of one message; a reference is a name and the hour at which that was sent."""
    named = " ".join(f"{SENDER},{other},{_sent(at)}" for other, at in references)
    info = "" if kind == "Cancel" else INFO
    return data(
        cap(identifier=name, sent=_sent(hour), kind=kind, references=named, info=info).replace("Actual", status)
    )


ALERT = message("A", "Alert", 1)
FIRST = message("U1", "Update", 2, ("A", 1))
SECOND = message("U2", "Update", 3, ("U1", 2))
CANCEL = message("C", "Cancel", 4, ("U2", 3), ("U1", 2), ("A", 1))


def states(*messages: dict[str, Any], now: int = NOW) -> dict[str, tuple[str, str | None]]:
    return {one.alert["identifier"]: (one.state, one.by) for one in standings(messages, now)}


@pytest.mark.parametrize("order", list(permutations([ALERT, FIRST, SECOND])))
def test_the_last_update_is_in_force_in_any_order(order: tuple[dict[str, Any], ...]) -> None:
    assert states(*order) == {"A": ("superseded", "U1"), "U1": ("superseded", "U2"), "U2": ("in_force", None)}


@pytest.mark.parametrize("order", list(permutations([ALERT, FIRST, SECOND, CANCEL])))
def test_after_a_cancel_nothing_is_in_force_in_any_order(order: tuple[dict[str, Any], ...]) -> None:
    assert states(*order) == {
        "A": ("superseded", "U1"), "U1": ("superseded", "U2"), "U2": ("cancelled", "C"), "C": ("message", None),
    }  # fmt: skip


def test_what_is_referenced_may_arrive_later() -> None:
    (early,) = standings([CANCEL], NOW)
    assert early.missing == ("U2", "U1", "A")
    assert states(CANCEL, ALERT)["A"] == ("cancelled", "C")


def test_a_cancel_ends_only_what_it_references() -> None:
    assert states(ALERT, message("B", "Alert", 2), message("C", "Cancel", 3, ("A", 1)))["B"] == ("in_force", None)


def test_an_exercise_ends_no_actual_alert() -> None:
    assert states(ALERT, message("C", "Cancel", 2, ("A", 1), status="Exercise"))["A"] == ("in_force", None)


def test_a_reference_to_another_sending_is_another_alert() -> None:
    (alert, cancel) = standings([ALERT, message("C", "Cancel", 9, ("A", 5))], NOW)
    assert (alert.state, cancel.missing) == ("in_force", ("A",))


def test_one_moment_written_in_two_ways_is_one_moment() -> None:
    cancel = data(
        cap(identifier="C", sent=_sent(5), kind="Cancel", info="", references=f"{SENDER},A,2020-01-23T17:00:00-00:00")
    )
    assert states(ALERT, cancel)["A"] == ("cancelled", "C")


def test_acknowledgements_and_errors_end_nothing() -> None:
    found = states(ALERT, message("K", "Ack", 2, ("A", 1)), message("E", "Error", 3, ("A", 1)))
    assert found == {"A": ("in_force", None), "K": ("message", None), "E": ("message", None)}


def test_an_alert_expires_with_the_last_of_its_infos() -> None:
    def lasting(until: str) -> str:
        return INFO.replace("    <headline>", f"    <expires>{until}</expires>\n    <headline>")

    text = cap(identifier="A", info=lasting("2020-01-24T12:00:00+08:00") + lasting("2020-01-25T12:00:00+08:00"))
    noon = data(text)["sent_at"] + 27 * 3_600_000
    assert states(data(text), now=noon - 1)["A"] == ("in_force", None)
    assert states(data(text), now=noon)["A"] == ("expired", None)


@st.composite
def _messages(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Messages that reference one another as they like, also ones that never arrive."""
    found = []
    for hour in range(draw(st.integers(1, 6))):
        kind = draw(st.sampled_from(["Alert", "Update", "Cancel", "Ack"]))
        others = draw(st.lists(st.integers(0, 7), max_size=3, unique=True))
        alert = message(f"M{hour}", "Alert", hour)
        found.append(alert | {
            "message_type": kind,
            "status": draw(st.sampled_from(["Actual", "Actual", "Exercise"])),
            "references": [
                {"sender": SENDER, "identifier": f"M{n}", "sent": _sent(n)} for n in others if kind != "Alert"
            ],
        })  # fmt: skip
    return found


@given(_messages(), st.randoms(use_true_random=False))
def test_no_order_of_arrival_changes_anything(messages: list[dict[str, Any]], chance: Any) -> None:
    shuffled = [*messages, *chance.sample(messages, k=len(messages) // 2)]  # some arrive twice
    chance.shuffle(shuffled)
    assert standings(shuffled, NOW) == standings(messages, NOW)
