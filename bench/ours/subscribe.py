"""Our side of ``subscribe``."""

import time
from typing import Any

from bench.cases import TYPE, hash_of
from bench.suite.child import serve
from deptbus import bootstrap
from deptbus.catalogue import load_catalogue
from deptbus.clock import system_clock
from deptbus.record import Event
from deptbus.settings import Settings


class Ours:
    """What every run needs."""

    def open(self) -> None:
        """Read the catalogue and the schemas once."""
        self.settings = Settings.load()
        bootstrap.configure_logs(self.settings)
        self.catalogue = load_catalogue(self.settings.root, system_clock())
        with bootstrap.open_registry(self.settings) as registry:
            self.codec = bootstrap.load_codec(self.settings, self.catalogue, registry)

    def consume(self, group: str, count: int) -> dict[str, Any]:
        """Handle so many events; seconds from the first to the last, and what was seen."""
        bus = bootstrap.connect(self.settings, "cdc", catalogue=self.catalogue, codec=self.codec, group=group)
        seen: list[str] = []
        times: list[float] = []

        @bus.subscribe(TYPE)
        def take(event: Event) -> None:
            seen.append(event.data["case"])
            if len(seen) in (1, count):
                times.append(time.perf_counter())
                if len(seen) == count:
                    bus.stop()

        bus.run()
        duplicates = bus.health().counts.get("duplicates", 0)
        return {"seconds": times[1] - times[0], "hash": hash_of(seen), "duplicates": duplicates}


if __name__ == "__main__":
    ours = Ours()
    serve({"open": ours.open, "consume": ours.consume})
