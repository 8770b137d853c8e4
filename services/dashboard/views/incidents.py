"""The list of incidents, for whoever looks."""

from collections.abc import Iterable

import orjson

from services.dashboard.access.people import Person
from services.dashboard.look import Look

STATUSES = ("open", "closed", "all")
KINDS = ("incident", "case", "all")


def incidents(look: Look, person: Person, position: str, status: str, kind: str) -> bytes:
    """The lines as one JSON document; ``position`` is where the stream was before they were read.

    Lines are kept as JSON and passed on as they are: of thousands, none is taken apart for somebody who may see all.
    """
    lines: Iterable[bytes] = look.store.lines(status, kind)
    if person.departments is not None:
        lines = [line for line in lines if person.sees(orjson.loads(line)["departments"])]
    head = orjson.dumps({"stream": position, "now": look.now().at_ms})
    return head[:-1] + b',"incidents":[' + b",".join(lines) + b"]}"
