"""A dead letter's value put right: a new event in place of the one that could not be handled. Pure."""

import difflib
import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from deptbus.codec import Codec
from deptbus.envelope import from_headers, to_headers
from deptbus.errors import ActRefused, CodecError
from deptbus.ids import derived_id
from deptbus.jsondata import from_json
from deptbus.operations.letters import Letter, Terms, state_refusal, topic_refusal
from deptbus.record import Record
from deptbus.redriven import stamp
from deptbus.topics.model import Topic


def edit_refusal(letter: Letter, topics: Mapping[str, Topic], terms: Terms) -> str | None:
    """Why a letter cannot be edited, and what to do; None where it can. A truncated one can: its value is new."""
    return topic_refusal(letter, topics) or state_refusal(letter, terms)


def edited(letter: Letter, record: Record, data: Any, schema: Mapping[str, Any], codec: Codec, actor: str) -> Record:
    """The record that is sent in place of a letter's. ``data`` is its value as JSON, ``schema`` the newest of its type.

    The id follows from the record and its new value: the same edit for another group is the same event. Raises
    ``CodecError`` where the data do not fit, ``ActRefused`` where nothing was changed or no envelope can be read.
    """
    try:
        envelope = from_headers(record.headers)
    except CodecError as error:
        raise ActRefused(
            f"The headers of the dead letter {letter.id} cannot be read ({error}), and only values can be edited: "
            f"have the owner of {letter.topic} publish the event again, and discard the letter."
        ) from None
    value = codec.encode(envelope.type, from_json(schema, data))
    if value == record.value:
        raise ActRefused("Nothing was changed; `deptbus deadletters redrive` sends the same event again.")
    digest = hashlib.sha256(value).hexdigest()
    event_id = derived_id(
        f"{record.coordinates} {digest}", "/bus/operations", envelope.type, envelope.subject or "", letter.count
    )
    digits = event_id.replace("-", "")
    trace = (envelope.traceparent or "").split("-")
    made = to_headers(
        envelope._replace(
            id=event_id,
            causationid=letter.id,
            actor=actor,
            dataschema=f"urn:deptbus:{envelope.type}:v{codec.schema(envelope.type).version}",
            traceparent=f"00-{trace[1] if len(trace) == 4 else digits}-{digits[16:]}-01",
        )
    )
    names = {name for name, _ in made}
    others = [(name, content) for name, content in record.headers if name not in names]
    headers = stamp([*made, *others], letter.group, letter.id, letter.count + 1, letter.timestamp_ms)
    return record._replace(value=value, headers=headers)


def as_text(data: Any) -> str:
    """JSON as a person edits it."""
    return orjson.dumps(data, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE, default=str).decode()


def difference(before: Any, after: Any) -> Sequence[str]:
    """What was changed, as lines of a unified difference."""
    lines = difflib.unified_diff(
        as_text(before).splitlines(), as_text(after).splitlines(), "given up", "edited", lineterm="", n=2
    )
    return list(lines)
