"""CEL expressions of workflow definitions: compiled and type-checked when loaded, then evaluated.

Most are evaluated as Python functions (``translate``); the library is their checker, and evaluates whatever has no
value or is not translated. Both have the same values.

Variables have qualified names (``event.count``, ``facts.cases``), so an unknown field is an error of
compilation, with its position. A nullable field is declared ``dyn``. Besides CEL's own functions and its
standard extensions for strings and math there are, all pure:

- ``city(region)``: the first four digits and "00"; ``province(region)``: the first two and "0000".
- ``covers(region, region)``: whether the first contains the second, by the digits that say something.
- ``max(int, int)`` and ``min(int, int)``.

These five are rewritten into CEL's own before evaluation: cel-expr-python 0.1.3 keeps the arguments of every
call of a function written in Python for ever (50 to 180 bytes a call, measured).
"""

import re
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import Any, Literal, NamedTuple, Protocol

from cel_expr_python import cel
from cel_expr_python.ext.ext_math import ExtMath
from cel_expr_python.ext.ext_strings import ExtStrings

from deptbus.errors import BusError, DefinitionError
from deptbus.workflow import syntax
from deptbus.workflow.hints import hint
from deptbus.workflow.translate import translated

Result = Literal["bool", "int", "string", "double", "any"]

_TYPES: dict[str, Any] = {
    "int": cel.Type.INT,
    "double": cel.Type.DOUBLE,
    "string": cel.Type.STRING,
    "bool": cel.Type.BOOL,
    "bytes": cel.Type.BYTES,
    "dyn": cel.Type.DYN,
}
_PYTHON: dict[str, type] = {"int": int, "double": float, "string": str, "bool": bool}
_FUNCTIONS = {
    "city": (("string",), "string"),
    "province": (("string",), "string"),
    "covers": (("string", "string"), "bool"),
    "max": (("int", "int"), "int"),
    "min": (("int", "int"), "int"),
}
_POSITION = re.compile(r"ERROR: <input>:(\d+):(\d+): (.*)")
_TOKEN = re.compile(
    r"""//[^\n]*
      | (?:[bB]?[rR]|[rR][bB])(?:\"{3}.*?\"{3}|'{3}.*?'{3}|"[^"\n]*"|'[^'\n]*')
      | [bB]?(?:\"{3}(?:\\.|[^\\])*?\"{3}|'{3}(?:\\.|[^\\])*?'{3}|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
      | [A-Za-z_][A-Za-z0-9_]*
      | \s+
      | .""",
    re.VERBOSE | re.DOTALL,
)


class ExpressionError(DefinitionError):
    """An expression does not compile, or is of the wrong type.

    ``line`` and ``column`` count from 1 within the expression ``source``.
    """

    def __init__(self, message: str, source: str, line: int = 1, column: int = 1) -> None:
        super().__init__(message)
        self.source = source
        self.line = line
        self.column = column


class EvaluationError(BusError):
    """An expression has no value here: a division by zero, an overflow, a null where none may be."""


class Values(Protocol):
    """Where an expression finds the values of its variables.

    Translated expressions look into ``event``, ``instance`` and the like themselves: see ``InstanceValues``.
    """

    def __getitem__(self, name: str, /) -> Any:
        """The value of a variable, by its qualified name; ``KeyError`` where there is none."""


class Expression:
    """A compiled expression. Deterministic, without side effects."""

    __slots__ = ("_compiled", "_form", "_result", "_type", "evaluate", "names", "source", "translated")

    def __init__(self, source: str, compiled: Any, result: Result, variables: Mapping[str, str], form: bytes) -> None:
        names = frozenset(syntax.names(form) & variables.keys())
        self.source = source
        self.names = names
        """The declared variables that it names; no others are read."""
        self._compiled = compiled
        self._form = form
        self._result = result
        self._type = _PYTHON.get(result)
        self.translated = translated(syntax.tree(form), variables, result, self.by_library)
        """The expression as a Python function, if it is of the part of CEL that ``translate`` knows."""
        self.evaluate: Callable[[Values], Any] = self.translated or self.by_library
        """The value with these variables, of which only ``names`` are looked at.

        ``EvaluationError`` when a name is missing or there is no value of the promised type.
        """

    @property
    def tree(self) -> syntax.Node:
        """What was written, as the checker understood it."""
        return syntax.tree(self._form)

    def by_library(self, values: Values) -> Any:
        """The same as the library evaluates it: it has the last word, and the words for what is wrong."""
        try:
            data = {name: values[name] for name in self.names}
        except KeyError as missing:
            raise EvaluationError(f"{self.source!r} needs {missing.args[0]}, which has no value here.") from None
        try:
            found = self._compiled.eval(data=data)
            value = found.value()
        except (RuntimeError, TypeError, ValueError, OverflowError) as error:  # values that CEL cannot hold
            raise EvaluationError(f"{self.source!r} has no value: {error}.") from None
        if self._type is None:
            if found.type() == cel.Type.ERROR:
                raise EvaluationError(f"{self.source!r} has no value: {value}.")
            return found.plain_value()
        # An error's value is its text.
        if type(value) is not self._type or (self._type is str and found.type() != cel.Type.STRING):
            raise EvaluationError(self._why_not(found, value))
        return value

    def _why_not(self, found: Any, value: Any) -> str:
        if found.type() == cel.Type.ERROR:
            return f"{self.source!r} has no value: {value}."
        return f"{self.source!r} must give a {self._result}, but gave {value!r}."

    def __repr__(self) -> str:
        return f"Expression({self.source!r})"


class Environment:
    """The variables that expressions of one place may name, with their CEL types (int, double, string, …)."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.variables = dict(variables)
        declared = {name: _TYPES[kind] for name, kind in variables.items()}
        functions = [
            cel.FunctionDecl(
                name,
                [cel.Overload(f"deptbus_{name}", _TYPES[gives], [_TYPES[kind] for kind in takes], False)],
            )
            for name, (takes, gives) in _FUNCTIONS.items()
        ]
        # One checks what the author wrote, so that positions are his; the other runs the rewritten form.
        self._checker = cel.NewEnv(variables=declared, extensions=_extensions(), functions=functions)
        self._runner = cel.NewEnv(variables=declared, extensions=_extensions())

    def compile(self, source: str, result: Result) -> Expression:
        """The expression, which must give ``result``; ``ExpressionError`` says what is wrong and where.

        One of CEL type ``dyn`` passes for any: its value is checked at every evaluation.
        """
        try:
            checked = self._checker.compile(source)
        except RuntimeError as error:
            raise _explained(source, str(error), self.variables) from None
        gives = checked.return_type()
        if result != "any" and gives not in (_TYPES[result], cel.Type.DYN):
            raise ExpressionError(
                f"the expression {source!r} gives {gives.name().lower()}, but {result} is needed here", source
            )
        form = checked.serialize()
        rewritten = _rewrite(source)
        runnable = checked if rewritten == source else self._runner.compile(rewritten)
        return Expression(source, runnable, result, self.variables, form)


@lru_cache(maxsize=1)
def _extensions() -> tuple[Any, ...]:
    return (ExtStrings(), ExtMath())


def _explained(source: str, text: str, names: Collection[str]) -> ExpressionError:
    found = _POSITION.search(text)
    if found is None:
        return ExpressionError(f"the expression {source!r} does not compile: {text.splitlines()[0]}", source)
    line, column = int(found[1]), int(found[2])
    reason = found[3].removesuffix(" (in container '')")
    reason = re.sub(r" expecting \{.*", "", reason)
    place = f"column {column}" if "\n" not in source.strip() else f"its line {line}, column {column}"
    said = f"{reason} ({place}){hint(source, reason, names)}"
    return ExpressionError(f"the expression {source!r} does not compile: {said}", source, line, column)


class _Call(NamedTuple):
    arguments: list[str]
    end: int
    """The token after the closing parenthesis."""


def _rewrite(source: str) -> str:
    """The expression with the five functions written out; it has compiled, so it is well formed."""
    return _rewrite_tokens(_TOKEN.findall(source))


def _rewrite_tokens(tokens: list[str]) -> str:
    out: list[str] = []
    at = 0
    last = ""
    while at < len(tokens):
        token = tokens[at]
        if token in _FUNCTIONS and last != ".":
            opening = _next(tokens, at + 1)
            if opening is not None and tokens[opening] == "(":
                call = _arguments(tokens, opening)
                out.append(_written(token, call.arguments))
                at, last = call.end, ")"
                continue
        out.append(token)
        if not _blank(token):
            last = token
        at += 1
    return "".join(out)


def _blank(token: str) -> bool:
    return token.isspace() or token.startswith("//")


def _next(tokens: list[str], at: int) -> int | None:
    return next((index for index in range(at, len(tokens)) if not _blank(tokens[index])), None)


def _arguments(tokens: list[str], opening: int) -> _Call:
    depth = 0
    parts: list[list[str]] = [[]]
    for at in range(opening, len(tokens)):
        token = tokens[at]
        if token in {"(", "[", "{"}:
            depth += 1
            if depth == 1:
                continue
        elif token in {")", "]", "}"}:
            depth -= 1
            if depth == 0:
                return _Call([_rewrite_tokens(part) for part in parts], at + 1)
        elif token == "," and depth == 1:
            parts.append([])
            continue
        if not token.startswith("//"):
            parts[-1].append(token)
    raise AssertionError("a compiled expression has balanced parentheses")


def _written(function: str, arguments: list[str]) -> str:
    first = f"({arguments[0]})"
    if function == "city":
        return f'({first}.substring(0, 4) + "00")'
    if function == "province":
        return f'({first}.substring(0, 2) + "0000")'
    second = f"({arguments[1]})"
    if function == "covers":
        significant = (
            f'({first}.size() != 6 ? {first} : {first}.endsWith("000000") ? "" : {first}.endsWith("0000") ? '
            f'{first}.substring(0, 2) : {first}.endsWith("00") ? {first}.substring(0, 4) : {first})'
        )
        return f"{second}.startsWith({significant})"
    return f"math.{'greatest' if function == 'max' else 'least'}({first}, {second})"
