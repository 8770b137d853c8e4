"""Where the nodes of a graph stand and how its edges run: layers from left to right (Sugiyama, by grandalf). Pure.

What cancels leads back, so it does not decide who stands where: it runs between the nodes as the others place them.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from grandalf.graphs import Edge as DrawnEdge
from grandalf.graphs import Vertex, graph_core
from grandalf.layouts import SugiyamaLayout
from grandalf.routing import EdgeViewer

from deptbus.workflow.graph.model import Graph

Point = tuple[float, float]
_APART_LAYERS, _APART_NODES = 90, 22
"""Free space between layers, and between nodes of one, in pixels."""
_BACK = frozenset({"cancels", "escalates"})
_BESIDE = 7.0
"""How far apart edges between the same two nodes run, in pixels."""
_ROUNDS = 24
"""How often the order within the layers is gone over to let edges cross less."""


@dataclass(frozen=True, slots=True)
class Box:
    """A node's place: its middle and its size, in pixels."""

    x: float
    y: float
    width: float
    height: float


@dataclass(slots=True)
class _View:
    """What grandalf reads and writes of a node; its layers run downwards, so width and height are exchanged."""

    w: float
    h: float
    xy: Point = (0.0, 0.0)


def layout(graph: Graph, sizes: Mapping[str, Point]) -> tuple[dict[str, Box], dict[int, list[Point]]]:
    """Boxes by node, and by the number of an edge the points between its ends where it bends."""
    drawn: dict[tuple[str, str], list[int]] = {}
    for number, edge in enumerate(graph.edges):
        if edge.way not in _BACK and edge.source != edge.target:
            drawn.setdefault((edge.source, edge.target), []).append(number)
    top = 0.0
    boxes: dict[str, Box] = {}
    bends: dict[int, list[Point]] = {}
    for names in sorted(_parts([node.id for node in graph.nodes], drawn), key=lambda names: -len(names)):
        part = _part(names, drawn, sizes)
        sugiyama = SugiyamaLayout(part)
        sugiyama.xspace, sugiyama.yspace = _APART_NODES, _APART_LAYERS
        sugiyama.init_all(roots=[v for v in part.sV if not v.e_in()] or None)
        sugiyama.draw(_ROUNDS)
        left = min(v.view.xy[0] - v.view.w / 2 for v in part.sV)
        for vertex in part.sV:
            along, down = vertex.view.xy
            boxes[vertex.data] = Box(down, along - left + top, vertex.view.h, vertex.view.w)
        for edge in part.sE:
            for index, number in enumerate(edge.data):
                bends[number] = [(y, x - left + top + index * _BESIDE) for x, y in edge.view._pts[1:-1]]
        top = max(box.y + box.height / 2 for box in boxes.values()) + 2 * _APART_NODES
    return boxes, bends


def _part(names: list[str], drawn: Mapping[tuple[str, str], list[int]], sizes: Mapping[str, Point]) -> graph_core:
    """What hangs together, as grandalf sees it. Made in order: its own search for parts goes through sets."""
    vertices = {name: Vertex(name) for name in names}
    for name, vertex in vertices.items():
        width, height = sizes[name]
        vertex.view = _View(height, width)
    edges = [
        DrawnEdge(vertices[one], vertices[other], data=same) for (one, other), same in drawn.items() if one in vertices
    ]
    for edge in edges:
        edge.view = EdgeViewer()
    return graph_core(list(vertices.values()), edges)


def _parts(names: list[str], drawn: Iterable[tuple[str, str]]) -> list[list[str]]:
    """The nodes that hang together by edges, each part in the order of the nodes."""
    part = {name: index for index, name in enumerate(names)}
    for one, other in drawn:
        kept, given_up = sorted((part[one], part[other]))
        part = {name: kept if index == given_up else index for name, index in part.items()}
    return [[name for name in names if part[name] == index] for index in sorted(set(part.values()))]
