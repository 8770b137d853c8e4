"""How the edges of a placed graph run: from side to side, each with an end of its own, in curves. Pure."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise

from deptbus.workflow.graph.layout import Box, Point
from deptbus.workflow.graph.model import Edge, Graph

_ENDS = 0.8
"""How much of a node's side its edges share."""
_BEND = 40.0


@dataclass(frozen=True, slots=True)
class Route:
    """A drawn edge: the points that it passes, its path as SVG writes it, and where its label stands."""

    points: tuple[Point, ...]
    path: str
    label: Point


def routes(graph: Graph, boxes: Mapping[str, Box], bends: Mapping[int, list[Point]]) -> list[Route]:
    """The routes of all edges, in their order."""
    sides = [_sides(edge, boxes) for edge in graph.edges]
    ends: dict[tuple[str, int], list[tuple[float, int, bool]]] = defaultdict(list)
    for number, edge in enumerate(graph.edges):
        through = bends.get(number, [])
        out, into = sides[number]
        ends[edge.source, out].append((through[0][1] if through else boxes[edge.target].y, number, True))
        ends[edge.target, into].append((through[-1][1] if through else boxes[edge.source].y, number, False))
    places: dict[tuple[int, bool], Point] = {}
    for (name, side), meeting in ends.items():
        box = boxes[name]
        for index, (_, number, is_start) in enumerate(sorted(meeting)):
            y = box.y + box.height * _ENDS * ((index + 0.5) / len(meeting) - 0.5)
            places[number, is_start] = (box.x + side * box.width / 2, y)
    return [
        _route(places[number, True], bends.get(number, []), places[number, False], sides[number])
        for number in range(len(graph.edges))
    ]


def _sides(edge: Edge, boxes: Mapping[str, Box]) -> tuple[int, int]:
    """On which side an edge leaves and on which it arrives: -1 left, 1 right."""
    source, target = boxes[edge.source], boxes[edge.target]
    if source.x + source.width / 2 <= target.x - target.width / 2:
        return 1, -1
    if source.x - source.width / 2 >= target.x + target.width / 2:
        return -1, 1
    return 1, 1


def _route(start: Point, through: list[Point], end: Point, sides: tuple[int, int]) -> Route:
    points = (start, *through, end)
    out, into = sides
    parts = [f"M{start[0]:.1f} {start[1]:.1f}"]
    for number, (one, other) in enumerate(pairwise(points)):
        reach = max(_BEND, abs(other[0] - one[0]) / 2)
        leaves = out if number == 0 else -into
        arrives = into if number == len(points) - 2 else -out
        parts.append(
            f"C{one[0] + leaves * reach:.1f} {one[1]:.1f} {other[0] + arrives * reach:.1f} {other[1]:.1f} "
            f"{other[0]:.1f} {other[1]:.1f}"
        )
    first, second = points[0], points[1]
    return Route(points, " ".join(parts), ((first[0] + second[0]) / 2, (first[1] + second[1]) / 2))
