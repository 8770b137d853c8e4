"""The recorder in memory does what the real one does."""

import pytest

from deptbus.catalogue import Catalogue
from deptbus.errors import AuditRefused
from deptbus.operations.acts import TOPIC
from deptbus.operations.audit import Auditor
from deptbus.testing import MemoryBroker, memory_auditor
from tests.operations.auditing import AuditContract, Open


class TestInMemory(AuditContract):
    @pytest.fixture
    def open_auditor(self, catalogue: Catalogue) -> Open:
        broker = MemoryBroker(catalogue)
        return lambda **given: memory_auditor(broker, **given)

    def test_an_act_that_cannot_be_recorded_is_not_done(self, catalogue: Catalogue) -> None:
        broker, done = MemoryBroker(catalogue), []
        broker.fail(TOPIC, "failed")

        def act(auditor: Auditor) -> None:
            with auditor.act("replay", "health.cases"):
                done.append("replay")

        with memory_auditor(broker) as auditor, pytest.raises(AuditRefused):
            act(auditor)
        assert done == []

    def test_an_act_whose_end_cannot_be_recorded_ends_as_it_ended(self, catalogue: Catalogue) -> None:
        broker = MemoryBroker(catalogue)

        def act(auditor: Auditor) -> None:
            with auditor.act("replay", "health.cases"):
                broker.fail(TOPIC, "failed")
                raise ValueError("the act's own trouble")

        with memory_auditor(broker) as auditor, pytest.raises(ValueError, match="own trouble"):
            act(auditor)
