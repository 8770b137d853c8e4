"""Pure ``advance`` on the epidemic journal, in events per second of one core.

The journal is that of the exercise which ``make demo`` plays: Guangdong in the first weeks of 2020 where the figures
lie beside the project, else days of the project's own. It is played once in memory and kept as decoded entries.

- Counted are its entries of kind ``event`` (what departments published and ``correlate`` placed: reports, answers,
  completions). Its ticks, one for each hour in which anything happened, and all that falls due at them (repetitions,
  escalations, timers) are applied too: their time counts, they do not.
- Timed is CPU time of the process around ``Partition.chunks``, batch by batch: from decoded entries to every output
  with its data and envelope fields, and every snapshot. Values are not encoded, and nothing is read or written.
- Every run begins with an empty partition and ends with the last entry. What came out, encoded, is hashed outside the
  time in the first run and in every later one: all must be the same.
"""

from collections.abc import Iterable
from statistics import median

from bench.suite.bench import Bench
from bench.suite.bounds import Bound, Result
from bench.suite.pairs import interval
from bench.suite.processes import MeasurementFailed, Side

PURE = Bound("pure advance on the epidemic journal", 50_000, unit="events/s")
BOUNDS = (PURE,)


def measure(bench: Bench) -> Iterable[Result]:
    """About 25 s; 12 s when quick."""
    with Side(bench.python, "bench.ours.advance") as ours:
        first = ours.ask("fold")  # also the warm-up
        rates = []
        for _ in range(bench.of(30, 7)):
            run = ours.ask("fold")
            if (run["hash"], run["outputs"]) != (first["hash"], first["outputs"]):
                raise MeasurementFailed("advance has put out something else in another run.")
            rates.append(run["events"] / run["seconds"])
    low, high = interval(rates)
    detail = f"{run['events']:,} events in {run['entries']:,} entries, {run['outputs']:,} outputs, one core"
    return [PURE.result(median(rates), low, high, detail)]
