"""What the hospitals' service does by itself."""

from collections.abc import Iterator

import pytest

from deptbus.bus import Bus
from deptbus.catalogue import load_catalogue
from deptbus.testing import MemoryBroker, run_until
from services.hospitals.handlers import register
from tests.workflow.world import ROOT, START


@pytest.fixture
def broker() -> MemoryBroker:
    return MemoryBroker(load_catalogue(ROOT, START))


@pytest.fixture
def bus(broker: MemoryBroker) -> Iterator[Bus]:
    connected = broker.connect("hospitals")
    register(connected)
    yield connected
    connected.close()


def report(bus: Bus, kind: str, available: int) -> str:
    data = {
        "region": "990100",
        "facility_status": "Normal",
        "ems_status": "Normal",
        "beds": [{"kind": kind, "baseline": 100, "available": available}],
        "reported_at": START,
    }
    return bus.publish("hospitals.CapacityUpdated", data, subject="990100", region="990100").event_id


def test_too_few_free_isolation_beds_are_a_shortage(broker: MemoryBroker, bus: Bus) -> None:
    report(bus, "Burn", 0)
    report(bus, "AdultICU", 10)
    cause = report(bus, "NegativeFlowIsolation", 4)
    run_until(bus, lambda: any(event.data.get("shortage") for event in broker.events("hospitals.capacity")))
    (short,) = [event for event in broker.events("hospitals.capacity") if "shortage" in event.data]
    assert (short.data["resource"], short.data["quantity"]) == ("NegativeFlowIsolation beds", 6)
    assert short.envelope.causationid == cause
    assert short.envelope.region == "990100"
