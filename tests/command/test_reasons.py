"""The engine's reasons are read in both languages; what people wrote stays as it is."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from deptbus.desk.reasons import in_words

ENGINE = Path(__file__).parents[2] / "deptbus" / "workflow"


@pytest.mark.parametrize(
    ("reason", "zh"),
    [
        ("the closing condition holds", "满足结束条件"),
        ("the rule table gives II for 50", "按分级标准，数值 50 对应 II 级"),
        ("rule:cases_confirmed", "规则 cases_confirmed 生效"),
        ("level", "响应级别变更"),
        ("opened", "事件立案"),
        ("no longer in 440300: level", "不再涉及 440300（level）"),
        ("acknowledge_by by police", "police 超过期限（acknowledge_by）"),
    ],
)
def test_a_reason_is_read_in_chinese(reason: str, zh: str) -> None:
    assert in_words(reason).zh == zh


def test_a_trigger_is_a_sentence_in_english() -> None:
    assert in_words("timer:quiet").en == "the timer quiet fell due"


@pytest.mark.parametrize("reason", ["疫情平稳", "by order of the mayor", "rule:", "level:II", "unknown:thing", ""])
def test_what_people_wrote_stays_as_it_is(reason: str) -> None:
    assert in_words(reason) == (reason, reason)


def test_every_sentence_of_the_engine_has_chinese_words() -> None:
    found = {text for path in ENGINE.glob("*.py") for text in _reasons(ast.parse(path.read_text()))}
    assert len(found) > 15
    assert [text for text in sorted(found) if in_words(text).zh == text] == []


def _reasons(tree: ast.AST) -> Iterator[str]:
    """What is given as a reason of the timeline in so many words; what is filled in is a 1."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            if name in ("timeline", "note"):
                for keyword in node.keywords:
                    if keyword.arg == "reason" and (text := _text(keyword.value)):
                        yield text


def _text(node: ast.expr) -> str | None:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "1" for part in node.values)
    return None
