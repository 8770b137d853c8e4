"""A chain as Mermaid text, for documents and pages that draw it. Pure."""

from collections.abc import Iterator

from deptbus.clock import iso
from deptbus.operations.lineage.chain import Chain, Node
from deptbus.operations.lineage.told import Teller, latency_ms
from deptbus.workflow.graph.mermaid import quoted

_CLASSES = {
    "asked": "fill:#eef4ff,stroke:#3538cd,stroke-width:3px,color:#101828",
    "failed": "fill:#fef3f2,stroke:#b42318,color:#101828",
    "letter": "fill:#fef3f2,stroke:#b42318,stroke-dasharray:4,color:#101828",
    "opener": "fill:#ecfdf3,stroke:#027a48,color:#101828",
}


def mermaid(chain: Chain, teller: Teller) -> str:
    """The text of a flowchart. Ids are numbers, so that no name can be a word of Mermaid's own."""
    return "\n".join(_lines(chain, teller)) + "\n"


def _lines(chain: Chain, teller: Teller) -> Iterator[str]:
    numbers = {node.row.id: f"n{number}" for number, node in enumerate(chain.nodes())}
    yield "flowchart TD"
    members: dict[str, list[str]] = {name: [] for name in _CLASSES}
    letters = {letter.row.id for node in chain.nodes() for letter in node.letters}
    for node in chain.nodes():
        yield f'  {numbers[node.row.id]}["{_label(node, teller)}"]'
        for name, holds in (
            ("asked", node.asked),
            ("failed", bool(node.letters)),
            ("letter", node.row.id in letters),
            ("opener", bool(node.opened)),
        ):
            if holds:
                members[name].append(numbers[node.row.id])
                break
    for node in chain.nodes():
        for arrow, below in (("-->", node.effects), ("-.-x", node.letters)):
            for effect in below:
                hop = quoted(f"{latency_ms(effect, node)} ms")
                yield f'  {numbers[node.row.id]} {arrow}|"{hop}"| {numbers[effect.row.id]}'
    for name, style in _CLASSES.items():
        if members[name]:
            yield f"  classDef {name}_ {style}"
            yield f"  class {','.join(members[name])} {name}_"


def _label(node: Node, teller: Teller) -> str:
    row = node.row
    topic, partition, offset = row.place
    lines = [row.type, teller.department(row), f"{topic}[{partition}]@{offset}", iso(row.time_ms)]
    if row.basis:
        lines.append(row.basis)
    return "<br/>".join(quoted(line) for line in lines)
