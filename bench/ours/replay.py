"""Our side of ``replay``: the copy that ``deptbus replay`` makes, without its record and its reading back."""

import time
from pathlib import Path
from typing import Any

from bench.suite.child import serve
from deptbus.bootstrap import load_codec, open_registry
from deptbus.catalogue import load_catalogue
from deptbus.clock import system_clock
from deptbus.kafka.configuration import reader_configuration
from deptbus.kafka.copying import Copy, copy
from deptbus.kafka.ends import bounds
from deptbus.kafka.recordbytes import header
from deptbus.operations.chosen import Chosen
from deptbus.operations.replays import Choice
from deptbus.settings import Settings

ID = "0195a1b2-0000-7000-8000-000000000000"


class Ours:
    """What every run needs."""

    def open(self, topic: str) -> None:
        """Read schemas; the stretch is everything that is on the topic now."""
        self.settings = Settings.load()
        catalogue = load_catalogue(self.settings.root, system_clock())
        with open_registry(self.settings) as registry:
            self.codec = load_codec(self.settings, catalogue, registry)
        self.source = self.settings.world.physical(topic)
        found = bounds(reader_configuration(self.settings), self.source)
        self.ranges = {(self.source, number): each for number, each in found.items()}

    def copy(self, target: str, types: list[str], where: list[str]) -> dict[str, Any]:
        """Copy everything, or what is chosen; seconds, and the most memory that this process ever had."""
        choice = Choice(types=tuple(types), where=tuple(where))
        name = self.settings.world.physical(f"replay-{target}")
        chooser = None if choice == Choice() else Chosen(choice.filter(), self.codec.decode)
        work = Copy(
            name, name, self.ranges, {self.source: self.settings.world.physical(target)}, header("ce_replayid", ID),
            chooser=chooser,
        )  # fmt: skip
        began = time.perf_counter()
        if not copy(self.settings, work, lambda: False):
            raise RuntimeError("it did not come to its end")
        seconds = time.perf_counter() - began
        status = Path("/proc/self/status").read_text()
        peak = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM:"))
        return {"seconds": seconds, "peak": peak}


if __name__ == "__main__":
    ours = Ours()
    serve({"open": ours.open, "copy": ours.copy})
