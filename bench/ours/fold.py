"""Our side of ``fold``: what ``deptbus workflows fold`` does."""

import time

from bench.suite.child import serve
from deptbus.folding import fold_namespace
from deptbus.settings import Settings


def fold() -> dict[str, float]:
    """Fold the namespace's journal and compare the states with the snapshots that stand there."""
    began = time.perf_counter()
    found = fold_namespace(Settings.load())
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "entries": found.entries, "instances": found.instances, "equal": found.equal}


def main() -> None:
    serve({"fold": fold})


if __name__ == "__main__":
    main()
