"""A department's service as a process of its own: takes confirmed cases, tries one again, gives one up."""

from typing import Any

from deptbus import bootstrap
from deptbus.errors import Retry
from deptbus.handlers import Context
from deptbus.record import Event
from deptbus.settings import Settings


def main() -> None:
    bus = bootstrap.connect(Settings.load(), "cdc")

    @bus.subscribe("health.CasesConfirmed")
    def look(event: Event, context: Context) -> Any:
        if event.data["city"] == "again" and context.attempt == 1:
            raise Retry
        if event.data["city"] == "never":
            raise RuntimeError("never")

    bus.run()


if __name__ == "__main__":
    main()
