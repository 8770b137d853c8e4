"""Measures the bus beside its peers: ``make bench``, ``python -m bench codec --quick``.

Writes .run/bench/results.json after every measurement. The exit code is 0 when every bound was measured and holds, 1
when one does not or could not be measured, 2 for a name that is none.
"""

import argparse
import importlib
import pkgutil
import sys
import time
import traceback

from bench import measurements
from bench.suite import report
from bench.suite.bench import Bench
from bench.suite.bounds import Result


def main(arguments: list[str]) -> int:
    """Measure and print."""
    known = sorted(module.name for module in pkgutil.iter_modules(measurements.__path__))
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("name", nargs="*", help=f"what to measure, all by default: {', '.join(known)}")
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs: the intervals are wide")
    parser.add_argument("--list", action="store_true", help="list the bounds and measure nothing")
    given = parser.parse_args(arguments)
    if unknown := [name for name in given.name if name not in known]:
        parser.error(f"there is no measurement {unknown[0]}; there are {', '.join(known)}")
    modules = {name: importlib.import_module(f"bench.measurements.{name}") for name in given.name or known}
    if given.list:
        for name, module in modules.items():
            for bound in module.BOUNDS:
                sys.stdout.write(
                    f"{name:12} {bound.row}: {'≤' if bound.at_most else '≥'} {bound.bound:g} {bound.unit}\n"
                )
        return 0
    results: list[Result] = []
    failed: list[str] = []
    bench = Bench(quick=given.quick)
    try:
        for name, module in modules.items():
            began = time.monotonic()
            sys.stderr.write(f"{name}\n")
            try:
                results += module.measure(bench)
            except Exception:  # the others are measured all the same
                traceback.print_exc()
                failed.append(name)
            report.write(results)
            sys.stderr.write(f"  {time.monotonic() - began:.0f} s\n")
    finally:
        bench.close()
    report.show(results)
    missing = [bound.row for module in modules.values() for bound in module.BOUNDS
               if bound not in [result.of for result in results]]  # fmt: skip
    for row in missing:
        sys.stdout.write(f"not measured: {row}\n")
    return int(bool(failed or missing or not all(result.holds for result in results)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
