"""What an author probably meant by an expression that does not compile. Pure."""

import re
from collections.abc import Collection
from difflib import get_close_matches

_UNDECLARED = re.compile(r"undeclared reference to '([\w.]+)'")
_WORDS = {"and": "&&", "or": "||", "not": "!"}
_ASSIGNED = re.compile(r"[^=!<>]=[^=]")


def hint(source: str, reason: str, names: Collection[str]) -> str:
    """What to write instead, after a semicolon; empty where nothing suggests itself.

    ``names`` are the variables that may be named in the expression ``source``.
    """
    undeclared = _UNDECLARED.match(reason)
    if undeclared and undeclared[1] not in _WORDS:
        close = get_close_matches(undeclared[1], names, 1, 0.75)
        return f"; did you mean {close[0]}?" if close else ""
    if undeclared or reason.startswith("Syntax error"):
        outside = re.sub(r"\"[^\"]*\"|'[^']*'", "", source)
        for word, sign in _WORDS.items():
            if re.search(rf"\b{word}\b", outside):
                return f"; write {sign} for {word}"
        return "; write == to compare" if _ASSIGNED.search(outside) else ""
    if "'max'" in reason or "'min'" in reason:
        return "; they take whole numbers: int(x) makes one of a decimal" if "double" in reason else ""
    if "(double, int)" in reason or "(int, double)" in reason:
        return "; write decimals with a point, such as 7.0, or double(x) for a whole number"
    if "(int, string)" in reason or "(string, int)" in reason:
        return "; string(n) makes text of a number, int(s) a number of text"
    return ""
