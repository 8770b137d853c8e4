"""A graph as Mermaid text, for documents and pages that draw it. Pure."""

from collections.abc import Iterator

from deptbus.workflow.graph.model import Edge, Graph, Node
from deptbus.workflow.said import Said

_SHAPES = {
    "rule": ("([", "])"),
    "trigger": ("((", "))"),
    "timer": ("[/", "/]"),
    "gate": ("{{", "}}"),
    "step": ("[", "]"),
    "closes": ("(((", ")))"),
    "ladder": ("[(", ")]"),
}
_ARROWS = {
    "asks": "-->", "brings": "-->", "starts": "-->", "sets": "-.->", "cancels": "-.-x", "retargets": "-.->",
    "stops": "-.->", "escalates": "-.->",
}  # fmt: skip
_STYLES = {
    "brings": "stroke:#8a8f98,stroke-width:1px",
    "sets": "stroke:#8a8f98,stroke-width:1px",
    "cancels": "stroke:#b42318,stroke-width:1.5px",
    "retargets": "stroke:#175cd3,stroke-width:1.5px",
    "stops": "stroke:#5925dc,stroke-width:1px",
    "escalates": "stroke:#93370d,stroke-width:1px",
}
_CLASSES = {
    "rule": "fill:#eef4ff,stroke:#3538cd,color:#101828",
    "trigger": "fill:#f4f3ff,stroke:#5925dc,color:#101828",
    "timer": "fill:#fffaeb,stroke:#b54708,color:#101828",
    "gate": "fill:#fef6ee,stroke:#b93815,color:#101828",
    "step": "fill:#ffffff,stroke:#344054,color:#101828",
    "closes": "fill:#ecfdf3,stroke:#027a48,color:#101828",
    "ladder": "fill:#fdf2fa,stroke:#c11574,color:#101828",
}


def mermaid(graph: Graph, lang: str) -> str:
    """The text of a flowchart. Ids are numbers, so that no name can be a word of Mermaid's own."""
    return "\n".join(_lines(graph, lang)) + "\n"


def _lines(graph: Graph, lang: str) -> Iterator[str]:
    ids = {node.id: f"n{number}" for number, node in enumerate(graph.nodes)}
    yield "flowchart LR"
    yield f"  accTitle: {one_line(graph.title.in_(lang))}"
    yield f"  accDescr: {Said('协同流程图', 'the workflow as a graph').in_(lang)}"
    for node in graph.nodes:
        yield f"  {ids[node.id]}{_node(node, lang)}"
    for edge in graph.edges:
        yield f"  {ids[edge.source]} {_arrow(edge, lang)} {ids[edge.target]}"
    for way, style in _STYLES.items():
        numbers = ",".join(str(number) for number, edge in enumerate(graph.edges) if edge.way == way)
        if numbers:
            yield f"  linkStyle {numbers} {style}"
    for kind, style in _CLASSES.items():
        members = ",".join(ids[node.id] for node in graph.nodes if node.kind == kind)
        if members:
            yield f"  classDef {kind}_ {style}"
            yield f"  class {members} {kind}_"


def _node(node: Node, lang: str) -> str:
    opening, closing = _SHAPES[node.kind]
    return f'{opening}"{"<br/>".join(quoted(line.in_(lang)) for line in node.lines)}"{closing}'


def _arrow(edge: Edge, lang: str) -> str:
    arrow, label = _ARROWS[edge.way], edge.label.in_(lang)
    return f'{arrow}|"{quoted(label)}"|' if label else arrow


def quoted(text: str) -> str:
    """Text within quotation marks: what Mermaid or its HTML would read as their own is written as its number."""
    return "".join(
        f"#{ord(sign)};" if sign in '"#%<>&;`|{}[]()\\' else " " if sign in "\r\n" else sign for sign in text
    )


def one_line(text: str) -> str:
    """Text of a line of its own, which Mermaid reads to its end."""
    return "".join(" " if sign in "\r\n{};#" else sign for sign in text)
