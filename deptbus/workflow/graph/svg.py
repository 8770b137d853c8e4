"""A graph as an SVG picture: shapes and lines tell kinds apart, colours only besides. Pure."""

from collections.abc import Iterator, Mapping
from html import escape
from typing import NamedTuple
from unicodedata import east_asian_width

from deptbus.workflow.graph.layout import Box, Point, layout
from deptbus.workflow.graph.model import Edge, Graph, Node, Way
from deptbus.workflow.graph.routes import Route, routes
from deptbus.workflow.said import Said

_FONT = 13.0
"""Size of text, in pixels; a wide character is as wide as that."""
_NARROW = 0.58
"""Width of any other character in sizes of text; generous, for fonts differ."""
_LINE = 18.0
_PAD_X, _PAD_Y = 14.0, 9.0
_MARGIN = 28.0
_TITLE = 40.0
_LEGEND = 64.0
_INK, _PAPER = "#101828", "#ffffff"


class _Style(NamedTuple):
    """How nodes of a kind look, and what the legend calls them."""

    fill: str
    stroke: str
    said: Said


_NODES = {
    "rule": _Style("#eef4ff", "#3538cd", Said("事件", "event")),
    "trigger": _Style("#f4f3ff", "#5925dc", Said("变化", "change")),
    "timer": _Style("#fffaeb", "#b54708", Said("定时", "timer")),
    "gate": _Style("#fef6ee", "#b93815", Said("审批关口", "gate")),
    "step": _Style("#ffffff", "#344054", Said("环节", "step")),
    "closes": _Style("#ecfdf3", "#027a48", Said("办结", "end")),
    "ladder": _Style("#fdf2fa", "#c11574", Said("升级阶梯", "escalation")),
}


class _Line(NamedTuple):
    """How edges of a way look."""

    colour: str
    width: float
    dashes: str
    said: Said


_WAYS: Mapping[Way, _Line] = {
    "asks": _Line("#344054", 1.6, "", Said("下达", "asks for")),
    "brings": _Line("#98a2b3", 1.2, "", Said("带来事件", "brings")),
    "starts": _Line("#b54708", 1.2, "", Said("启动定时", "starts")),
    "sets": _Line("#98a2b3", 1.2, "2 4", Said("决定", "decides")),
    "cancels": _Line("#b42318", 1.4, "8 4", Said("取消", "cancels")),
    "retargets": _Line("#175cd3", 1.4, "8 3 2 3", Said("重新定向", "retargets")),
    "stops": _Line("#5925dc", 1.2, "4 2 1 2", Said("暂停或恢复计时", "stops or starts the clock")),
    "escalates": _Line("#c11574", 1.0, "1 3", Said("升级", "escalates")),
}


def svg(graph: Graph, lang: str) -> str:
    """The picture, with a title and a description for who cannot see it."""
    sizes = {node.id: _size(node, lang) for node in graph.nodes}
    boxes, bends = layout(graph, sizes)
    drawn = routes(graph, boxes, bends)
    width = max(box.x + box.width / 2 for box in boxes.values())
    bottom = max((y for route in drawn for _, y in route.points), default=0.0)
    height = max(bottom, *(box.y + box.height / 2 for box in boxes.values()))
    top = min((y for route in drawn for _, y in route.points), default=0.0)
    body = [*_edges(graph, drawn, lang), *(part for node in graph.nodes for part in _node(node, boxes[node.id], lang))]
    legend = _legend(graph, height + _LEGEND / 2, lang)
    title, what = graph.title.in_(lang), _description(graph).in_(lang)
    return "\n".join(
        [
            _head(width + 2 * _MARGIN, height - min(top, 0) + 2 * _MARGIN + _TITLE + _LEGEND),
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="description">{escape(what)}</desc>',
            f"<defs>{''.join(map(_marker, _WAYS))}</defs>",
            f'<rect width="100%" height="100%" fill="{_PAPER}"/>',
            f'<text x="{_MARGIN:g}" y="{_MARGIN + 8:g}" font-size="20" font-weight="bold">{escape(title)}</text>',
            f'<g transform="translate({_MARGIN:g} {_MARGIN + _TITLE - min(top, 0):.1f})">',
            *body,
            *legend,
            "</g>",
            "</svg>",
            "",
        ]
    )


def _head(width: float, height: float) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-labelledby="title description" '
        f'font-family="sans-serif" font-size="{_FONT:g}" fill="{_INK}">'
    )


def text_width(text: str, bold: bool = False) -> float:
    """About how wide a text is, in pixels."""
    sizes = sum(1.0 if east_asian_width(sign) in "WF" else _NARROW for sign in text)
    return sizes * _FONT * (1.06 if bold else 1.0)


def _size(node: Node, lang: str) -> Point:
    width = max(text_width(line.in_(lang), bold=number == 0) for number, line in enumerate(node.lines))
    extra = {"gate": 24.0, "timer": 24.0}.get(node.kind, 0.0)
    return width + 2 * _PAD_X + extra, len(node.lines) * _LINE + 2 * _PAD_Y


def _description(graph: Graph) -> Said:
    count = {kind: sum(node.kind == kind for node in graph.nodes) for kind in _NODES}
    return Said(
        f"协同流程图：{count['rule']} 条事件规则、{count['step']} 个环节、{count['gate']} 个审批关口、"
        f"{count['timer']} 个定时。从左到右：事件下达环节，环节带来事件，直至办结。",
        f"The workflow as a graph of {count['rule']} events, {count['step']} steps, {count['gate']} gates and "
        f"{count['timer']} timers. From left to right events ask for steps, and steps bring events, up to the end.",
    )


def _marker(way: Way) -> str:
    """The end of a line: an arrow, or a cross where something is cancelled."""
    colour = _WAYS[way].colour
    shape = (
        f'<path d="M1 1 L9 9 M9 1 L1 9" stroke="{colour}" stroke-width="2" fill="none"/>'
        if way == "cancels"
        else f'<path d="M0 0 L10 5 L0 10 z" fill="{colour}"/>'
    )
    return (
        f'<marker id="end-{way}" viewBox="0 0 10 10" refX="10" refY="5" markerWidth="9" '
        f'markerHeight="9" markerUnits="userSpaceOnUse" orient="auto">{shape}</marker>'
    )


def _edges(graph: Graph, drawn: list[Route], lang: str) -> Iterator[str]:
    for edge, route in sorted(zip(graph.edges, drawn, strict=True), key=lambda pair: pair[0].way == "asks"):
        line = _WAYS[edge.way]
        dashes = f' stroke-dasharray="{line.dashes}"' if line.dashes else ""
        yield (
            f'<path d="{route.path}" fill="none" stroke="{line.colour}" stroke-width="{line.width:g}"{dashes} '
            f'marker-end="url(#end-{edge.way})"><title>{escape(_way(graph, edge, lang))}</title></path>'
        )
    for edge, route in zip(graph.edges, drawn, strict=True):
        label = edge.label.in_(lang)
        if label and edge.way == "asks":
            x, y = route.label
            width = text_width(label) * 0.85 + 6
            yield f'<rect x="{x - width / 2:.1f}" y="{y - 8:.1f}" width="{width:.1f}" height="16" fill="{_PAPER}"/>'
            yield f'<text x="{x:.1f}" y="{y + 4:.1f}" font-size="11" text-anchor="middle">{escape(label)}</text>'


def _way(graph: Graph, edge: Edge, lang: str) -> str:
    first = {node.id: node.lines[0].in_(lang) for node in graph.nodes}
    return f"{first[edge.source]} → {first[edge.target]} ({_WAYS[edge.way].said.in_(lang)})"


def _node(node: Node, box: Box, lang: str) -> Iterator[str]:
    details = "\n".join([line.in_(lang) for line in node.lines] + list(node.details))
    yield f"<g><title>{escape(details)}</title>{_shape(node.kind, box)}"
    top = box.y - len(node.lines) * _LINE / 2 + _LINE * 0.74
    for number, line in enumerate(node.lines):
        weight = ' font-weight="bold"' if number == 0 else ' font-size="12"'
        place = f'x="{box.x:.1f}" y="{top + number * _LINE:.1f}" text-anchor="middle"{weight}'
        yield f"<text {place}>{escape(line.in_(lang))}</text>"
    yield "</g>"


def _shape(kind: str, box: Box) -> str:
    style = _NODES[kind]
    left, top = box.x - box.width / 2, box.y - box.height / 2
    right, bottom = left + box.width, top + box.height
    paint = f'fill="{style.fill}" stroke="{style.stroke}" stroke-width="1.5"'
    if kind == "gate":
        inner, outer = (left + 14, right - 14), (left, right)
        corners = [(inner[0], top), (inner[1], top), (outer[1], box.y), (inner[1], bottom), (inner[0], bottom)]
        return _polygon([*corners, (outer[0], box.y)], paint)
    if kind == "timer":
        return _polygon([(left + 14, top), (right, top), (right - 14, bottom), (left, bottom)], paint)
    radius = {"rule": min(box.height / 2, 20), "trigger": box.height / 2, "closes": box.height / 2}.get(kind, 4)
    frame = _frame(left, top, box.width, box.height, radius, paint)
    if kind in {"closes", "ladder"}:  # a second frame
        line = f'fill="none" stroke="{style.stroke}"'
        frame += _frame(left + 3, top + 3, box.width - 6, box.height - 6, max(radius - 3, 2), line)
    return frame


def _frame(x: float, y: float, width: float, height: float, radius: float, paint: str) -> str:
    size = f'width="{width:.1f}" height="{height:.1f}" rx="{radius:g}"'
    return f'<rect x="{x:.1f}" y="{y:.1f}" {size} {paint}/>'


def _polygon(points: list[Point], paint: str) -> str:
    return f'<polygon points="{" ".join(f"{x:.1f},{y:.1f}" for x, y in points)}" {paint}/>'


def _legend(graph: Graph, y: float, lang: str) -> Iterator[str]:
    """The kinds of nodes and lines that are there, each by its name."""
    x = 0.0
    for kind, style in _NODES.items():
        if any(node.kind == kind for node in graph.nodes):
            said = style.said.in_(lang)
            box = Box(x + 20, y, 40, 20)
            yield f'{_shape(kind, box)}<text x="{x + 48:.1f}" y="{y + 4:.1f}">{escape(said)}</text>'
            x += 48 + text_width(said) + 24
    for way, line in _WAYS.items():
        if any(edge.way == way for edge in graph.edges):
            said = line.said.in_(lang)
            dashes = f' stroke-dasharray="{line.dashes}"' if line.dashes else ""
            yield (
                f'<path d="M{x:.1f} {y:.1f} h44" stroke="{line.colour}" stroke-width="{line.width:g}"{dashes} '
                f'marker-end="url(#end-{way})"/><text x="{x + 52:.1f}" y="{y + 4:.1f}">{escape(said)}</text>'
            )
            x += 52 + text_width(said) + 24
