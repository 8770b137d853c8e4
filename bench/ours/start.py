"""Our side of ``start``: the owners of all partitions open, as in a worker that is given them."""

import time
from concurrent.futures import ThreadPoolExecutor

from bench.ours.wired import advance
from bench.suite.child import serve
from deptbus import garbage, logs
from deptbus.settings import Settings
from deptbus.streams.owner import Owner
from deptbus.streams.wiring import JOURNAL, Wiring


class Ours:
    """The wiring of one worker for each namespace."""

    def __init__(self) -> None:
        garbage.look_seldom()
        self._wirings: dict[str, Wiring] = {}

    def open(self, namespace: str) -> None:
        """Connect."""
        logs.configure(Settings.load(log_level="warning"))
        self._wirings[namespace] = advance(Settings.load(namespace=namespace))

    def start(self, namespace: str) -> dict[str, float]:
        """Fence, restore, index what falls due, look for what is still to be applied, report."""
        wiring = self._wirings[namespace]
        owners = [Owner(wiring, number) for number in range(wiring.catalogue.topic(JOURNAL).partitions)]
        began = time.perf_counter()
        with ThreadPoolExecutor(len(owners)) as pool:
            done = list(pool.map(Owner.open, owners))
        seconds = time.perf_counter() - began
        states = [owner._partition.states for owner in owners]
        found = {
            "seconds": seconds,
            "instances": sum(sum(1 for name in one if one.region(name) is not None) for one in states),
            "due": sum(1 for one in done if one.next_due),
            "bytes": sum(len(value) for one in states for value in one._instances.values() if isinstance(value, bytes)),
        }
        for owner in owners:
            owner.close()
        return found


def main() -> None:
    ours = Ours()
    serve({"open": ours.open, "start": ours.start})


if __name__ == "__main__":
    main()
