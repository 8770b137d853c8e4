"""What every measurement stands on: the interval, the turns, the sides' processes, the report."""

import io
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator
from math import comb
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from bench.__main__ import found, main
from bench.suite import machine, report
from bench.suite.bounds import Bound
from bench.suite.pairs import alternate, interval
from bench.suite.processes import MeasurementFailed, Side


def between(count: int, rank: int) -> float:
    """How probable it is that the median lies between the values of this rank from below and from above."""
    return 1 - 2 * sum(comb(count, at) for at in range(rank + 1)) / 2**count


@given(st.integers(6, 60))
def test_the_interval_is_the_narrowest_that_holds_the_median_with_95_percent(count: int) -> None:
    values = [float(number) for number in range(count)]
    random.Random(count).shuffle(values)
    low, high = interval(values)
    assert high == count - 1 - low
    assert between(count, int(low)) >= 0.95
    assert int(low) + 1 >= count / 2 or between(count, int(low) + 1) < 0.95


@pytest.mark.parametrize(("count", "expected"), [(1, (0, 0)), (5, (0, 4)), (10, (1, 8)), (11, (1, 9)), (30, (9, 20))])
def test_known_intervals(count: int, expected: tuple[int, int]) -> None:
    assert interval([float(number) for number in range(count)]) == expected


def test_pairs_alternate_and_the_warm_up_does_not_count() -> None:
    said: list[str] = []
    rates: Iterator[float] = iter([1000.0, 1.0, *(float(number) for number in range(1, 21))])

    def run(name: str) -> float:
        said.append(name)
        return next(rates)

    ratio = alternate(lambda: run("ours"), lambda: run("peer"), 10)
    assert said == ["ours", "peer"] * 11
    pairs = sorted(number / (number + 1) for number in range(1, 20, 2))
    assert ratio.median == pytest.approx((pairs[4] + pairs[5]) / 2)
    assert (ratio.low, ratio.high) == pytest.approx((pairs[1], pairs[8]))
    assert (ratio.ours, ratio.peer) == (10, 11)


def side(**options: float) -> Side:
    return Side(sys.executable, "tests.bench.side", **options)


def test_a_side_answers_and_what_it_prints_is_no_answer() -> None:
    with side() as one:
        assert one.ask("echo", name="卡", number=1.5) == {"name": "卡", "number": 1.5}
        assert one.ask("echo") == {}
    assert one.process.returncode == 0


def test_a_side_that_raises_is_named_with_its_traceback_and_goes_on() -> None:
    with side() as one:
        with pytest.raises(MeasurementFailed, match=r"(?s)tests\.bench\.side could not fail.*that was too much"):
            one.ask("fail")
        with pytest.raises(MeasurementFailed, match=r"could not nothing(?s:.*)KeyError"):
            one.ask("nothing")
        assert one.ask("echo", a=1) == {"a": 1}


def test_a_side_that_dies_is_named_with_its_exit_code() -> None:
    with side() as one:
        with pytest.raises(MeasurementFailed, match=r"tests\.bench\.side ended with 7 while it was asked to die"):
            one.ask("die")
        with pytest.raises(MeasurementFailed, match=r"tests\.bench\.side has ended with 7 before it was asked to echo"):
            one.ask("echo")


def test_a_side_that_does_not_answer_is_not_waited_for() -> None:
    with (
        pytest.raises(MeasurementFailed, match=r"was asked to pause and has not answered in 0\.2 s"),
        side(answer_s=0.2) as one,
    ):
        one.ask("pause")
    assert one.process.returncode == -9


def test_the_results_are_a_list_of_what_was_measured(tmp_path: Path) -> None:
    least, most = Bound("a against b", 0.9), Bound("c", 3, at_most=True, unit="times")
    results = [least.result(0.9, 0.8, 1.0), most.result(3.01, 2.9, 3.2, "a detail")]
    report.write(results, tmp_path / "results.json")
    assert json.loads((tmp_path / "results.json").read_text()) == [
        {"row": "a against b", "ratio": 0.9, "low": 0.8, "high": 1.0, "bound": 0.9, "holds": True},
        {"row": "c", "ratio": 3.01, "low": 2.9, "high": 3.2, "bound": 3, "holds": False},
    ]
    out = io.StringIO()
    report.show(results, {"cpu": "one"}, Console(file=out, width=120))
    assert "a against b" in out.getvalue()
    assert "does not hold" in out.getvalue()
    assert "a detail" in out.getvalue()
    assert "\x1b" not in out.getvalue()


def test_a_row_names_one_bound_only() -> None:
    rows = Counter(bound.row for measurement in found().values() for bound in measurement.BOUNDS)
    assert rows
    assert [row for row, count in rows.items() if count > 1] == []


def test_the_bounds_are_listed_and_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    assert "codec        encode one event" in capsys.readouterr().out
    with pytest.raises(SystemExit) as ended:
        main(["cadec"])
    assert ended.value.code == 2
    assert "there is no measurement cadec; there are advance, beside, codec" in capsys.readouterr().err


def test_the_machine_is_described() -> None:
    described = machine.describe()
    assert set(described) == {"cpu", "memory", "kernel", "python", "libraries", "peers", "broker"}
    assert "unknown" not in str(described)
    assert "quixstreams" in described["peers"]
