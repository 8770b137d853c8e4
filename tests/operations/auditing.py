"""What every recorder of acts must do. ``test_audit_memory.py`` and ``test_audit.py`` run these on theirs."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from deptbus.errors import ActRefused
from deptbus.operations.acts import Audited
from deptbus.operations.audit import Auditor

Open = Callable[..., Auditor]
"""Opens a recorder on the test's log; ``owner``, ``operator`` and ``process`` as ``bootstrap.open_auditor``."""


def acts(auditor: Auditor) -> list[Audited]:
    """Every act on record; there is nothing else."""
    found = list(auditor.acts())
    assert all(isinstance(act, Audited) for act in found)
    return [act for act in found if isinstance(act, Audited)]


class AuditContract:
    """``open_auditor`` is the fixture of whoever runs them."""

    def test_a_record_says_who_did_what_to_what_why_and_how_it_ended(self, open_auditor: Open) -> None:
        with open_auditor(operator="chen") as auditor:
            said = auditor.record("groups.reset", "cdc", "a bad deployment", {"to": "beginning", "partitions": 4})
            (act,) = acts(auditor)
        data = dict(act.data)
        assert "@" in data.pop("account")
        assert data == {
            "number": 1, "previous": "0" * 64, "act": "groups.reset", "target": "cdc", "operator": "chen",
            "reason": "a bad deployment", "outcome": "done", "detail": {"to": "beginning", "partitions": "4"},
        }  # fmt: skip
        envelope = act.envelope
        assert (envelope.id, envelope.actor, envelope.subject) == (said.id, "chen", "cdc")
        assert (act.record.key, act.offset, act.record.timestamp_ms) == (b"chen", said.offset, said.timestamp_ms)
        assert said.head == act.head

    def test_each_record_names_the_one_before(self, open_auditor: Open) -> None:
        with open_auditor() as auditor:
            for number in range(3):
                auditor.record("topics.apply", f"t{number}")
            with open_auditor() as another:
                last = another.record("topics.apply", "t3")
            auditor.record("topics.apply", "t4")
            found = acts(auditor)
            assert [act.data["number"] for act in found] == [1, 2, 3, 4, 5]
            assert [act.previous for act in found[1:]] == [act.head.hash for act in found[:-1]]
            assert found[3].head == last.head
            verified = auditor.verify(last.head)
        assert (verified.acts, verified.head, verified.findings) == (5, found[4].head, ())

    def test_what_starts_and_ends_is_recorded_twice_and_told_apart(self, open_auditor: Open) -> None:
        with open_auditor() as auditor:
            with auditor.act("replay", "health.cases", "a new handler", {"to": "copy"}, basis="order 7") as act:
                assert [one.data["outcome"] for one in acts(auditor)] == ["started"]
                act.detail(events=1_000)
                act.detail({"from": "beginning"})
            start, end = acts(auditor)
        assert (start.data["outcome"], start.data["detail"]) == ("started", {"to": "copy"})
        assert (end.data["outcome"], end.data["detail"]) == ("done", {"events": "1000", "from": "beginning"})
        assert (end.data["act"], end.data["target"], end.data["reason"]) == ("replay", "health.cases", "a new handler")
        assert end.envelope.causationid == start.envelope.id == act.start.id
        assert start.envelope.legalbasis == end.envelope.legalbasis == "order 7"

    @pytest.mark.parametrize(
        ("error", "told"),
        [(ActRefused("No such group."), "No such group."), (ValueError("x"), "ValueError: x"),
         (KeyboardInterrupt(), "KeyboardInterrupt")],
    )  # fmt: skip
    def test_what_fails_is_recorded_as_failed_with_the_reason(
        self, open_auditor: Open, error: BaseException, told: str
    ) -> None:
        def fail(auditor: Auditor) -> None:
            with auditor.act("deadletters.redrive", "health.cases") as act:
                act.detail(events=3)
                raise error

        with open_auditor() as auditor:
            with pytest.raises(type(error)):
                fail(auditor)
            end = acts(auditor)[-1]
        assert (end.data["outcome"], end.data["detail"]) == ("failed", {"events": "3", "error": told})

    def test_an_act_may_fail_without_an_exception(self, open_auditor: Open) -> None:
        with open_auditor() as auditor:
            with auditor.act("deadletters.redrive", "health.cases") as act:
                act.outcome = "failed"
            assert [one.data["outcome"] for one in acts(auditor)] == ["started", "failed"]

    def test_a_department_appends_to_the_same_chain_under_its_own_name(self, open_auditor: Open) -> None:
        with open_auditor() as auditor, open_auditor(owner="health") as theirs:
            auditor.record("topics.apply", "all")
            theirs.record("records.exported", "health.cases")
            found = acts(auditor)
            assert [act.envelope.source for act in found] == ["/bus/bus", "/departments/health"]
            assert auditor.verify().findings == ()

    def test_several_threads_make_one_chain(self, open_auditor: Open) -> None:
        with open_auditor() as auditor:
            with ThreadPoolExecutor(4) as pool:
                list(pool.map(lambda number: auditor.record("topics.apply", str(number)), range(20)))
            assert sorted(int(act.data["target"]) for act in acts(auditor)) == list(range(20))
            assert (auditor.verify().acts, auditor.verify().found) == (20, 0)
