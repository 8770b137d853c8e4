"""The side of a measurement's processes: answers requests, one JSON object a line. Imports nothing but the standard
library, for the peers' processes run in an environment of their own."""

import gc
import json
import sys
import traceback
from collections.abc import Callable
from typing import Any

Handlers = dict[str, Callable[..., Any]]
"""What can be asked, by name; a handler takes the request's other members by name."""


def serve(handlers: Handlers) -> None:
    """Answer until standard input ends. What a handler prints would be an answer: it must print nothing."""
    out, sys.stdout = sys.stdout, sys.stderr
    for line in sys.stdin:
        request = json.loads(line)
        try:
            gc.collect()  # the garbage of one run is not the next one's cost
            answer = {"answer": handlers[request.pop("do")](**request)}
        except Exception:  # told to the measurement, which ends with it
            answer = {"error": traceback.format_exc()}
        out.write(json.dumps(answer) + "\n")
        out.flush()
