"""What the hospitals' service does by itself: a report with too few free beds of a kind asks for help."""

from deptbus.bus import Bus
from deptbus.handlers import Context
from deptbus.record import Event

FREE_MIN = 0.1
"""Below this share of free beds of a kind there is a shortage."""
CRITICAL = frozenset({"AdultICU", "NegativeFlowIsolation", "OtherIsolation"})
"""Kinds of bed (EDXL-HAVE) whose shortage an epidemic response has to end."""
_NEEDED_MS = 24 * 3_600_000
_BASIS = "《突发公共卫生事件应急条例》第三十九条"


def register(bus: Bus) -> None:
    """Subscribe the handlers."""

    @bus.subscribe("hospitals.CapacityUpdated")
    def ask_for_beds(event: Event, context: Context) -> None:
        for beds in event.data["beds"]:
            missing = int(beds["baseline"] * FREE_MIN) - beds["available"]
            if beds["kind"] in CRITICAL and missing > 0:
                _ask(event, context, beds["kind"], missing)


def _ask(event: Event, context: Context, kind: str, missing: int) -> None:
    shortage = f"{event.envelope.id}/{kind}"
    data = {
        "shortage": shortage,
        "region": event.data["region"],
        "resource": f"{kind} beds",
        "quantity": missing,
        "needed_by": event.data["reported_at"] + _NEEDED_MS,
    }
    context.publish("hospitals.ResourceShort", data, subject=shortage, region=event.envelope.region, legal_basis=_BASIS)
