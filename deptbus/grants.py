"""What a grant leaves of an event's data: the fields it names, and nothing else."""

from collections.abc import Callable, Iterable
from typing import Any

Tree = dict[str, "Tree | None"]
"""Field names to the fields kept below them; None keeps all."""


def projection(paths: Iterable[str]) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """A function that keeps these field paths (``patient.age``) of a record; arrays and maps are looked through."""
    tree: Tree = {}
    for path in paths:
        _add(tree, path.split("."))
    return lambda data: {name: _keep(below, data[name]) for name, below in tree.items() if name in data}


def _add(tree: Tree, path: list[str]) -> None:
    name, rest = path[0], path[1:]
    if not rest:
        tree[name] = None
        return
    below = tree.setdefault(name, {})
    if below is not None:  # the whole is kept already
        _add(below, rest)


def _keep(tree: Tree | None, value: Any) -> Any:
    if tree is None:
        return value
    if isinstance(value, dict):
        return {name: _keep(below, value[name]) for name, below in tree.items() if name in value}
    if isinstance(value, list):
        return [_keep(tree, item) for item in value]
    return value
