"""An expression as a Python function, so that rules cost what Python costs. Pure.

The function answers only what CEL answers: where that is not sure, above all where there is no value, the library
evaluates the expression and says why. Translated is what rules are made of: names, literals, lists of
texts or numbers, operators, conditions, macros over lists, the usual functions. Of the rest ``translated`` makes
nothing, and the library always evaluates it.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from deptbus.workflow import functions
from deptbus.workflow.definition import RANK
from deptbus.workflow.functions import INT_MAX, INT_MIN, NUL
from deptbus.workflow.syntax import Call, Constant, Items, Macro, Name, Node

_UNSURE = (functions.Unsure, LookupError, TypeError, AttributeError)
"""What is raised where the library has to evaluate: no value found, or one of another kind than declared."""

_KINDS = {"int": int, "string": str, "bool": bool, "double": float}
_CHECKS = {
    "int": "if {0}.__class__ is not int or {0} < INT_MIN or {0} > INT_MAX: unsure()",
    "string": "if {0}.__class__ is not str or NUL in {0}: unsure()",  # there the library cuts a text off
    "bool": "if {0} is not True and {0} is not False: unsure()",
    "double": "if {0}.__class__ is not float: unsure()",
    "dyn": "plain({0})",
}
_MAPS = {
    "event": "values.event",
    "facts": "values.instance['facts']",
    "asked": "values.instance['asked']",
    "done": "values.instance['done']",
}
"""Where the names with these heads are found."""
_PLAIN = {
    "at": "values.at",
    "subject": "values.subject",
    "region": "values.region",
    "level": "(values.instance['level'] or '')",
    "level_rank": "RANK.get(values.instance['level'], 0)",
    "lead": "(values.instance['lead'] or '')",
    "parts": "len(values.instance['parts'])",
    "open_tasks": "len(values.instance['tasks'])",
}
_COUNTED = ("level_rank", "parts", "open_tasks", "open")
"""What is counted here, and hence is a whole number."""
_WITHIN: dict[str, Any] = {
    "INT_MIN": INT_MIN,
    "INT_MAX": INT_MAX,
    "NUL": NUL,
    "RANK": RANK,
    "UNSURE": _UNSURE,
    **{name: getattr(functions, name) for name in (
        "as_", "city", "covers", "divided", "equal", "lower_ascii", "plain", "province", "quotient", "remainder",
        "replace", "rest", "split", "substring", "text", "trim", "unsure", "upper_ascii", "whole",
    )},
}  # fmt: skip
_COMPARISONS = {"_<_": "<", "_<=_": "<=", "_>_": ">", "_>=_": ">="}
_SUMS = {"_+_": "+", "_-_": "-", "_*_": "*"}
_OPERATORS: dict[str, dict[str, str]] = {
    **{
        name: dict.fromkeys(("int", "double", "string"), f"({{0}} {sign} {{1}})") for name, sign in _COMPARISONS.items()
    },
    **{name: dict.fromkeys(("int", "double"), f"({{0}} {sign} {{1}})") for name, sign in _SUMS.items()},
    "_/_": {"int": "divided({0}, {1})", "double": "quotient({0}, {1})"},
    "_%_": {"int": "remainder({0}, {1})"},
}
"""By CEL's name of an operator and the kind of both sides, how Python writes it."""
_OPERATORS["_+_"]["string"] = "({0} + {1})"
_CALLS: dict[str, list[tuple[tuple[str, ...], str, str]]] = {
    "size": [(("string",), "int", "len({0})"), (("strings",), "int", "len({0})"), (("ints",), "int", "len({0})")],
    "contains": [(("string", "string"), "bool", "({1} in {0})")],
    "startsWith": [(("string", "string"), "bool", "{0}.startswith({1})")],
    "endsWith": [(("string", "string"), "bool", "{0}.endswith({1})")],
    "trim": [(("string",), "string", "trim({0})")],
    "split": [(("string", "string"), "strings", "split({0}, {1})")],
    "join": [(("strings",), "string", "''.join({0})"), (("strings", "string"), "string", "{1}.join({0})")],
    "replace": [(("string", "string", "string"), "string", "replace({0}, {1}, {2})")],
    "substring": [
        (("string", "int"), "string", "rest({0}, {1})"),
        (("string", "int", "int"), "string", "substring({0}, {1}, {2})"),
    ],
    "lowerAscii": [(("string",), "string", "lower_ascii({0})")],
    "upperAscii": [(("string",), "string", "upper_ascii({0})")],
    "string": [
        (("int",), "string", "str({0})"),
        (("string",), "string", "{0}"),
        (("bool",), "string", "text({0})"),
        (("dyn",), "string", "text({0})"),
    ],
    "int": [(("int",), "int", "{0}"), (("string",), "int", "whole({0})"), (("double",), "int", "whole({0})")],
    "double": [(("int",), "double", "float({0})"), (("double",), "double", "{0}")],
    "max": [(("int", "int"), "int", "max({0}, {1})")],
    "min": [(("int", "int"), "int", "min({0}, {1})")],
    "city": [(("string",), "string", "city({0})")],
    "province": [(("string",), "string", "province({0})")],
    "covers": [(("string", "string"), "bool", "covers({0}, {1})")],
}
"""By CEL's name of a function: the kinds it takes, the kind it gives, and how Python writes it."""


class _NotTranslated(Exception):
    """The library evaluates this."""


class _Written(NamedTuple):
    """A part of the function's text, and the CEL type of its value (``strings`` and ``ints`` are lists)."""

    text: str
    kind: str


def translated(
    tree: Node, variables: Mapping[str, str], result: str, otherwise: Callable[[Any], Any]
) -> Callable[[Any], Any] | None:
    """The function of an expression that gives ``result``; None where it is not translated.

    ``variables``: the CEL types of the names. The function takes the ``Values``, and asks ``otherwise`` where the
    library has to evaluate.
    """
    writer = _Writer(variables)
    try:
        value = writer.write(tree)
        text = value.text if result == "any" else writer.cast(value, result)
    except _NotTranslated:
        return None
    source = "\n        ".join(["def function(values):\n    try:", *writer.loads, f"return {text}"])
    source += "\n    except UNSURE:\n        pass\n    return otherwise(values)"
    namespace: dict[str, Any] = {**_WITHIN, "otherwise": otherwise}
    exec(compile(source, "<expression>", "exec"), namespace)  # names and literals stand in it as repr writes them
    function: Callable[[Any], Any] = namespace["function"]
    return function


class _Writer:
    """Writes the parts; ``loads`` are the lines in which every name is looked up and checked, as CEL does at first."""

    def __init__(self, variables: Mapping[str, str]) -> None:
        self.loads: list[str] = []
        self._variables = variables
        self._loaded: dict[str, _Written] = {}
        self._bound: dict[str, _Written] = {}
        """The variables of the macros around the part at hand."""
        self._counted = 0

    def write(self, node: Node) -> _Written:
        """The text of a part."""
        match node:
            case Constant(value):
                return self._constant(value)
            case Name(name):
                return self._bound.get(name) or self._load(name)
            case Items(elements):
                return self._items([self.write(element) for element in elements])
            case Macro():
                return self._macro(node)
            case Call(function, arguments):
                return self._call(function, [self.write(argument) for argument in arguments])
        raise _NotTranslated

    def cast(self, value: _Written, kind: str) -> str:
        """The text of a part that must be of a kind."""
        if value.kind == kind:
            return value.text
        if value.kind == "dyn" and kind in _KINDS:
            return f"as_({_KINDS[kind].__name__}, {value.text})"
        raise _NotTranslated

    @staticmethod
    def _constant(value: Any) -> _Written:
        if value is None:
            return _Written("None", "null")
        if isinstance(value, str) and NUL in value:
            raise _NotTranslated
        for kind, python in _KINDS.items():
            if value.__class__ is python:
                return _Written(f"({value!r})", kind)
        raise _NotTranslated

    def _load(self, name: str) -> _Written:
        found = self._loaded.get(name)
        if found is None:
            kind = self._variables.get(name, "")
            if kind not in _CHECKS:
                raise _NotTranslated
            found = self._loaded[name] = _Written(f"v{len(self._loaded)}", kind)
            head = name.partition(".")[0]
            if head in _MAPS and (line := f"{head} = {_MAPS[head]}") not in self.loads:
                self.loads.append(line)
            self.loads.append(f"{found.text} = {_where(name)}")
            if head not in _COUNTED:
                self.loads.append(_CHECKS[kind].format(found.text))
        return found

    @staticmethod
    def _items(elements: Sequence[_Written]) -> _Written:
        kinds = {element.kind for element in elements}
        if kinds not in ({"string"}, {"int"}):
            raise _NotTranslated
        return _Written(f"[{', '.join(element.text for element in elements)}]", f"{kinds.pop()}s")

    def _macro(self, node: Macro) -> _Written:
        over = self.write(node.over)
        if over.kind not in ("strings", "ints") or ":=" in over.text:  # which Python forbids there
            raise _NotTranslated
        self._counted += 1
        variable = _Written(f"each{self._counted}", over.kind.removesuffix("s"))
        outer, self._bound = self._bound, {**self._bound, node.variable: variable}
        body = self.write(node.body)
        self._bound = outer
        each = f"for {variable.text} in {over.text}"
        if node.macro == "map" and body.kind in ("string", "int"):
            return _Written(f"[{body.text} {each}]", f"{body.kind}s")
        held = self.cast(body, "bool")
        if node.macro == "filter":
            return _Written(f"[{variable.text} {each} if {held}]", over.kind)
        if node.macro in ("exists", "all"):
            return _Written(f"{'any' if node.macro == 'exists' else 'all'}({held} {each})", "bool")
        raise _NotTranslated

    def _call(self, function: str, given: Sequence[_Written]) -> _Written:
        match function, given:
            case "_&&_" | "_||_", (one, other):
                sign = "and" if function == "_&&_" else "or"
                return _Written(f"({self.cast(one, 'bool')} {sign} {self.cast(other, 'bool')})", "bool")
            case "!_", (only,):
                return _Written(f"(not {self.cast(only, 'bool')})", "bool")
            case "_?_:_", (condition, then, otherwise):
                return self._either(self.cast(condition, "bool"), then, otherwise)
            case "_==_" | "_!=_", (one, other):
                equal = self._equal(one, other)
                return _Written(equal if function == "_==_" else f"(not {equal})", "bool")
            case "-_", (only,) if only.kind in ("int", "double"):
                return self._within(f"-{only.text}", only.kind)
            case "@in", (one, of) if of.kind == f"{one.kind}s":
                return _Written(f"({one.text} in {of.text})", "bool")
            case _, (one, other) if function in _OPERATORS:
                return self._operator(function, one, other)
        return self._function(function, given)

    @staticmethod
    def _either(condition: str, then: _Written, otherwise: _Written) -> _Written:
        kind = then.kind if then.kind == otherwise.kind else "dyn"
        if kind == "dyn" and {"strings", "ints"} & {then.kind, otherwise.kind}:
            raise _NotTranslated
        return _Written(f"({then.text} if {condition} else {otherwise.text})", kind)

    def _operator(self, function: str, one: _Written, other: _Written) -> _Written:
        """Of two which CEL alone knows the types, nothing is translated."""
        kind = other.kind if one.kind == "dyn" else one.kind
        form = _OPERATORS[function].get(kind)
        if form is None:
            raise _NotTranslated
        text = form.format(self.cast(one, kind), self.cast(other, kind))
        if function in _COMPARISONS:
            return _Written(text, "bool")
        return self._within(text, kind) if function in _SUMS else _Written(text, kind)

    def _function(self, function: str, given: Sequence[_Written]) -> _Written:
        for takes, gives, form in _CALLS.get(function, ()):
            if len(takes) == len(given) and all(
                part.kind == kind or (part.kind == "dyn" and len(_CALLS[function]) == 1)
                for part, kind in zip(given, takes, strict=True)
            ):
                arguments = (self.cast(part, kind) for part, kind in zip(given, takes, strict=True))
                return _Written(form.format(*arguments), gives)
        raise _NotTranslated

    def _equal(self, one: _Written, other: _Written) -> str:
        kinds = {one.kind, other.kind}
        if "dyn" in kinds and kinds <= {"dyn", "null", *_KINDS}:
            return f"equal({one.text}, {other.text})"
        if len(kinds) == 1 and kinds <= _KINDS.keys():
            return f"({one.text} == {other.text})"
        raise _NotTranslated

    def _within(self, text: str, kind: str) -> _Written:
        """A sum, difference or product: of whole numbers it must be one of 64 bits."""
        if kind != "int":
            return _Written(f"({text})", kind)
        self._counted += 1
        number = f"n{self._counted}"
        return _Written(f"({number} if INT_MIN <= ({number} := {text}) <= INT_MAX else unsure())", kind)


def _where(name: str) -> str:
    """How Python finds the value of a name among ``Values``."""
    head, *path = name.split(".")
    if head == "event" and path:
        return f"event{''.join(f'[{part!r}]' for part in path)}"
    if head == "facts" and path:
        return f"facts[{'.'.join(path)!r}]"
    if head in ("asked", "done") and path:
        return f"{head}.get({'.'.join(path)!r}, 0)"
    if head == "open" and path:
        return f"values.open_of({'.'.join(path)!r})"
    if name in _PLAIN:
        return _PLAIN[name]
    raise _NotTranslated
