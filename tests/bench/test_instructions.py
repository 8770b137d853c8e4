"""What the count of instructions makes of its numbers. That it fails on a fifth more needs no Valgrind to be seen."""

import json

from bench.instructions.__main__ import FEWER, MORE, RECORDED, compare
from bench.instructions.work import names
from bench.measurements.codec import TYPES

WAS = {"encode": 0.5, "advance": 2.0}


def test_a_fifth_more_fails_and_says_how_to_record_it() -> None:
    assert compare({"encode": 0.5 * MORE - 0.001, "advance": 2.0}, WAS)[1]
    lines, holds = compare({"encode": 0.5 * MORE + 0.001, "advance": 2.0}, WAS)
    assert not holds
    assert "make test-instructions RECORD=1" in lines[0]
    assert "RECORD" not in lines[1]


def test_what_was_gained_is_to_be_recorded() -> None:
    lines, holds = compare({"encode": 0.5, "advance": 2.0 * FEWER - 0.001}, WAS)
    assert holds
    assert lines[1].endswith("better. Record it, so that it stays: make test-instructions RECORD=1")


def test_every_work_is_recorded() -> None:
    assert list(json.loads(RECORDED.read_text())) == names(TYPES)
