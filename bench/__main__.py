"""Measures the bus beside its peers: ``make bench``, ``python -m bench codec --quick``.

Writes .run/bench/results.json after every measurement, and machine.json beside it. The exit code is 0 when every bound
was measured and holds, 1 when one does not or could not be measured, 2 for a name that is none.
"""

import argparse
import importlib
import pkgutil
import sys
import time
import traceback
from collections.abc import Mapping

from bench import measurements
from bench.suite import machine, report
from bench.suite.bench import Bench, Measurement
from bench.suite.bounds import Bound, Result
from bench.suite.processes import MeasurementFailed
from deptbus import garbage


def main(arguments: list[str]) -> int:
    """Measure and print."""
    known = found()
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "name", nargs="*", help=f"what to measure, by default all that has bounds: {', '.join(sorted(known))}"
    )
    parser.add_argument("--quick", action="store_true", help="fewer and shorter runs: the intervals are wide")
    parser.add_argument("--list", action="store_true", help="list the bounds and measure nothing")
    parser.add_argument("--json", action="store_true", help="print the results as JSON instead of the table")
    given = parser.parse_args(arguments)
    if unknown := [name for name in given.name if name not in known]:
        parser.error(f"there is no measurement {unknown[0]}; there are {', '.join(sorted(known))}")
    chosen = {name: one for name, one in known.items() if (name in given.name if given.name else one.BOUNDS)}
    if given.list:
        sys.stdout.writelines(f"{name:12} {_text(bound)}\n" for name, one in chosen.items() for bound in one.BOUNDS)
        return 0
    garbage.look_seldom()
    description = machine.describe()
    machine.write(report.RESULTS.parent, description)
    results, failed = _measured(chosen, Bench(quick=given.quick))
    if given.json:
        sys.stdout.write(report.RESULTS.read_text())
    else:
        report.show(results, description)
    missing = [bound for one in chosen.values() for bound in one.BOUNDS if bound not in [made.of for made in results]]
    sys.stderr.writelines(f"not measured: {bound.row}\n" for bound in missing)
    return int(bool(missing or failed) or not all(result.holds for result in results))


def found() -> dict[str, Measurement]:
    """Every measurement, by its name."""
    names = sorted(module.name for module in pkgutil.iter_modules(measurements.__path__))
    return {name: importlib.import_module(f"bench.measurements.{name}") for name in names}


def _measured(chosen: Mapping[str, Measurement], bench: Bench) -> tuple[list[Result], list[str]]:
    """What came of each, and which of them failed."""
    results: list[Result] = []
    failed: list[str] = []
    try:
        for number, (name, measurement) in enumerate(chosen.items(), start=1):
            began = time.monotonic()
            with bench.console.status(f"{name}, {number} of {len(chosen)}"):  # nothing where no terminal is
                try:
                    with bench.measurement():
                        results += measurement.measure(bench)
                except Exception as error:  # the others are measured all the same
                    failed.append(name)
                    told = error if isinstance(error, MeasurementFailed) else traceback.format_exc()
                    bench.say(f"{name} failed: {told}")
            report.write(results)
            bench.console.print(f"{name}: {time.monotonic() - began:.0f} s", highlight=False)
    finally:
        bench.close()
    return results, failed


def _text(bound: Bound) -> str:
    return f"{bound.row}: {'≤' if bound.at_most else '≥'} {bound.bound:g} {bound.unit}".rstrip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
