"""A workflow as a picture: everything that it says is drawn, and what is drawn can be read by others."""

import os
import re
import subprocess
import sys
from itertools import pairwise
from xml.etree import ElementTree as ET

import pytest

from deptbus.workflow.graph.layout import Box, layout
from deptbus.workflow.graph.mermaid import mermaid
from deptbus.workflow.graph.model import Graph, Node, graph_of
from deptbus.workflow.graph.svg import svg, text_width
from deptbus.workflow.load import workflow_names
from deptbus.workflow.pack import APPROVAL
from deptbus.workflow.said import Said
from tests.workflow.definitions import CASES, rule, small, step
from tests.workflow.test_diff import GATE, STOP, TIMER
from tests.workflow.world import ROOT, pack_of, workflow

SVG = "{http://www.w3.org/2000/svg}"
NAMES = workflow_names(ROOT)
SHORT = rule("short", "hospitals.ResourceShort")


def drawn(**changes: object) -> Graph:
    return graph_of(small(**changes))


def edges(graph: Graph) -> set[tuple[str, str, str]]:
    return {(edge.source, edge.target, edge.way) for edge in graph.edges}


def test_a_gate_stands_before_its_step() -> None:
    found = edges(drawn(steps=[step("ban", "rule:cases", gate=GATE), step("after", "declined:ban_approval")]))
    assert found >= {
        ("rule:cases", "step:ban_approval", "asks"),
        ("step:ban_approval", "step:ban", "asks"),
        ("step:ban_approval", "step:after", "asks"),
    }


def test_what_cancels_retargets_starts_and_stops_is_told_apart() -> None:
    moving = step(
        "move", "opened", cancelled_by=["timer:quiet"], retargeted_by=["rule:cases"], for_regions="region", stops=[STOP]
    )
    found = edges(drawn(rules=[CASES | {"restart": ["quiet"]}, SHORT], timers=[TIMER], steps=[moving]))
    assert found == {
        ("rule:cases", "opened", "asks"),
        ("opened", "step:move", "asks"),
        ("timer:quiet", "step:move", "cancels"),
        ("rule:cases", "step:move", "retargets"),
        ("rule:cases", "timer:quiet", "starts"),
        ("rule:short", "step:move", "stops"),
        ("rule:cases", "closes", "sets"),
    }


def test_a_step_says_who_until_when_and_that_it_goes_region_by_region() -> None:
    (node,) = [one for one in drawn(steps=[step("move", for_regions="region", every="9h")]).nodes if one.kind == "step"]
    assert [line.en for line in node.lines] == [
        "Test", "by health_authority", "acknowledge 1h · complete 4h", "again every 9h", "one for each region",
    ]  # fmt: skip


def test_ladders_are_drawn_where_they_are_asked_for() -> None:
    pack = small(steps=[step("one"), step("two", escalate=[{"at": "acknowledge_by", "to": "police"},
                                                           {"at": "complete_by", "to": "police"}])])  # fmt: skip
    assert [node for node in graph_of(pack).nodes if node.kind == "ladder"] == []
    found = graph_of(pack, escalation=True)
    assert {edge for edge in edges(found) if edge[2] == "escalates"} == {
        ("step:one", "ladder:1", "escalates"),
        ("step:two", "ladder:2", "escalates"),
    }


@pytest.mark.parametrize("name", NAMES)
def test_everything_of_a_workflow_is_drawn(name: str) -> None:
    pack = pack_of(workflow(name))
    graph = graph_of(pack, escalation=True)
    named = {node.id for node in graph.nodes}
    assert named >= {f"step:{step}" for step in pack.steps} | {f"rule:{rule}" for rule in pack.rules} | {"closes"}
    assert {edge.source for edge in graph.edges} | {edge.target for edge in graph.edges} <= named
    assert sum(node.kind == "gate" for node in graph.nodes) == sum(step.endswith(APPROVAL) for step in pack.steps)


STATEMENT = re.compile(
    r'  (?:n\d+(?:\(\[|\(\(|\(\(\(|\[/|\{\{|\[|\[\()"[^"]*"(?:\]\)|\)\)|\)\)\)|/\]|\}\}|\]|\)\])'
    r'|n\d+ (?:-->|-\.->|-\.-x)(?:\|"[^"]*"\|)? n\d+'
    r"|linkStyle [\d,]+ [\w:#.,-]+|classDef \w+ [\w:#.,-]+|class [n\d,]+ \w+|acc(?:Title|Descr): [^{};#]+)"
)


@pytest.mark.parametrize("name", NAMES)
def test_mermaid_has_one_statement_a_line(name: str) -> None:
    first, *rest = mermaid(graph_of(pack_of(workflow(name)), escalation=True), "zh").splitlines()
    assert first == "flowchart LR"
    assert [line for line in rest if not STATEMENT.fullmatch(line)] == []


def test_mermaid_reads_no_text_as_its_own() -> None:
    nasty = 'end "x" <b>#quot; `y` | {z} [a] (b) \n & ; 中文'
    graph = Graph(Said(nasty, nasty), (Node("rule:end", "rule", (Said(nasty, nasty),)),), ())
    (line,) = [one for one in mermaid(graph, "en").splitlines() if one.startswith("  n0")]
    assert STATEMENT.fullmatch(line.partition("\n")[0])
    assert not set(line.removeprefix('  n0(["').removesuffix('"])').replace("#", "")) & set('"<>`|{}[]()&')
    assert "#34;x#34;" in line


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", NAMES)
def test_a_picture_says_what_it_is_and_holds_its_text(name: str, lang: str) -> None:
    graph = graph_of(pack_of(workflow(name)))
    root = ET.fromstring(svg(graph, lang))
    labelled = [root.find(f"{SVG}{part}") for part in ("title", "desc")]
    assert [one.get("id") for one in labelled if one is not None] == root.get("aria-labelledby", "").split()
    assert graph.title.in_(lang) == (labelled[0].text if labelled[0] is not None else "")
    texts = [text.text for text in root.iter(f"{SVG}text")]
    assert {line.in_(lang) for node in graph.nodes for line in node.lines} <= set(texts)
    assert root.get("font-family") == "sans-serif"


@pytest.mark.parametrize("name", NAMES)
def test_no_two_nodes_of_a_picture_overlap(name: str) -> None:
    graph = graph_of(pack_of(workflow(name)), escalation=True)
    boxes, _ = layout(graph, {node.id: (200.0, 20.0 * len(node.lines)) for node in graph.nodes})
    found = list(boxes.values())
    assert not [(one, other) for index, one in enumerate(found) for other in found[index + 1 :] if _overlap(one, other)]


def _overlap(one: Box, other: Box) -> bool:
    return (
        abs(one.x - other.x) < (one.width + other.width) / 2 and abs(one.y - other.y) < (one.height + other.height) / 2
    )


def test_what_goes_round_in_circles_is_drawn() -> None:
    again = step("again", "rule:short", completed_by=["hospitals.ResourceShort"])
    graph = drawn(rules=[CASES | {"set": {}}, SHORT], steps=[again])
    assert {("rule:short", "step:again", "asks"), ("step:again", "rule:short", "brings")} <= edges(graph)
    boxes, _ = layout(graph, {node.id: (200.0, 40.0) for node in graph.nodes})
    assert boxes["rule:short"].x != boxes["step:again"].x


def test_ways_of_lines_differ_by_more_than_colour() -> None:
    moving = step("move", "opened", "rule:short", cancelled_by=["timer:quiet"], retargeted_by=["rule:cases"],
                  for_regions="region")  # fmt: skip
    root = ET.fromstring(svg(drawn(rules=[CASES, SHORT], timers=[TIMER], steps=[moving]), "en"))
    looks = {
        path.get("marker-end"): (path.get("stroke-dasharray"), path.get("stroke-width"))
        for path in root.iter(f"{SVG}path") if path.get("marker-end")
    }  # fmt: skip
    assert len(looks) == len(set(looks.values())) == 4


def test_wide_characters_are_measured_as_wide() -> None:
    widths = [text_width("疫" * count) for count in (1, 2, 3)]
    assert {round(other - one, 6) for one, other in pairwise(widths)} == {round(widths[0], 6)}
    assert text_width("疫情") > text_width("ab")


def test_a_picture_is_the_same_whoever_draws_it() -> None:
    script = (
        "import hashlib; from tests.workflow.test_graph import *; "
        "print(hashlib.sha256(svg(graph_of(pack_of(workflow('leak'))), 'zh').encode()).hexdigest())"
    )
    said = {
        subprocess.run(
            [sys.executable, "-c", script], cwd=ROOT, env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True, text=True, timeout=60, check=True,
        ).stdout
        for seed in ("1", "2", "3", "4")
    }  # fmt: skip
    assert len(said) == 1
