"""What the summary of an exercise counts of the events that were brought in."""

from deptbus.exercise.summary import Figure, Summary

EVENTS = [{"count": 3, "kind": "b"}, {"count": 4, "kind": "a"}, {"count": 0, "kind": "b"}]


def test_a_figure_counts_sums_or_tells_apart() -> None:
    assert Figure("events", "x.Y").of(EVENTS) == 3
    assert Figure("cases", "x.Y", sum_of="count").of(EVENTS) == 7
    assert Figure("kinds", "x.Y", by="kind").of(EVENTS) == {"a": 1, "b": 2}


def test_figures_stand_among_the_other_numbers() -> None:
    data = Summary(incidents=2, figures={"cases": 7}, imported={"x.Y": 3}).to_data()
    assert (data["cases"], data["incidents"], data["imported"]) == (7, 2, {"x.Y": 3})
    assert "figures" not in data
