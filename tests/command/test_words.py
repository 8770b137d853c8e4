"""Whatever the timeline can say has a word in both languages, and stands in the glossary."""

import ast
from collections.abc import Iterator
from pathlib import Path

from deptbus.cli import words
from deptbus.schemas.store import load_schemas
from tests.workflow.world import ROOT

NOT_ACTS = {"declined", "completed"}
"""Dispositions with a kind of their own in the timeline."""


def _said(folder: Path) -> Iterator[str]:
    """Every kind that is given to ``timeline`` or ``note``, whichever branch gives it."""
    for file in sorted(folder.glob("*.py")):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                yield from _of_function(function)


def _of_function(function: ast.FunctionDef) -> Iterator[str]:
    assigned = {
        target.id: node.value
        for node in ast.walk(function)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for call in ast.walk(function):
        if not isinstance(call, ast.Call):
            continue
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        given = call.args[0] if name == "timeline" and call.args else call.args[2] if name == "note" else None
        if isinstance(given, ast.Name):
            given = assigned.get(given.id, given)
        for branch in (given.body, given.orelse) if isinstance(given, ast.IfExp) else (given,):
            if isinstance(branch, ast.Constant):
                yield str(branch.value)


def kinds() -> set[str]:
    """All kinds of timeline records."""
    store = load_schemas(ROOT)
    fields = store.newest("command.TaskAnswered").schema["fields"]
    (symbols,) = [field["type"]["symbols"] for field in fields if field["name"] == "disposition"]
    answers = set(symbols) - NOT_ACTS
    return set(_said(ROOT / "deptbus" / "workflow")) | answers | {f"{kind}_late" for kind in answers}


def test_every_kind_has_a_word_in_chinese_and_in_english() -> None:
    found = kinds()
    assert {"opened", "unmatched", "task_requested_again", "completed_late", "committed", "acknowledged_late"} <= found
    assert [kind for kind in sorted(found) if not _is_chinese(words.word(kind, "zh"))] == []
    assert [kind for kind in sorted(found) if "_" in words.word(kind, "en")] == []


def test_every_kind_stands_in_the_glossary() -> None:
    glossary = (ROOT / "docs" / "GLOSSARY.md").read_text(encoding="utf-8")
    told = glossary.partition("## What the timeline says")[2]
    missing = [kind for kind in sorted(kinds()) if f"`{kind.removesuffix('_late')}`" not in told]
    assert missing == []


def _is_chinese(text: str) -> bool:
    return bool(text) and not any(letter.isascii() for letter in text)
