"""The heads that a machine keeps."""

from pathlib import Path

from deptbus.operations.chain import Head
from deptbus.operations.heads import Heads

FIRST, SECOND = Head(1, "a" * 64), Head(2, "b" * 64)


def test_heads_are_kept_by_cluster_and_topic_in_order(tmp_path: Path) -> None:
    heads = Heads(tmp_path, "cluster", "bus.audit", "one")
    heads.keep(FIRST)
    heads.keep(SECOND)
    assert Heads(tmp_path, "cluster", "bus.audit", "one").seen() == [FIRST, SECOND]
    assert Heads(tmp_path, "another", "bus.audit", "one").seen() == []


def test_those_of_an_earlier_topic_are_told_apart(tmp_path: Path) -> None:
    before = Heads(tmp_path, "cluster", "bus.audit", "E7XLQLWtQWGx/s+g")  # an id may hold a slash
    before.keep(SECOND)
    after = Heads(tmp_path, "cluster", "bus.audit", "two")
    assert (after.seen(), after.elsewhere()) == ([], (before.path, SECOND))
    assert before.path.parent == after.path.parent
    assert Heads(tmp_path, "cluster", "ns.demo.bus.audit", "two").elsewhere() is None


def test_a_line_that_was_cut_short_is_passed_over(tmp_path: Path) -> None:
    heads = Heads(tmp_path, "cluster", "bus.audit", "one")
    heads.keep(FIRST)
    with heads.path.open("a") as file:
        file.write("2:abc")
    assert heads.seen() == [FIRST]
